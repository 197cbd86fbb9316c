public import Engine
public import History
import Postgres
public import Runtime

extension PostgresStore {
    public func loadRun(namespace: NamespaceID, workflow: WorkflowID, run: RunID?) async throws(StoreError)
        -> StoredRun?
    {
        guard let namespaceUUID = namespace.uuid else { return nil }
        let runUUID = run?.uuid
        guard run == nil || runUUID != nil else { return nil }
        let slot = Slots.slot(namespace: namespace, workflow: workflow)
        guard let runUUID else {
            return try await currentRuns.find(.init(slot: slot, namespace: namespaceUUID, workflow: workflow.value))
                .get()
        }
        let result = try await read(
            RunStatements.load.call {
                $0.int16(slot)
                $0.uuid(namespaceUUID)
                $0.text(workflow.value)
                $0.uuid(runUUID)
            })
        return try decode { () throws(PostgresError) in try result.first.map(Self.storedRun) }
    }

    /// Many current runs in one query; nil where there is none.
    static func lookUp(_ keys: [CurrentRunLookups.Key], in pool: PostgresPool) async -> Result<[StoredRun?], StoreError>
    {
        do throws(StoreError) {
            let result = try await read(
                RunStatements.loadCurrent.call {
                    $0.column(of: .int2, keys) { $0.int16($1.slot) }
                    $0.column(of: .uuid, keys) { $0.uuid($1.namespace) }
                    $0.column(of: .text, keys) { $0.text($1.workflow) }
                }, from: pool)
            return .success(
                try decode { () throws(PostgresError) in
                    var runs = [StoredRun?](repeating: nil, count: keys.count)
                    for index in 0..<result.count {
                        let row = result[index]
                        runs[Int(try row.int64(SummaryRow.width + 4)) - 1] = try storedRun(row)
                    }
                    return runs
                })
        } catch {
            return .failure(error)
        }
    }

    private static func storedRun(_ row: Row) throws(PostgresError) -> StoredRun {
        let last = SummaryRow.width
        return StoredRun(
            summary: try SummaryRow.decode(row), version: try row.int64(last), isCurrent: try row.bool(last + 1),
            snapshot: try row.bytea(last + 2), lastHash: try row.bytea(last + 3))
    }

    public func readEvents(
        _ run: RunKey, from first: EventID, through last: EventID, limit: Int, newestFirst: Bool
    ) async throws(StoreError) -> [StoredEvent] {
        guard let runUUID = run.run.uuid else { return [] }
        let statement = newestFirst ? RunStatements.readEventsNewestFirst : RunStatements.readEvents
        let result = try await read(
            statement.call {
                $0.int16(Slots.slot(namespace: run.namespace, workflow: run.workflow))
                $0.uuid(runUUID)
                $0.int64(first.value)
                $0.int64(last.value)
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in try Self.event(row, from: 0) }
        }
    }

    /// Decodes id, type, time, actor, body and hash.
    static func event(_ row: Row, from column: Int) throws(PostgresError) -> StoredEvent {
        StoredEvent(
            id: EventID(try row.int64(column)), type: Int32(try row.int16(column + 1)),
            time: Timestamp(nanoseconds: try row.int64(column + 2)), actor: try row.text(column + 3),
            body: try row.bytea(column + 4), hash: try row.bytea(column + 5))
    }

    public func readAttempts(_ run: RunKey, limit: Int) async throws(StoreError) -> [ActivityAttempt] {
        guard let runUUID = run.run.uuid else { return [] }
        let result = try await read(
            RunStatements.readAttempts.call {
                $0.int16(Slots.slot(namespace: run.namespace, workflow: run.workflow))
                $0.uuid(runUUID)
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in try result.map(Self.attempt) }
    }

    private static func attempt(_ row: Row) throws(PostgresError) -> ActivityAttempt {
        let outcomeNumber = try row.int16(7)
        guard let outcome = ActivityAttempt.Outcome(rawValue: UInt8(truncatingIfNeeded: outcomeNumber)) else {
            throw PostgresError(.unexpectedAnswer, reason: "unknown outcome \(outcomeNumber)")
        }
        let failure: Failure?
        if let bytes = try row.byteaOrNil(8) {
            guard let decoded = FailureCodec.decode(bytes) else {
                throw PostgresError(.unexpectedAnswer, reason: "an attempt's failure cannot be read")
            }
            failure = decoded
        } else {
            failure = nil
        }
        return ActivityAttempt(
            scheduledEventID: EventID(try row.int64(0)), activityID: ActivityID(try row.text(1)),
            attempt: try row.int32(2),
            scheduledAt: Timestamp(nanoseconds: try row.int64(3)),
            startedAt: try row.int64OrNil(4).map { Timestamp(nanoseconds: $0) },
            endedAt: Timestamp(nanoseconds: try row.int64(5)), identity: try row.text(6), outcome: outcome,
            failure: failure,
            retryAt: try row.int64OrNil(9).map { Timestamp(nanoseconds: $0) })
    }

    public func runsToWake(
        slots: ClosedRange<Int16>, until: Timestamp, after cursor: WakeEntry?, limit: Int
    ) async throws(StoreError) -> [WakeEntry] {
        let result = try await read(
            RunStatements.toWake.call {
                $0.int16(slots.lowerBound)
                $0.int16(slots.upperBound)
                $0.int64(until.nanoseconds)
                $0.int64(cursor?.wakeAt.nanoseconds ?? .min)
                $0.int16(cursor?.slot ?? .min)
                $0.uuid(cursor?.key.run.uuid ?? PostgresUUID(high: 0, low: 0))
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                WakeEntry(
                    key: RunKey(
                        namespace: NamespaceID(try row.uuid(0)), workflow: WorkflowID(try row.text(1)),
                        run: RunID(try row.uuid(2))),
                    slot: try row.int16(3), wakeAt: Timestamp(nanoseconds: try row.int64(4)))
            }
        }
    }
}
