public import Foundation
import Synchronization

/// A nats-server of our own with JetStream on file storage.
public final class PrivateNATS: Sendable {
    public let folder: URL
    private struct State {
        var child: ChildProcess?
        var port: Int
    }
    private let state: Mutex<State>
    private let isTemporary: Bool

    /// - Parameter port: 0 chooses a free one at the first start and keeps it for later starts.
    public init(folder: URL, port: Int = 0, isTemporary: Bool = false) {
        self.folder = folder
        self.isTemporary = isTemporary
        state = Mutex(State(port: port))
    }

    public static func temporary() async throws -> PrivateNATS {
        let server = PrivateNATS(
            folder: URL(filePath: "/tmp/aloft-nats-\(UInt64.random(in: 0..<0xFFFF_FFFF))"), isTemporary: true)
        try await server.start()
        return server
    }

    public var url: String { "nats://127.0.0.1:\(state.withLock { $0.port })" }
    public var processIdentifier: Int32? { state.withLock { $0.child?.processIdentifier } }

    public func start() async throws {
        let ports = folder.appending(path: "ports")
        try? FileManager.default.removeItem(at: ports)
        try FileManager.default.createDirectory(at: ports, withIntermediateDirectories: true)
        let wanted = state.withLock { $0.port }
        let child = try ChildProcess.start(
            [
                "nats-server", "-js", "-sd", folder.appending(path: "jetstream").path, "-a", "127.0.0.1", "-p",
                wanted == 0 ? "-1" : "\(wanted)",
                "--ports_file_dir", ports.path,
            ], output: folder.appending(path: "nats.log"))
        state.withLock { $0.child = child }
        let file = ports.appending(path: "nats-server_\(child.processIdentifier).ports")
        try await waitUntil("starting nats-server (see \(folder.path)/nats.log)") {
            guard child.isRunning else { throw ServerFailure("nats-server ended at once; see \(folder.path)/nats.log") }
            guard let data = try? Data(contentsOf: file), let port = Self.port(data) else { return false }
            state.withLock { $0.port = port }
            return true
        }
    }

    private static func port(_ data: Data) -> Int? {
        struct Ports: Decodable { var nats: [String] }
        guard let ports = try? JSONDecoder().decode(Ports.self, from: data), let first = ports.nats.first else {
            return nil
        }
        return first.split(separator: ":").last.flatMap { Int($0) }
    }

    public func stop() async {
        guard let child = state.withLock({ $0.child }) else { return }
        await child.stop(SIGTERM)
        state.withLock { $0.child = nil }
        if isTemporary { try? FileManager.default.removeItem(at: folder) }
    }

    /// Stops without any farewell; the files stay.
    public func crash() async {
        guard let child = state.withLock({ $0.child }) else { return }
        child.signal(SIGKILL)
        await child.wait()
        state.withLock { $0.child = nil }
    }

    /// Removes everything JetStream stored. Only while the server is down.
    public func wipe() throws {
        let store = folder.appending(path: "jetstream")
        if FileManager.default.fileExists(atPath: store.path) { try FileManager.default.removeItem(at: store) }
    }
}
