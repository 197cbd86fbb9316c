import NIOCore
import NIOPosix

/// HAProxy through its runtime socket: weights change without a reload (HAProxy Management Guide, "Unix Socket commands").
public struct HAProxyRouter: TrafficSplitter {
    /// `backend/server`, as HAProxy names it.
    public struct Server: Hashable, Sendable {
        public let name: String

        /// - Returns: nil for anything that is not two plain names: it becomes part of a command.
        public init?(_ name: String) {
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                            || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":")].contains(
                                byte)
                    }
            }
            guard parts.count == 2, isPlain else { return nil }
            self.name = name
        }
    }

    /// The whole of one command: connecting, asking, reading.
    public static let callMax = Duration.seconds(2)
    private static let answerBytesMax = 64 << 10

    private let socketPath: String
    private let stable: Server
    private let candidate: Server

    /// - Parameter socketPath: of a `stats socket … level admin`.
    public init(socketPath: String, stable: Server, candidate: Server) {
        self.socketPath = socketPath
        self.stable = stable
        self.candidate = candidate
    }

    public func split() async throws(EffectFailure) -> Split {
        Split(stable: try await self.weight(of: self.stable), candidate: try await self.weight(of: self.candidate))
    }

    /// What grows is set last, so that a failure between the two commands sends the candidate no more than it had.
    public func set(_ split: Split) async throws(EffectFailure) {
        let now = try await self.weight(of: self.candidate)
        if split.candidate < now {
            try await self.setWeight(split.candidate, of: self.candidate)
            try await self.setWeight(split.stable, of: self.stable)
        } else {
            try await self.setWeight(split.stable, of: self.stable)
            try await self.setWeight(split.candidate, of: self.candidate)
        }
    }

    private func weight(of server: Server) async throws(EffectFailure) -> Int {
        let answer = try await self.ask("get weight \(server.name)")
        guard let first = answer.split(whereSeparator: { $0 == " " || $0 == "\n" }).first, let weight = Int(first)
        else {
            throw Self.refusal(answer)
        }
        return weight
    }

    private func setWeight(_ weight: Int, of server: Server) async throws(EffectFailure) {
        guard (0...256).contains(weight) else {
            throw EffectFailure(.permanent(code: "WeightOutOfRange"), "expected 0 to 256, got \(weight)")
        }
        let answer = try await self.ask("set weight \(server.name) \(weight)")
        guard answer.allSatisfy(\.isWhitespace) else { throw Self.refusal(answer) }
    }

    private static func refusal(_ answer: String) -> EffectFailure {
        let text = answer.split(separator: "\n").first.map(String.init) ?? "no answer"
        if text.contains("No such") { return EffectFailure(.permanent(code: "UnknownBackend"), text) }
        if text.contains("Permission denied") { return EffectFailure(.permanent(code: "Forbidden"), text) }
        return EffectFailure(.transient, "the router answered: \(text)")
    }

    // MARK: The socket

    private func ask(_ command: String) async throws(EffectFailure) -> String {
        do {
            return try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask { try await self.exchange(command) }
                group.addTask {
                    try await Task.sleep(for: Self.callMax)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let answer = first else {
                    throw EffectFailure(.transient, "the router did not answer in \(Self.callMax)")
                }
                return answer
            }
        } catch let failure as EffectFailure {
            throw failure
        } catch {
            throw EffectFailure(.transient, "the router is not reached: \(error)")
        }
    }

    private func exchange(_ command: String) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(TimeAmount(Self.callMax))
            .connect(unixDomainSocketPath: self.socketPath) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: command + "\n"))
            var answer = ByteBuffer()
            for try await part in inbound {
                guard answer.readableBytes + part.readableBytes <= Self.answerBytesMax else {
                    throw EffectFailure(.transient, "the router's answer is too long")
                }
                answer.writeImmutableBuffer(part)
            }
            return String(buffer: answer)
        }
    }
}
