public import Engine
public import History
import Postgres
public import Runtime

extension PostgresStore: ScheduleStore {
    public func commitSchedules(_ batch: ScheduleBatch) async throws(StoreError) {
        guard !batch.writes.isEmpty else { return }
        var rows: [(write: ScheduleWrite, namespace: PostgresUUID)] = []
        for write in batch.writes {
            rows.append((write, try requireUUID(write.key.namespace.uuid, "namespace id")))
        }
        let calls = Self.calls(batch.lanes, rows)
        do throws(PostgresError) {
            _ = try await writers.pipeline(calls)
        } catch {
            switch error.sqlState {
            case GuardState.leaseLost: throw .notOwner(slots: batch.writes.map(\.slot))
            case GuardState.versionChanged: throw .conflict([])
            case _ where error.isUniqueViolation: throw .alreadyExists([])
            default: throw StoreError(error)
            }
        }
    }

    private static func calls(
        _ lanes: [LaneEpoch], _ rows: [(write: ScheduleWrite, namespace: PostgresUUID)]
    ) -> [StatementCall] {
        let inserts = rows.filter { $0.write.expectedVersion == nil && $0.write.snapshot != nil }
        let updates = rows.filter { $0.write.expectedVersion != nil && $0.write.snapshot != nil }
        let deletes = rows.filter { $0.write.expectedVersion != nil && $0.write.snapshot == nil }
        var calls = [
            RunStatements.expectLeases.call {
                $0.column(of: .int2, lanes) { $0.int16($1.lane) }
                $0.column(of: .int8, lanes) { $0.int64($1.epoch) }
            }
        ]
        func putKeys(_ parameters: inout Parameters, _ rows: [(write: ScheduleWrite, namespace: PostgresUUID)]) {
            parameters.column(of: .int2, rows) { $0.int16($1.write.slot) }
            parameters.column(of: .uuid, rows) { $0.uuid($1.namespace) }
            parameters.column(of: .text, rows) { $0.text($1.write.key.id.value) }
        }
        func putState(_ parameters: inout Parameters, _ rows: [(write: ScheduleWrite, namespace: PostgresUUID)]) {
            parameters.column(of: .bool, rows) { $0.bool($1.write.isPaused) }
            parameters.column(of: .int8, rows) { $0.int64($1.write.wakeAt?.nanoseconds) }
            parameters.column(of: .bytea, rows) { $0.bytea($1.write.snapshot) }
        }
        if !inserts.isEmpty {
            calls.append(
                ScheduleStatements.insert.call {
                    putKeys(&$0, inserts)
                    $0.column(of: .int8, inserts) { $0.int64($1.write.createTime.nanoseconds) }
                    putState(&$0, inserts)
                })
        }
        if !updates.isEmpty {
            calls.append(
                ScheduleStatements.update.call {
                    putKeys(&$0, updates)
                    $0.column(of: .int8, updates) { $0.int64($1.write.expectedVersion) }
                    putState(&$0, updates)
                    $0.int64(Int64(updates.count))
                })
        }
        if !deletes.isEmpty {
            calls.append(
                ScheduleStatements.delete.call {
                    putKeys(&$0, deletes)
                    $0.column(of: .int8, deletes) { $0.int64($1.write.expectedVersion) }
                    $0.int64(Int64(deletes.count))
                })
        }
        return calls
    }

    public func loadSchedule(_ key: ScheduleKey) async throws(StoreError) -> StoredSchedule? {
        guard let namespace = key.namespace.uuid else { return nil }
        let result = try await read(
            ScheduleStatements.load.call {
                $0.int16(key.slot)
                $0.uuid(namespace)
                $0.text(key.id.value)
            })
        return try decode { () throws(PostgresError) in try result.first.map(Self.storedSchedule) }
    }

    private static func storedSchedule(_ row: Row) throws(PostgresError) -> StoredSchedule {
        StoredSchedule(
            key: ScheduleKey(namespace: NamespaceID(try row.uuid(0)), id: ScheduleID(try row.text(1))),
            version: try row.int64(2), snapshot: try row.bytea(3))
    }

    public func schedulesToWake(
        slots: ClosedRange<Int16>, until: Timestamp, after cursor: ScheduleWakeEntry?, limit: Int
    ) async throws(StoreError) -> [ScheduleWakeEntry] {
        let result = try await read(
            ScheduleStatements.toWake.call {
                $0.int16(slots.lowerBound)
                $0.int16(slots.upperBound)
                $0.int64(until.nanoseconds)
                $0.int64(cursor?.wakeAt.nanoseconds ?? .min)
                $0.int16(cursor?.slot ?? .min)
                $0.uuid(cursor?.key.namespace.uuid ?? PostgresUUID(high: 0, low: 0))
                $0.text(cursor?.key.id.value ?? "")
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                ScheduleWakeEntry(
                    key: ScheduleKey(namespace: NamespaceID(try row.uuid(0)), id: ScheduleID(try row.text(1))),
                    slot: try row.int16(2), wakeAt: Timestamp(nanoseconds: try row.int64(3)))
            }
        }
    }

    public func listSchedules(
        namespace: NamespaceID, after: ScheduleID?, limit: Int
    ) async throws(StoreError) -> [StoredSchedule] {
        guard let namespace = namespace.uuid else { return [] }
        let result = try await read(
            ScheduleStatements.list.call {
                $0.uuid(namespace)
                $0.text(after?.value ?? "")
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in try Self.storedSchedule(row) }
        }
    }

    public func countSchedules(namespace: NamespaceID) async throws(StoreError) -> Int64 {
        guard let namespace = namespace.uuid else { return 0 }
        let result = try await read(ScheduleStatements.count.call { $0.uuid(namespace) })
        return try decode { () throws(PostgresError) in try result[0].int64(0) }
    }
}
