public import History
import Postgres
public import Runtime

extension PostgresStore {
    public func runs(
        of namespace: NamespaceID, slots: ClosedRange<Int16>, closedBefore moment: Timestamp?, limit: Int
    ) async throws(StoreError) -> [RunKey] {
        guard let uuid = namespace.uuid else { return [] }
        let result = try await read(
            RetentionStatements.closed.call {
                $0.uuid(uuid)
                $0.int16(slots.lowerBound)
                $0.int16(slots.upperBound)
                // Open runs count as closed at the end of time.
                $0.int64(moment.map { min($0.nanoseconds, .max - 1) } ?? .max)
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                RunKey(
                    namespace: NamespaceID(try row.uuid(0)), workflow: WorkflowID(try row.text(1)),
                    run: RunID(try row.uuid(2)))
            }
        }
    }

    public func forgetRuns(_ runs: [RunKey]) async throws(StoreError) -> Int {
        try await forget(runs, RetentionStatements.forget)
    }

    public func removeDeletedRun(_ run: RunKey) async throws(StoreError) {
        _ = try await forget([run], RetentionStatements.forgetAwake)
    }

    private func forget(_ runs: [RunKey], _ statement: Statement) async throws(StoreError) -> Int {
        var rows: [(slot: Int16, run: PostgresUUID)] = []
        for key in runs {
            rows.append(
                (
                    Slots.slot(namespace: key.namespace, workflow: key.workflow),
                    try requireUUID(key.run.uuid, "run id")
                ))
        }
        let results = try await run([
            statement.call {
                $0.column(of: .int2, rows) { $0.int16($1.slot) }
                $0.column(of: .uuid, rows) { $0.uuid($1.run) }
            }
        ])
        return try decode { () throws(PostgresError) in Int(try results[0][0].int64(0)) }
    }
}
