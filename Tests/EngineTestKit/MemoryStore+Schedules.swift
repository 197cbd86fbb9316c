public import Engine
public import History
public import Runtime
import Synchronization

extension MemoryStore {
    struct ScheduleRow {
        var write: ScheduleWrite
        var version: Int64
    }

    /// Asked before every commit of schedules.
    public func setScheduleFault(_ fault: (@Sendable (_ batch: ScheduleBatch) -> MemoryFault?)?) {
        state.withLock { $0.scheduleFault = fault }
    }
}

extension MemoryStore: ScheduleStore {
    public func commitSchedules(_ batch: ScheduleBatch) async throws(StoreError) {
        let fault = state.withLock { $0.isDown ? .unavailable : $0.scheduleFault?(batch) }
        switch fault {
        case .unavailable: throw .unavailable("injected")
        case .requestLost: throw .outcomeUnknown("injected, did not happen")
        case .conflict: throw .conflict([])
        case .slow(let turns):
            for _ in 0..<turns { await Task.yield() }
            try store(batch)
        case .answerLost:
            try store(batch)
            throw .outcomeUnknown("injected, happened")
        case nil: try store(batch)
        }
    }

    private func store(_ batch: ScheduleBatch) throws(StoreError) {
        let now = clock.now()
        try state.withLock { state throws(StoreError) in
            for named in batch.lanes {
                guard let lane = state.lanes[named.lane], lane.owner != nil, lane.epoch == named.epoch,
                    now < lane.expiresAt
                else { throw .notOwner(slots: batch.writes.map(\.slot)) }
            }
            for write in batch.writes {
                let row = state.schedules[write.key]
                if write.expectedVersion == nil, row != nil { throw .alreadyExists([]) }
                if let expected = write.expectedVersion, row?.version != expected { throw .conflict([]) }
            }
            for write in batch.writes {
                let version = (write.expectedVersion ?? 0) + 1
                state.schedules[write.key] = write.snapshot == nil ? nil : ScheduleRow(write: write, version: version)
            }
        }
    }

    public func loadSchedule(_ key: ScheduleKey) async throws(StoreError) -> StoredSchedule? {
        try reading { state throws(StoreError) in state.schedules[key].map(Self.stored) }
    }

    private static func stored(_ row: ScheduleRow) -> StoredSchedule {
        StoredSchedule(key: row.write.key, version: row.version, snapshot: row.write.snapshot ?? [])
    }

    public func schedulesToWake(
        slots: ClosedRange<Int16>, until: Timestamp, after cursor: ScheduleWakeEntry?, limit: Int
    ) async throws(StoreError) -> [ScheduleWakeEntry] {
        func place(_ entry: ScheduleWakeEntry) -> (Int64, Int16, String, String) {
            (entry.wakeAt.nanoseconds, entry.slot, entry.key.namespace.value, entry.key.id.value)
        }
        return try reading { state throws(StoreError) in
            let all = state.schedules.values.compactMap { row -> ScheduleWakeEntry? in
                guard let wakeAt = row.write.wakeAt, wakeAt <= until, slots.contains(row.write.slot) else { return nil }
                return ScheduleWakeEntry(key: row.write.key, slot: row.write.slot, wakeAt: wakeAt)
            }
            let sorted = all.sorted { place($0) < place($1) }
            guard let cursor else { return Array(sorted.prefix(limit)) }
            return Array(sorted.filter { place(cursor) < place($0) }.prefix(limit))
        }
    }

    public func listSchedules(
        namespace: NamespaceID, after: ScheduleID?, limit: Int
    ) async throws(StoreError) -> [StoredSchedule] {
        try reading { state throws(StoreError) in
            let found = state.schedules.values.filter { row in
                row.write.key.namespace == namespace && (after.map { $0 < row.write.key.id } ?? true)
            }
            return found.sorted { $0.write.key.id < $1.write.key.id }.prefix(limit).map(Self.stored)
        }
    }

    public func countSchedules(namespace: NamespaceID) async throws(StoreError) -> Int64 {
        try reading { state throws(StoreError) in
            Int64(state.schedules.keys.filter { $0.namespace == namespace }.count)
        }
    }
}
