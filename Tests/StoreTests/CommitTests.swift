import History
import Postgres
import Runtime
import Store
import Testing

@Suite("A commit is whole or not at all")
struct CommitTests {
    @Test("What was committed is loaded again, the current run by its workflow id alone")
    func roundTrip() async throws {
        let fixture = try await Fixture()
        let key = key("order-1")
        try await fixture.store.commit(fixture.batch([start(key)]))
        let loaded = try #require(try await fixture.load(key))
        #expect(loaded.summary == summary(key))
        #expect(loaded.version == 1)
        #expect(loaded.isCurrent)
        #expect(loaded.snapshot == [9, 9])
        #expect(loaded.lastHash == event(2).hash)
        let current = try await fixture.store.loadRun(namespace: key.namespace, workflow: key.workflow, run: nil)
        #expect(current?.summary.key == key)
        #expect(try await fixture.store.loadRun(namespace: key.namespace, workflow: "other", run: key.run) == nil)
        #expect(try await fixture.store.loadRun(namespace: key.namespace, workflow: "other", run: nil) == nil)
        #expect(
            try await fixture.store.loadRun(namespace: key.namespace, workflow: key.workflow, run: "not-a-uuid") == nil)
    }

    @Test("An update moves the version by one and replaces what a transition may change")
    func update() async throws {
        let fixture = try await Fixture()
        let key = key("order-1")
        try await fixture.store.commit(fixture.batch([start(key)]))
        try await fixture.store.commit(
            fixture.batch([StoreTests.update(key, version: 1, status: .completed, wakeAt: nil, events: [event(3)])]))
        let loaded = try #require(try await fixture.load(key))
        #expect(loaded.version == 2)
        var expected = summary(key, status: .completed, length: 3)
        expected.transitionCount = 2
        #expect(loaded.summary == expected)
        #expect(loaded.snapshot == [7, 1])
        #expect(loaded.lastHash == event(3).hash)
    }

    @Test("Memo and search attributes change with the events that change them")
    func attributes() async throws {
        let fixture = try await Fixture()
        let key = key("order-1")
        try await fixture.store.commit(fixture.batch([start(key)]))
        var write = StoreTests.update(key, version: 1, events: [event(3, type: 40)])
        write.summary.searchAttributes = Blob([4, 5])
        write.summary.memo = nil
        try await fixture.store.commit(fixture.batch([write]))
        let loaded = try #require(try await fixture.load(key))
        #expect(loaded.summary.searchAttributes == Blob([4, 5]))
        #expect(loaded.summary.memo == nil)
    }

    @Test("An outbox that is further than the batch says is told as that, and a renewed lease says how far it is")
    func outOfStep() async throws {
        let fixture = try await Fixture()
        try await fixture.store.commit(fixture.batch([start(key("believed-lost"), outbox: 1)]))
        let next = key("next")
        await #expect(throws: StoreError.outOfStep(lanes: [0])) {
            try await fixture.store.commit(fixture.batch([start(next, outbox: 1)]))
        }
        #expect(try await fixture.load(next) == nil)
        let lease = try #require(try await fixture.store.renewLanes(node: "a", seconds: 60).first { $0.lane == 0 })
        #expect(lease.lastOutboxSequence == 1)
        try await fixture.store.commit(fixture.batch([start(next, outbox: 2)]))
    }

    @Test("A stale version is a conflict that names the run, and nothing of its batch is stored")
    func conflict() async throws {
        let fixture = try await Fixture()
        let good = key("good")
        let stale = key("stale")
        let new = key("new")
        try await fixture.store.commit(fixture.batch([start(good), start(stale)]))
        try await fixture.store.commit(fixture.batch([StoreTests.update(stale, version: 1, events: [event(3)])]))
        await #expect(throws: StoreError.conflict([stale])) {
            try await fixture.store.commit(
                fixture.batch([
                    StoreTests.update(good, version: 1, events: [event(3)]),
                    StoreTests.update(stale, version: 1, events: [event(3)]),
                    start(new),
                ]))
        }
        #expect(try await fixture.load(good)?.version == 1)
        #expect(try await fixture.load(stale)?.version == 2)
        #expect(try await fixture.load(new) == nil)
        let events = try await fixture.store.readEvents(
            good, from: .first, through: EventID(99), limit: 10, newestFirst: false)
        #expect(events.count == 2)
    }

    @Test("A workflow id has one current run; the next one must name it")
    func currentRun() async throws {
        let fixture = try await Fixture()
        let first = key("order", 1)
        let second = key("order", 2)
        let third = key("order", 3)
        let other = key("other")
        try await fixture.store.commit(fixture.batch([start(first)]))
        await #expect(throws: StoreError.alreadyExists([second])) {
            try await fixture.store.commit(fixture.batch([start(other), start(second)]))
        }
        #expect(try await fixture.load(other) == nil)
        await #expect(throws: StoreError.alreadyExists([first])) {
            try await fixture.store.commit(fixture.batch([start(first)]))
        }
        try await fixture.store.commit(fixture.batch([start(second, supersedes: first.run)]))
        #expect(try await fixture.load(first)?.isCurrent == false)
        #expect(try await fixture.load(second)?.isCurrent == true)
        await #expect(throws: StoreError.alreadyExists([third])) {
            try await fixture.store.commit(fixture.batch([start(third, supersedes: first.run)]))
        }
    }

    @Test("A run that continues as new closes and hands over in one commit")
    func continueAsNew() async throws {
        let fixture = try await Fixture()
        let first = key("order", 1)
        let second = key("order", 2)
        try await fixture.store.commit(fixture.batch([start(first)]))
        try await fixture.store.commit(
            fixture.batch([
                StoreTests.update(first, version: 1, status: .continuedAsNew, wakeAt: nil, events: [event(3)]),
                start(second, supersedes: first.run),
            ]))
        #expect(try await fixture.load(first)?.summary.status == .continuedAsNew)
        #expect(try await fixture.load(first)?.isCurrent == false)
        #expect(try await fixture.load(second)?.isCurrent == true)
    }

    @Test("Events are read forwards, backwards, in parts and in pages")
    func events() async throws {
        let fixture = try await Fixture()
        let key = key("order")
        try await fixture.store.commit(fixture.batch([start(key)]))
        try await fixture.store.commit(
            fixture.batch([StoreTests.update(key, version: 1, events: (3...50).map { event($0) })]))
        func read(_ first: Int64, _ last: Int64, _ limit: Int, newest: Bool = false) async throws -> [Int64] {
            try await fixture.store.readEvents(
                key, from: EventID(first), through: EventID(last), limit: limit, newestFirst: newest
            )
            .map(\.id.value)
        }
        #expect(try await read(1, .max, 100) == Array(1...50))
        #expect(try await read(10, 20, 5) == Array(10...14))
        #expect(try await read(1, .max, 3, newest: true) == [50, 49, 48])
        #expect(try await read(51, .max, 3).isEmpty)
        let stored = try await fixture.store.readEvents(
            key, from: EventID(7), through: EventID(7), limit: 1, newestFirst: false)
        #expect(stored == [event(7)])
    }

    @Test("History refuses update, delete and truncate, and its numbers cannot be taken twice")
    func appendOnly() async throws {
        let fixture = try await Fixture()
        let key = key("order")
        try await fixture.store.commit(fixture.batch([start(key)]))
        let connection = try await PostgresConnection.connect(fixture.configuration)
        for sql in [
            "update aloft.events set actor = 'x'", "delete from aloft.events", "truncate aloft.events",
            "update aloft.activity_attempts set identity = 'x'",
        ] {
            let error = await #expect(throws: PostgresError.self, "\(sql)") { try await connection.script(sql) }
            #expect(error?.sqlState == "AL009", "\(sql)")
        }
        let error = await #expect(throws: StoreError.self) {
            try await fixture.store.commit(fixture.batch([StoreTests.update(key, version: 1, events: [event(2)])]))
        }
        guard case .corrupt = error else {
            Issue.record("expected corruption, got \(String(describing: error))")
            return
        }
        #expect(try await fixture.load(key)?.version == 1)
    }

    @Test("Two writers on one run: each version is written once, and the loser is told")
    func twoWriters() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let key = key("order")
        try await store.commit(fixture.batch([start(key)]))
        let wins = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var wins = 0
                    for _ in 0..<25 {
                        guard let loaded = try await fixture.load(key) else { continue }
                        do throws(StoreError) {
                            try await store.commit(fixture.batch([StoreTests.update(key, version: loaded.version)]))
                            wins += 1
                        } catch {
                            #expect(error == .conflict([key]))
                        }
                    }
                    return wins
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wins > 0)
        #expect(try await fixture.load(key)?.version == Int64(1 + wins))
    }

    @Test("An id that is not a UUID is our fault, and nothing is sent")
    func badID() async throws {
        let fixture = try await Fixture()
        let bad = RunKey(namespace: Fixture.namespace, workflow: "order", run: "run-1")
        let error = await #expect(throws: StoreError.self) {
            try await fixture.store.commit(fixture.batch([start(bad)]))
        }
        #expect(error == .corrupt("run id is not a UUID"))
    }

    @Test("A batch of two thousand runs with large bodies goes in whole")
    func largeBatch() async throws {
        let fixture = try await Fixture()
        var writes: [RunWrite] = []
        for index in 0..<2_000 {
            var write = start(key("bulk-\(index)"))
            write.events[0].body = [UInt8](
                repeating: UInt8(truncatingIfNeeded: index), count: index % 7 == 0 ? 20_000 : 200)
            writes.append(write)
        }
        try await fixture.store.commit(fixture.batch(writes))
        #expect(try await fixture.store.countRuns(VisibilityQuery(namespace: Fixture.namespace, limit: 1)) == 2_000)
        let events = try await fixture.store.readEvents(
            key("bulk-700"), from: .first, through: .first, limit: 1, newestFirst: false)
        #expect(events.first?.body == writes[700].events[0].body)
    }
}
