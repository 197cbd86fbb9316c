import History
import Postgres
import Runtime
import Store
import Testing

@Suite("The outbox keeps order")
struct OutboxTests {
    private let publish = Statement(
        "publish", "select outbox.publish('default', 'pay', $1::text, $2::text, $3::jsonb, $4::text, 'wf-1')")

    private func call(_ type: String, _ subject: String, _ operation: String) -> StatementCall {
        publish.call {
            $0.text(type)
            $0.text(subject)
            $0.jsonb(#"{"n": 1}"#)
            $0.text(operation)
        }
    }

    @Test("A lane's entries come in its order, with their events, from any position")
    func entries() async throws {
        let fixture = try await Fixture()
        let first = key("a")
        let second = key("b")
        try await fixture.store.commit(fixture.batch([start(first, outbox: 1), start(second, outbox: 2)]))
        try await fixture.store.commit(
            fixture.batch([StoreTests.update(first, version: 1, events: [event(3), event(4)], outbox: 3)]))
        try await fixture.store.commit(fixture.batch([start(key("c"), outbox: 1)], lane: 1))
        let entries = try await fixture.store.outboxEntries(lane: 0, after: 0, limit: 10)
        #expect(entries.map(\.sequence) == [1, 2, 3])
        #expect(entries.map(\.run) == [first, second, first])
        #expect(entries[2].events == [event(3), event(4)])
        #expect(entries[0].workflowType == "Hello")
        #expect(try await fixture.store.outboxEntries(lane: 0, after: 1, limit: 1).map(\.sequence) == [2])
        #expect(try await fixture.store.outboxEntries(lane: 1, after: 0, limit: 9).count == 1)
        #expect(try await fixture.store.outboxEntries(lane: 0, after: 3, limit: 9).isEmpty)
        #expect(try await fixture.store.renewLanes(node: "a", seconds: 9)[0].lastOutboxSequence == 3)
    }

    @Test("An outbox number is taken once")
    func takenNumber() async throws {
        let fixture = try await Fixture()
        try await fixture.store.commit(fixture.batch([start(key("a"), outbox: 1)]))
        await #expect(throws: StoreError.self) {
            try await fixture.store.commit(fixture.batch([start(key("b"), outbox: 1)]))
        }
        #expect(try await fixture.load(key("b")) == nil)
    }

