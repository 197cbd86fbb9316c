import Foundation
import ServerTestKit
import Synchronization
import Testing

@testable import NotifyClient

/// A server that does as it is told, and remembers the keys it took.
private final class Server: NotifyTransport {
    enum Mood { case takes, fails, hangs, refuses }

    private let state = Mutex<(mood: Mood, keys: [String], bodies: [String: String], calls: Int)>((.takes, [], [:], 0))

    init(_ mood: Mood) { self.state.withLock { $0.mood = mood } }

    var keys: [String] { self.state.withLock { $0.keys } }
    var bodies: [String] { self.state.withLock { state in state.keys.compactMap { state.bodies[$0] } } }
    var calls: Int { self.state.withLock { $0.calls } }
    func become(_ mood: Mood) { self.state.withLock { $0.mood = mood } }

    func post(_ body: Data, key: String, timeout: Duration) async throws -> Int {
        let mood = self.state.withLock { state in
            state.calls += 1
            return state.mood
        }
        switch mood {
        case .fails: return 500
        case .refuses: return 422
        case .hangs:
            try await Task.sleep(for: timeout)
            throw CancellationError()
        case .takes:
            self.state.withLock { state in
                if state.bodies.updateValue(String(decoding: body, as: UTF8.self), forKey: key) == nil {
                    state.keys.append(key)
                }
            }
            return 202
        }
    }
}

private func message(_ number: Int, _ priority: NotifyPriority = .normal) -> NotifyMessage {
    NotifyMessage(body: Data("{\"n\":\(number)}".utf8), priority: priority)
}

private var quick: NotifyOptions {
    var options = NotifyOptions()
    options.pause = .milliseconds(2)
    options.pauseMax = .milliseconds(20)
    options.callTimeout = .milliseconds(20)
    return options
}

private func until(_ what: String, _ condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while !condition() {
        guard ContinuousClock.now < end else {
            Issue.record("never happened: \(what)")
            return
        }
        try await Task.sleep(for: .milliseconds(2))  // room for the others; what is waited for is the condition
    }
}

private func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = URL(filePath: "/tmp/aloft-notify-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
}

@Suite("NotifyClient", .serialized)
struct NotifyClientTests {
    private func running(
        _ client: NotifyClient, _ body: () async throws -> Void
    ) async throws {
        let work = Task { await client.run() }
        do {
            try await body()
        } catch {
            work.cancel()
            await work.value
            throw error
        }
        work.cancel()
        await work.value
    }

    @Test("Everything that is sent arrives once, the urgent first")
    func delivers() async throws {
        try await withFolder { folder in
            let server = Server(.takes)
            var options = quick
            options.callsAtATime = 1
            let client = NotifyClient(folder: folder, transport: server, options: options)
            let low = client.send(message(1, .low))
            client.send(message(2))
            client.send(message(3, .high))
            #expect(client.state(of: low) == .accepted)
            try await running(client) {
                try await until("all delivered") { client.counts.delivered == 3 }
                #expect(server.bodies == ["{\"n\":3}", "{\"n\":2}", "{\"n\":1}"])
                #expect(client.state(of: low) == .delivered)
            }
        }
    }

    @Test(
        "A server that fails or hangs opens the breaker and loses nothing; when it is back, all of it arrives",
        arguments: [
            0, 1,
        ])
    func outage(kind: Int) async throws {
        try await withFolder { folder in
            let server = Server(kind == 0 ? .fails : .hangs)
            let client = NotifyClient(folder: folder, transport: server, options: quick)
            try await running(client) {
                for number in 0..<100 { client.send(message(number)) }
                try await until("the breaker is open") { client.counts.isBreakerOpen }
                #expect(client.counts.delivered == 0)
                // With an open breaker one call at a time asks, whatever waits.
                #expect(server.calls < 100)
                server.become(.takes)
                try await until("all delivered") { client.counts.delivered == 100 }
                #expect(Set(server.bodies).count == 100)
                #expect(!client.counts.isBreakerOpen)
            }
        }
    }

    @Test("A message that the server will never take is put aside and does not hold up the others")
    func refused() async throws {
        try await withFolder { folder in
            let server = Server(.refuses)
            let client = NotifyClient(folder: folder, transport: server, options: quick)
            try await running(client) {
                let id = client.send(message(1))
                try await until("refused") { client.counts.refused == 1 }
                #expect(client.state(of: id) == .refused(status: 422))
                server.become(.takes)
                client.send(message(2))
                try await until("delivered") { client.counts.delivered == 1 }
            }
        }
    }

    @Test("A full queue drops the least urgent first, and a new one when nothing is less urgent")
    func full() async throws {
        try await withFolder { folder in
            var options = quick
            options.capacity = 4
            let client = NotifyClient(folder: folder, transport: Server(.fails), options: options)
            let ids = [message(1, .low), message(2), message(3, .low), message(4)].map(client.send)
            let high = client.send(message(5, .high))
            #expect(client.state(of: ids[0]) == .dropped)
            #expect(client.state(of: high) == .accepted)
            let normal = client.send(message(6))
            #expect(client.state(of: ids[2]) == .dropped)
            #expect(client.state(of: normal) == .accepted)
            let low = client.send(message(7, .low))
            #expect(client.state(of: low) == .dropped)
            #expect(client.counts.waiting == 4)
            #expect(client.counts.dropped == 3)
        }
    }

    @Test("Without a usable folder messages still leave, and nothing is thrown at the sender")
    func noDisk() async throws {
        let server = Server(.takes)
        let client = NotifyClient(folder: URL(filePath: "/proc/nowhere"), transport: server, options: quick)
        try await running(client) {
            client.send(message(1))
            try await until("delivered") { client.counts.delivered == 1 }
        }
    }

    @Test("What was stored survives the kill of its process, a torn last line too; nothing is sent under two keys")
    func kill() async throws {
        try await withFolder { folder in
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let child = try ChildProcess.start(
                [root.appending(path: ".build/debug/notify-child").path, folder.path, "60"],
                output: URL(filePath: folder.path + ".log"))
            defer {
                try? FileManager.default.removeItem(atPath: folder.path + ".log")
                try? FileManager.default.removeItem(atPath: folder.path + ".ready")
            }
            try await until("stored") { FileManager.default.fileExists(atPath: folder.path + ".ready") }
            child.signal(SIGKILL)
            await child.wait()
            let file = try FileHandle(forWritingTo: folder.appending(path: "queue.jsonl"))
            try file.seekToEnd()
            try file.write(contentsOf: Data("{\"add\":{\"_0\":".utf8))
            try file.close()

            let server = Server(.takes)
            let client = NotifyClient(folder: folder, transport: server, options: quick)
            try await running(client) {
                client.send(message(1000))
                try await until("all delivered") { client.counts.delivered == 61 }
            }
            #expect(Set(server.keys).count == 61)
            #expect(Set(server.bodies).count == 61)
            // What was delivered does not come back.
            let later = NotifyClient(folder: folder, transport: server, options: quick)
            try await running(later) {
                later.send(message(2000))
                try await until("delivered") { later.counts.delivered == 1 }
                #expect(later.counts.waiting == 0)
            }
            #expect(server.keys.count == 62)
        }
    }
}
