import Engine
import History
import Postgres
import Runtime
import Store
import Testing

@Suite("Schedules and batch operations are stored under leases")
struct ScheduleStoreTests {
    private func lane(of slot: Int16) -> Int16 { Slots.lane(of: slot, laneCount: TestStore.laneCount) }

    private func write(
        _ id: ScheduleID, version: Int64?, snapshot: [UInt8]? = [1], wakeAt: Int64? = 5
    ) -> ScheduleWrite {
        let key = ScheduleKey(namespace: Fixture.namespace, id: id)
        return ScheduleWrite(
            key: key, slot: key.slot, expectedVersion: version, snapshot: snapshot, createTime: .zero, isPaused: false,
            wakeAt: wakeAt.map { Timestamp(nanoseconds: $0) })
    }

    private func commit(_ fixture: Fixture, _ writes: ScheduleWrite..., epochStep: Int64 = 0) async throws {
        let numbers = Set(writes.map { lane(of: $0.slot) }).sorted()
        let lanes = numbers.map { LaneEpoch(lane: $0, epoch: fixture.lanes[Int($0)].epoch + epochStep) }
        try await fixture.store.commitSchedules(ScheduleBatch(lanes: lanes, writes: writes))
    }

    @Test("A schedule is made, changed, found when it is due, listed and deleted")
    func life() async throws {
        let fixture = try await Fixture()
        try await commit(fixture, write("b", version: nil), write("a", version: nil, wakeAt: nil))
        try await commit(fixture, write("b", version: 1, snapshot: [2, 3], wakeAt: 7))
        let key = ScheduleKey(namespace: Fixture.namespace, id: "b")
        let loaded = try #require(try await fixture.store.loadSchedule(key))
        #expect(loaded.version == 2)
        #expect(loaded.snapshot == [2, 3])
        let all: ClosedRange<Int16> = 0...(Slots.count - 1)
        #expect(
            try await fixture.store.schedulesToWake(slots: all, until: .zero, after: nil, limit: 9).isEmpty)
        let due = try await fixture.store.schedulesToWake(
            slots: all, until: Timestamp(nanoseconds: 7), after: nil, limit: 9)
        #expect(due.map(\.key) == [key])
        #expect(
            try await fixture.store.schedulesToWake(slots: all, until: .distantFuture, after: due[0], limit: 9).isEmpty)
        let listed = try await fixture.store.listSchedules(namespace: Fixture.namespace, after: nil, limit: 9)
        #expect(listed.map(\.key.id) == ["a", "b"])
        #expect(
            try await fixture.store.listSchedules(namespace: Fixture.namespace, after: "a", limit: 9).map(\.key.id)
                == ["b"])
        try await commit(fixture, write("b", version: 2, snapshot: nil))
        #expect(try await fixture.store.loadSchedule(key) == nil)
        #expect(try await fixture.store.countSchedules(namespace: Fixture.namespace) == 1)
    }

    @Test("An old version, a lost lease and a taken name are refused, and nothing of the batch happens")
    func refused() async throws {
        let fixture = try await Fixture()
        try await commit(fixture, write("a", version: nil))
        await #expect(throws: StoreError.conflict([])) {
            try await commit(fixture, write("b", version: nil), write("a", version: 7))
        }
        await #expect(throws: StoreError.alreadyExists([])) { try await commit(fixture, write("a", version: nil)) }
        await #expect(throws: StoreError.conflict([])) {
            try await commit(fixture, write("a", version: 9, snapshot: nil))
        }
        let late = write("a", version: 1)
        await #expect(throws: StoreError.notOwner(slots: [late.slot])) {
            try await commit(fixture, late, epochStep: 1)
        }
        #expect(try await fixture.store.countSchedules(namespace: Fixture.namespace) == 1)
    }

    private func operation(_ id: BatchJobID, at nanoseconds: Int64 = 1, named: Int = 2) -> BatchOperation {
        BatchOperation(
            namespace: Fixture.namespace, id: id, action: .cancel(identity: "me"), reason: "why", query: "",
            operationsPerSecond: 50, named: named, at: Timestamp(nanoseconds: nanoseconds))
    }

    private func commit(
        _ fixture: Fixture, _ operation: BatchOperation, version: Int64?, targets: [BatchTarget] = []
    ) async throws {
        let key = BatchKey(namespace: operation.namespace, id: operation.id)
        let number = lane(of: key.slot)
        try await fixture.store.commitBatch(
            BatchWrite(
                lane: LaneEpoch(lane: number, epoch: fixture.lanes[Int(number)].epoch), key: key,
                expectedVersion: version, operation: operation, newTargets: targets))
    }

    @Test("A batch operation keeps its targets once each until it ends; one is open at a time")
    func batches() async throws {
        let fixture = try await Fixture()
        var first = operation("one")
        let key = BatchKey(namespace: Fixture.namespace, id: "one")
        let run = StoreTests.key("w").run
        let targets = [
            BatchTarget(ordinal: 1, workflow: "w", run: run), BatchTarget(ordinal: 2, workflow: "w", run: run),
            BatchTarget(ordinal: 3, workflow: "x", run: nil),
        ]
        try await commit(fixture, first, version: nil, targets: targets)
        #expect(try await fixture.store.countBatchTargets(key) == 2)
        #expect(try await fixture.store.batchTargets(key, after: 1, limit: 9) == [targets[2]])
        let open = try await fixture.store.openBatches(slots: 0...(Slots.count - 1))
        #expect(open.map(\.key) == [key])
        #expect(try BatchOperation(snapshot: open[0].snapshot) == first)
        await #expect(throws: StoreError.alreadyExists([])) {
            try await commit(fixture, operation("two", at: 2), version: nil)
        }
        first.done(through: 3, succeeded: 1, failed: 1)
        first.finish(at: Timestamp(nanoseconds: 9))
        try await commit(fixture, first, version: 1)
        #expect(try await fixture.store.countBatchTargets(key) == 0)
        #expect(try await fixture.store.openBatches(slots: 0...(Slots.count - 1)).isEmpty)
        try await commit(fixture, operation("two", at: 2), version: nil)
        let listed = try await fixture.store.listBatches(namespace: Fixture.namespace, after: nil, limit: 1)
        #expect(listed.map(\.key.id) == ["two"])
        let position = BatchListPosition(startTime: Timestamp(nanoseconds: 2), id: "two")
        let rest = try await fixture.store.listBatches(namespace: Fixture.namespace, after: position, limit: 9)
        #expect(rest.map(\.key.id) == ["one"])
    }
}