    @Test("Marks are found by lane, and by the stream's tail after it lost some")
    func marks() async throws {
        let fixture = try await Fixture()
        func mark(_ lane: Int16, _ sequence: Int64, _ stream: UInt64, created: Int64 = 77) -> RelayMark {
            RelayMark(
                lane: lane, sequence: sequence, streamSequence: stream, streamCreated: created,
                messageID: "\(lane)/\(sequence)")
        }
        #expect(try await fixture.store.latestMarks().isEmpty)
        try await fixture.store.saveMarks([mark(-1, 5, 10), mark(0, 1, 20), mark(3, 4, 30)])
        try await fixture.store.saveMarks([mark(0, 2, 40), mark(0, 3, 50), mark(3, 9, 1, created: 88)])
        try await fixture.store.saveMarks([mark(0, 3, 50)])
        #expect(try await fixture.store.latestMarks() == [mark(-1, 5, 10), mark(0, 3, 50), mark(3, 9, 1, created: 88)])
        #expect(
            try await fixture.store.marks(atOrBefore: 45, streamCreated: 77) == [
                mark(-1, 5, 10), mark(0, 2, 40), mark(3, 4, 30),
            ])
        #expect(try await fixture.store.marks(atOrBefore: 15, streamCreated: 77) == [mark(-1, 5, 10)])
        #expect(try await fixture.store.marks(atOrBefore: .max >> 1, streamCreated: 99).isEmpty)
    }

    @Test("Old marks beyond the bound are forgotten, the newest stay")
    func trimmedMarks() async throws {
        let fixture = try await Fixture()
        var configuration = PostgresStore.Configuration(fixture.configuration, laneCount: TestStore.laneCount)
        configuration.relayMarksMax = 10
        let store = try await PostgresStore.open(configuration)
        for sequence in 1...40 {
            try await store.saveMarks([
                RelayMark(
                    lane: 0, sequence: Int64(sequence), streamSequence: UInt64(sequence), streamCreated: 1,
                    messageID: "m")
            ])
        }
        #expect(try await store.latestMarks().map(\.sequence) == [40])
        #expect(try await store.marks(atOrBefore: 31, streamCreated: 1).map(\.sequence) == [31])
        #expect(try await store.marks(atOrBefore: 30, streamCreated: 1).isEmpty)
    }

    @Test("A business event appears when its transaction commits, and not when it rolls back")
    func publishing() async throws {
        struct Stop: Error {}
        let fixture = try await Fixture()
        let pool = PostgresPool(fixture.configuration)
        defer { pool.close() }
        try await pool.query(call("charged", "p-1", "op-1"))
        await #expect(throws: Stop.self) {
            try await pool.withTransaction { transaction in
                try await transaction.query(call("lost", "p-1", "op-2"))
                throw Stop()
            }
        }
        try await pool.query(call("refunded", "p-1", "op-3"))
        let events = try await fixture.store.domainEvents(after: 0, limit: 10)
        #expect(events.map(\.type) == ["charged", "refunded"])
        #expect(events.map(\.subjectSequence) == [1, 2])
        let first = try #require(events.first)
        #expect(first.family == "pay")
        #expect(first.source == "wf-1")
        #expect(first.tenant == "default")
        #expect(first.operationID == "op-1")
        #expect(String(decoding: first.data, as: UTF8.self) == #"{"n": 1}"#)
        #expect(Array(first.id.utf8)[14] == UInt8(ascii: "7"))
        #expect(try await fixture.store.domainEvents(after: first.sequence, limit: 10).map(\.type) == ["refunded"])
    }

    @Test("A transaction that stays open blocks nobody, and its events come later without being missed")
    func lateCommit() async throws {
        let fixture = try await Fixture()
        let pool = PostgresPool(fixture.configuration)
        defer { pool.close() }
        let position = try await pool.withTransaction { transaction in
            try await transaction.query(call("slow", "p-1", "op-1"))
            try await pool.query(call("quick", "p-2", "op-2"))
            let events = try await fixture.store.domainEvents(after: 0, limit: 10)
            #expect(events.map(\.type) == ["quick"])
            return events.last?.sequence ?? 0
        }
        #expect(try await fixture.store.domainEvents(after: position, limit: 10).map(\.type) == ["slow"])
    }

    @Test("Many publishers and several relays: every subject's events are gapless, in order, and placed once")
    func manyPublishers() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let pool = PostgresPool(fixture.configuration)
        defer { pool.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for publisher in 0..<8 {
                group.addTask {
                    for index in 0..<25 {
                        try await pool.query(call("t", "s-\(index % 3)", "op-\(publisher)-\(index)"))
                    }
                }
            }
            for _ in 0..<3 {
                group.addTask { for _ in 0..<20 { _ = try await store.domainEvents(after: 0, limit: 7) } }
            }
            try await group.waitForAll()
        }
        var all: [DomainEvent] = []
        while true {
            let page = try await store.domainEvents(after: all.last?.sequence ?? 0, limit: 50)
            if page.isEmpty { break }
            all += page
        }
        #expect(all.count == 200)
        #expect(Set(all.map(\.id)).count == 200)
        for subject in 0..<3 {
            let sequence = all.filter { $0.subject == "s-\(subject)" }.map(\.subjectSequence)
            #expect(sequence == Array(1...Int64(sequence.count)), "subject \(subject)")
        }
    }

    @Test("A published event rings the relay's bell")
    func signals() async throws {
        let fixture = try await Fixture()
        let pool = PostgresPool(fixture.configuration)
        defer { pool.close() }
        var signals = fixture.store.domainEventSignals().makeAsyncIterator()
        // The first one says that the bell is connected.
        #expect(await signals.next() != nil)
        try await pool.query(call("charged", "p-1", "op-1"))
        #expect(await signals.next() != nil)
        #expect(try await fixture.store.domainEvents(after: 0, limit: 10).count == 1)
    }
}
