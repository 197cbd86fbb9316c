import Foundation
import History
import Logging
import Messaging
import Runtime
import ServerTestKit
import Synchronization
import Testing

/// JetStream for the relay, as the executable adapts it.
private struct TestBroker: Broker {
    let client: JetStreamClient

    func prepareStream(name: String, subjects: [String]) async throws(BrokerError) -> StreamState {
        do throws(NATSError) {
            let info = try await client.prepareStream(name: name, subjects: subjects)
            return StreamState(
                created: info.created, firstSequence: info.firstSequence, lastSequence: info.lastSequence)
        } catch { throw .refused("\(error)") }
    }
    func publish(_ messages: [FeedMessage], stream: String) async throws(BrokerError) -> [UInt64] {
        do throws(NATSError) {
            return try await client.publish(
                messages.map { OutgoingMessage(subject: $0.subject, id: $0.id, headers: $0.headers, body: $0.body) },
                stream: stream)
        } catch .tooLarge {
            throw .messageRefused("too large")
        } catch { throw .refused("\(error)") }
    }
    func messageID(stream: String, sequence: UInt64) async throws(BrokerError) -> String? {
        do throws(NATSError) { return try await client.messageID(stream: stream, sequence: sequence) } catch {
            throw .refused("\(error)")
        }
    }
    func connectionChanges() -> AsyncStream<Bool> { client.connectionChanges() }
}

@Suite("The feed's relay over a real nats-server", .serialized)
struct RelayTests {
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A server, a relay that runs, and an outbox.
    func withRelay(
        outbox: TestOutbox = TestOutbox(), nats: PrivateNATS, lanes: ClosedRange<Int16> = 0...1,
        letters: KeptLetters = KeptLetters(),
        _ body: (FeedRelay, JetStreamClient, TestOutbox) async throws -> Void
    ) async throws {
        let client = JetStreamClient(NATSConfiguration(url: nats.url), log: log)
        let relay = FeedRelay(
            broker: TestBroker(client: client), outbox: outbox, encoder: NoDecoder(), deadLetters: letters, log: log
        ) { _ in "default" }
        let tasks = [Task { await client.run() }, Task { await relay.run() }]
        for lane in lanes {
            let last = outbox.state.withLock { state in state.entries.last { $0.lane == lane }?.sequence ?? 0 }
            relay.laneAcquired(LaneLease(lane: lane, epoch: 1, expiresAt: .distantFuture, lastOutboxSequence: last))
        }
        do {
            try await body(relay, client, outbox)
        } catch {
            tasks.forEach { $0.cancel() }
            throw error
        }
        for task in tasks {
            task.cancel()
            await task.value
        }
    }

    /// All messages on the stream now, in its order.
    func stored(_ nats: PrivateNATS, count: Int) async throws -> [IncomingMessage] {
        let client = JetStreamClient(NATSConfiguration(url: nats.url), log: log)
        let runner = Task { await client.run() }
        defer { runner.cancel() }
        try await eventually("a reader's session") { client.isConnected }
        _ = try await client.prepareStream(name: FeedFormat.stream, subjects: FeedFormat.subjects)
        var found: [IncomingMessage] = []
        var ids = Set<String>()
        for await message in try await client.read(stream: FeedFormat.stream, subject: "aloft.>", from: 1) {
            if ids.insert(message.headers["Nats-Msg-Id"] ?? "").inserted { found.append(message) }
            if found.count == count { break }
        }
        return found
    }

