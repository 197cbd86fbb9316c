import History
import Postgres
import Runtime
import Store
import Testing

@Suite("A lane has one writer")
struct LeaseTests {
    /// Makes every lease of a database run out, as time would.
    private func expireAll(_ fixture: Fixture) async throws {
        let connection = try await PostgresConnection.connect(fixture.configuration)
        try await connection.script("update aloft.lanes set expires_at = clock_timestamp() - interval '1 second'")
    }

    @Test("All lanes go to the first node, none to the second, and the owners are known")
    func acquire() async throws {
        let fixture = try await Fixture()
        #expect(fixture.lanes.map(\.lane) == Array(0..<Int16(TestStore.laneCount)))
        #expect(try await fixture.store.acquireLanes(node: "b", address: "b:1", limit: 99, seconds: 60).isEmpty)
        let owners = try await fixture.store.laneOwners()
        #expect(owners.count == TestStore.laneCount)
        #expect(owners[3] == "a")
    }

    @Test("A released lane is free at once, and its old epoch can write no more")
    func release() async throws {
        let fixture = try await Fixture()
        try await fixture.store.releaseLanes(node: "a")
        #expect(try await fixture.store.laneOwners().isEmpty)
        let write = start(key("order"))
        await #expect(throws: StoreError.notOwner(slots: [write.slot])) {
            try await fixture.store.commit(fixture.batch([write]))
        }
        #expect(try await fixture.store.acquireLanes(node: "b", address: "b:1", limit: 4, seconds: 60).count == 4)
    }

    @Test("An expired lease can be taken; the node that lost it cannot write, the one that has it can")
    func takeover() async throws {
        let fixture = try await Fixture()
        let key = key("order")
        try await fixture.store.commit(fixture.batch([start(key, outbox: 7)]))
        try await expireAll(fixture)
        let taken = try await fixture.store.acquireLanes(node: "b", address: "b:1", limit: 99, seconds: 60)
        #expect(taken.count == TestStore.laneCount)
        #expect(taken[0].epoch > fixture.lanes[0].epoch)
        #expect(taken[0].lastOutboxSequence == 7)
        let late = StoreTests.update(key, version: 1)
        await #expect(throws: StoreError.notOwner(slots: [late.slot])) {
            try await fixture.store.commit(fixture.batch([late]))
        }
        try await fixture.store.commit(CommitBatch(lane: 0, epoch: taken[0].epoch, writes: [late]))
        #expect(try await fixture.store.renewLanes(node: "a", seconds: 60).isEmpty)
        #expect(try await fixture.store.renewLanes(node: "b", seconds: 60).count == TestStore.laneCount)
    }

    @Test("An expired lease that nobody took can still be renewed")
    func lateRenewal() async throws {
        let fixture = try await Fixture()
        try await expireAll(fixture)
        #expect(try await fixture.store.laneOwners().isEmpty)
        let renewed = try await fixture.store.renewLanes(node: "a", seconds: 60)
        #expect(renewed.map(\.epoch) == fixture.lanes.map(\.epoch))
    }

    @Test("A commit on its way keeps its lane from being taken, but not from being renewed")
    func commitHoldsTheLane() async throws {
        let fixture = try await Fixture()
        try await expireAll(fixture)
        let pool = PostgresPool(fixture.configuration)
        defer { pool.close() }
        try await pool.withTransaction { transaction in
            try await transaction.query(
                Statement("hold", "select aloft.expect_leases('{0}', array[$1::int8])").call {
                    $0.int64(fixture.lanes[0].epoch)
                })
            let taken = try await fixture.store.acquireLanes(node: "b", address: "", limit: 99, seconds: 60)
            #expect(taken.map(\.lane) == Array(1..<Int16(TestStore.laneCount)))
            #expect(try await fixture.store.renewLanes(node: "a", seconds: 60).map(\.lane) == [0])
        }
    }

    @Test("A batch of several lanes names only those of its runs whose lane is gone")
    func severalLanes() async throws {
        let fixture = try await Fixture()
        try await fixture.store.releaseLanes(node: "a")
        let mine = try await fixture.store.acquireLanes(node: "a", address: "", limit: 2, seconds: 60)
        var (kept, lost) = (start(key("kept"), outbox: 1), start(key("lost"), outbox: 1))
        (kept.lane, lost.lane) = (mine[0].lane, mine[1].lane)
        let good = LaneEpoch(lane: mine[0].lane, epoch: mine[0].epoch)
        let stale = LaneEpoch(lane: mine[1].lane, epoch: mine[1].epoch - 1)
        await #expect(throws: StoreError.notOwner(slots: [lost.slot])) {
            try await fixture.store.commit(CommitBatch(lanes: [good, stale], writes: [kept, lost]))
        }
        let fresh = LaneEpoch(lane: mine[1].lane, epoch: mine[1].epoch)
        try await fixture.store.commit(CommitBatch(lanes: [good, fresh], writes: [kept, lost]))
        for write in [kept, lost] {
            let entries = try await fixture.store.outboxEntries(lane: write.lane, after: 0, limit: 9)
            #expect(entries.map(\.run) == [write.summary.key])
        }
    }

    @Test("A node renews only what it holds, and two nodes share the lanes without overlap")
    func sharing() async throws {
        let fixture = try await Fixture()
        try await fixture.store.releaseLanes(node: "a")
        let store = fixture.store
        let shares = try await withThrowingTaskGroup(of: [Int16].self) { group in
            for node in 0..<4 {
                group.addTask {
                    try await store.acquireLanes(node: "n\(node)", address: "", limit: 5, seconds: 60).map(\.lane)
                }
            }
            return try await group.reduce(into: [Int16]()) { $0 += $1 }
        }
        #expect(Set(shares).count == shares.count)
    }

    @Test("Another number of lanes than the database was made with is refused")
    func laneCount() async throws {
        let fixture = try await Fixture()
        await #expect(throws: StoreError.self) {
            _ = try await PostgresStore.open(PostgresStore.Configuration(fixture.configuration, laneCount: 8))
        }
    }
}
