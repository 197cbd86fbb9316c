import ArgumentParser
import Foundation
import Logging
import Messaging
import Runtime

struct FeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed", abstract: "Read the event feed on NATS JetStream.", subcommands: [TailFeed.self])
}

struct TailFeed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Print events as they are published.",
        discussion: "Repetitions (the feed is at least once) are dropped by their id.")
    @Option(name: .long, help: "NATS address (or ALOFT_NATS_URL).")
    var natsURL: String = ProcessInfo.processInfo.environment["ALOFT_NATS_URL"] ?? "nats://127.0.0.1:4222"
    @Option(name: .long, help: "Subject filter, for example 'aloft.default.history.>'.")
    var subject: String = "aloft.>"
    @Option(name: .long, help: "Only events of this workflow id.")
    var workflowID: String?
    @Flag(name: .long, help: "Begin with the oldest event and end when all are read, instead of waiting for new ones.")
    var all = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap()
        let client = JetStreamClient(NATSConfiguration(url: natsURL, name: "aloft feed tail"), log: log)
        let runner = Task { await client.run() }
        defer { runner.cancel() }
        try await waitForConnection(client)
        let info = try await client.prepareStream(name: FeedFormat.stream, subjects: FeedFormat.subjects)
        let last = info.lastSequence
        if all, info.messages == 0 { return }
        var seen = Set<String>()
        let messages = try await client.read(stream: FeedFormat.stream, subject: subject, from: all ? 1 : last + 1)
        // With a filter the last message may not be ours: a quiet second after the end means all is read.
        let idle = IdleEnd(isWanted: all)
        for await message in idle.ending(messages) {
            let id = message.headers["Nats-Msg-Id"] ?? message.headers["ce-id"] ?? ""
            if seen.insert(id).inserted, workflowID == nil || message.headers["ce-subject"] == workflowID {
                show(message)
            }
            if all, message.sequence >= last { break }
        }
    }

    private func waitForConnection(_ client: JetStreamClient) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !client.isConnected {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure("--nats-url: nothing answers at \(natsURL)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func show(_ message: IncomingMessage) {
        let body = String(decoding: message.body, as: UTF8.self)
        switch output.format {
        case .text:
            Terminal.line(
                "\(message.sequence)  \(message.headers["ce-time"] ?? "")  \(message.headers["ce-type"] ?? message.subject)  "
                    + "\(message.headers["ce-subject"] ?? "")  #\(message.headers["ce-sequence"] ?? "")")
        case .json:
            let headers = message.headers.keys.sorted().map { ($0, Printable.string(message.headers[$0] ?? "")) }
            Terminal.line(
                Printable.object([
                    ("sequence", .integer(Int64(message.sequence))), ("subject", .string(message.subject)),
                    ("headers", .object(headers)),
                    ("data", .raw(body.isEmpty ? "null" : body)),
                ]).json)
        }
    }
}

/// Ends a stream of messages after a quiet second, when that is wanted.
private struct IdleEnd {
    let isWanted: Bool

    func ending(_ messages: AsyncStream<IncomingMessage>) -> AsyncStream<IncomingMessage> {
        guard isWanted else { return messages }
        let (stream, continuation) = AsyncStream<IncomingMessage>.makeStream()
        let pump = Task {
            await withTaskGroup(of: Void.self) { group in
                let heard = LastHeard()
                group.addTask {
                    for await message in messages {
                        await heard.now()
                        continuation.yield(message)
                    }
                }
                group.addTask {
                    while await !heard.isQuiet(for: .seconds(1)), !Task.isCancelled {
                        try? await Task.sleep(for: .milliseconds(100))
                    }
                }
                await group.next()
                group.cancelAll()
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in pump.cancel() }
        return stream
    }

    private actor LastHeard {
        private var moment = ContinuousClock.now
        func now() { moment = .now }
        func isQuiet(for span: Duration) -> Bool { ContinuousClock.now - moment > span }
    }
}