    func eventually(_ what: String, _ check: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while !(try await check()) {
            guard ContinuousClock.now < end else { throw ServerFailure("\(what) did not happen") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func expectOrdered(_ messages: [IncomingMessage]) {
        var last: [String: Int] = [:]
        for message in messages {
            let run = message.headers["ce-subject"] ?? ""
            let sequence = Int(message.headers["ce-sequence"] ?? "") ?? -1
            #expect(sequence == (last[run] ?? 0) + 1, "run \(run) had \(last[run] ?? 0), then \(sequence)")
            last[run] = sequence
        }
    }

    @Test("Committed events reach the stream in order per run, with CloudEvents headers")
    func publishes() async throws {
        let nats = try await PrivateNATS.temporary()
        try await withRelay(nats: nats) { relay, _, outbox in
            for round in Int64(0)..<50 {
                for (lane, run) in [(Int16(0), "a"), (0, "b"), (1, "c")] {
                    relay.committed([outbox.commit(lane: lane, run: run, events: round * 3 + 1...round * 3 + 3)])
                }
            }
            let messages = try await stored(nats, count: 450)
            #expect(messages.count == 450)
            expectOrdered(messages)
            #expect(messages[0].headers["ce-specversion"] == "1.0")
            #expect(messages[0].headers["ce-id"] == messages[0].headers["Nats-Msg-Id"])
            #expect(messages[0].subject.hasPrefix("aloft.default.history.T."))
        }
        await nats.stop()
    }

    @Test("A message too large for the broker becomes a dead letter and a short one in its place; the rest goes on")
    func refused() async throws {
        let nats = try await PrivateNATS.temporary()
        let (outbox, letters) = (TestOutbox(), KeptLetters(failures: 2))
        let huge = String(repeating: "x", count: 2 << 20)
        for number in 1...9 {
            outbox.publish(number: Int64(number), data: number == 4 ? "\"\(huge)\"" : "{\"n\": \(number)}")
        }
        try await withRelay(outbox: outbox, nats: nats, letters: letters) { relay, _, outbox in
            relay.committed([outbox.commit(lane: 0, run: "a", events: 1...3)])
            let messages = try await stored(nats, count: 12)
            expectOrdered(messages)
            let refused = messages.filter { $0.headers[FeedFormat.refusedHeader] != nil }
            #expect(refused.map { $0.headers["ce-sequence"] } == ["4"])
            #expect(refused.allSatisfy { $0.body.count < 200 })
            try await eventually("the letter is kept, though the first two tries fail") { letters.kept.count == 1 }
            #expect(letters.kept.first?.source == .outbox)
            #expect(letters.kept.first?.namespace == "default")
            relay.committed([outbox.commit(lane: 0, run: "a", events: 4...5)])
            let more = try await stored(nats, count: 14)
            #expect(more.count == 14)
            #expect(letters.kept.count == 1)
        }
        await nats.stop()
    }

    @Test("What was committed while the broker was away is published when it is back")
    func outage() async throws {
        let nats = try await PrivateNATS.temporary()
        try await withRelay(nats: nats) { relay, client, outbox in
            relay.committed([outbox.commit(lane: 0, run: "a", events: 1...3)])
            _ = try await stored(nats, count: 3)
            await nats.crash()
            try await eventually("the loss") { !client.isConnected }
            for round in Int64(1)..<100 {
                relay.committed([outbox.commit(lane: 0, run: "a", events: round * 3 + 1...round * 3 + 3)])
            }
            try await nats.start()
            let messages = try await stored(nats, count: 300)
            expectOrdered(messages)
        }
        await nats.stop()
    }

    @Test("A wiped stream is filled again from the store")
    func wiped() async throws {
        let nats = try await PrivateNATS.temporary()
        try await withRelay(nats: nats) { relay, client, outbox in
            for round in Int64(0)..<20 {
                relay.committed([outbox.commit(lane: 1, run: "a", events: round + 1...round + 1)])
            }
            _ = try await stored(nats, count: 20)
            await nats.crash()
            try nats.wipe()
            try await nats.start()
            try await eventually("a new session") { client.isConnected }
            let messages = try await stored(nats, count: 20)
            expectOrdered(messages)
        }
        await nats.stop()
    }

    @Test("A stream rolled back to an old copy gets its missing tail")
    func rolledBack() async throws {
        let nats = try await PrivateNATS.temporary()
        let copy = URL(filePath: nats.folder.path + "-copy")
        let live = nats.folder.appending(path: "jetstream")
        try await withRelay(nats: nats) { relay, client, outbox in
            for round in Int64(0)..<10 {
                relay.committed([outbox.commit(lane: 0, run: "a", events: round + 1...round + 1)])
            }
            _ = try await stored(nats, count: 10)
            try await eventually("a mark at 10") { outbox.state.withLock { $0.marks.last?.sequence == 10 } }
            await nats.crash()
            try FileManager.default.copyItem(at: live, to: copy)
            try await nats.start()
            for round in Int64(10)..<30 {
                relay.committed([outbox.commit(lane: 0, run: "a", events: round + 1...round + 1)])
            }
            _ = try await stored(nats, count: 30)
            await nats.crash()
            try FileManager.default.removeItem(at: live)
            try FileManager.default.moveItem(at: copy, to: live)
            try await nats.start()
            try await eventually("a new session") { client.isConnected }
            let messages = try await stored(nats, count: 30)
            expectOrdered(messages)
        }
        await nats.stop()
    }

    @Test("A new node goes on from the durable marks and repeats little")
    func takeover() async throws {
        let nats = try await PrivateNATS.temporary()
        let outbox = TestOutbox()
        try await withRelay(outbox: outbox, nats: nats) { relay, _, outbox in
            for round in Int64(0)..<10 {
                relay.committed([outbox.commit(lane: 0, run: "a", events: round + 1...round + 1)])
            }
            _ = try await stored(nats, count: 10)
            // The marks of what was acknowledged are saved at the end; what was only sent is sent again.
            try await eventually("the answers to ten") { relay.counters.published == 10 }
        }
        for round in Int64(10)..<15 { _ = outbox.commit(lane: 0, run: "a", events: round + 1...round + 1) }
        try await withRelay(outbox: outbox, nats: nats) { relay, _, outbox in
            let messages = try await stored(nats, count: 15)
            expectOrdered(messages)
            try await eventually("five more, and no others") { relay.counters.published == 5 }
        }
        await nats.stop()
    }

    @Test("Business events go out in commit order")
    func domain() async throws {
        let nats = try await PrivateNATS.temporary()
        try await withRelay(nats: nats) { _, _, outbox in
            outbox.state.withLock { state in
                for number in Int64(1)...5 {
                    state.domain.append(
                        DomainEvent(
                            id: "event-\(number)", sequence: number, namespace: "default", family: "payment",
                            type: "captured", tenant: "shop",
                            source: "pay:shop:1", subject: "1", subjectSequence: number, operationID: "op", time: .zero,
                            data: Array("{\"amount\":1}".utf8)))
                }
            }
            outbox.signal.yield()
            let messages = try await stored(nats, count: 5)
            #expect(messages.map { $0.headers["ce-id"] } == (1...5).map { "event-\($0)" })
            #expect(messages[0].subject == "aloft.default.payment.captured")
            #expect(String(decoding: messages[0].body, as: UTF8.self).contains("\"data\":{\"amount\":1}"))
        }
        await nats.stop()
    }
}

/// Dead letters in memory; the first so many tries fail.
final class KeptLetters: DeadLetterSink {
    private let state: Mutex<(failures: Int, letters: [DeadLetter])>

    init(failures: Int = 0) { self.state = Mutex((failures, [])) }

    var kept: [DeadLetter] { self.state.withLock { $0.letters } }

    func park(_ letter: DeadLetter) async throws {
        try self.state.withLock { state in
            guard state.failures == 0 else {
                state.failures -= 1
                throw StoreError.unavailable("not now")
            }
            state.letters.append(letter)
        }
    }
}
