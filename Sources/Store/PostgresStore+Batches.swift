public import Engine
public import History
import Postgres
public import Runtime

extension PostgresStore: BatchStore {
    public func commitBatch(_ write: BatchWrite) async throws(StoreError) {
        let namespace = try requireUUID(write.key.namespace.uuid, "namespace id")
        let operation = write.operation
        func putKey(_ parameters: inout Parameters) {
            parameters.int16(write.key.slot)
            parameters.uuid(namespace)
            parameters.text(write.key.id.value)
        }
        var calls = [
            RunStatements.expectLeases.call {
                $0.int16s([write.lane.lane])
                $0.int64s([write.lane.epoch])
            },
            (write.expectedVersion == nil ? BatchStatements.insert : BatchStatements.update).call {
                putKey(&$0)
                $0.int64(write.expectedVersion ?? operation.startTime.nanoseconds)
                $0.int64(operation.closeTime?.nanoseconds)
                $0.int16(Int16(operation.state.rawValue))
                $0.bytea(operation.snapshot())
            },
        ]
        if !write.newTargets.isEmpty {
            calls.append(
                BatchStatements.addTargets.call {
                    putKey(&$0)
                    $0.column(of: .int8, write.newTargets) { $0.int64($1.ordinal) }
                    $0.column(of: .text, write.newTargets) { $0.text($1.workflow.value) }
                    $0.column(of: .uuid, write.newTargets) { $0.uuid($1.run?.uuid) }
                })
        }
        if !operation.isOpen { calls.append(BatchStatements.removeTargets.call { putKey(&$0) }) }
        do throws(PostgresError) {
            _ = try await writers.pipeline(calls)
        } catch {
            switch error.sqlState {
            case GuardState.leaseLost: throw .notOwner(slots: [write.key.slot])
            case GuardState.versionChanged: throw .conflict([])
            case _ where error.isUniqueViolation: throw .alreadyExists([])
            default: throw StoreError(error)
            }
        }
    }

    public func loadBatch(_ key: BatchKey) async throws(StoreError) -> StoredBatch? {
        guard let namespace = key.namespace.uuid else { return nil }
        let result = try await read(
            BatchStatements.load.call {
                $0.int16(key.slot)
                $0.uuid(namespace)
                $0.text(key.id.value)
            })
        return try batches(result).first
    }

    public func openBatches(slots: ClosedRange<Int16>) async throws(StoreError) -> [StoredBatch] {
        try batches(
            try await read(
                BatchStatements.open.call {
                    $0.int16(slots.lowerBound)
                    $0.int16(slots.upperBound)
                }))
    }

    public func listBatches(
        namespace: NamespaceID, after: BatchListPosition?, limit: Int
    ) async throws(StoreError) -> [StoredBatch] {
        guard let namespace = namespace.uuid else { return [] }
        let call =
            if let after {
                BatchStatements.list.call {
                    $0.uuid(namespace)
                    $0.int64(after.startTime.nanoseconds)
                    $0.text(after.id.value)
                    $0.int64(Int64(limit))
                }
            } else {
                BatchStatements.listFirst.call {
                    $0.uuid(namespace)
                    $0.int64(Int64(limit))
                }
            }
        return try batches(try await read(call))
    }

    private func batches(_ result: ResultSet) throws(StoreError) -> [StoredBatch] {
        try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                StoredBatch(
                    key: BatchKey(namespace: NamespaceID(try row.uuid(0)), id: BatchJobID(try row.text(1))),
                    version: try row.int64(2), snapshot: try row.bytea(3))
            }
        }
    }

    public func batchTargets(
        _ key: BatchKey, after ordinal: Int64, limit: Int
    ) async throws(StoreError) -> [BatchTarget] {
        guard let namespace = key.namespace.uuid else { return [] }
        let result = try await read(
            BatchStatements.targets.call {
                $0.int16(key.slot)
                $0.uuid(namespace)
                $0.text(key.id.value)
                $0.int64(ordinal)
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                BatchTarget(
                    ordinal: try row.int64(0), workflow: WorkflowID(try row.text(1)),
                    run: try row.uuidOrNil(2).map { RunID($0) })
            }
        }
    }

    public func countBatchTargets(_ key: BatchKey) async throws(StoreError) -> Int64 {
        guard let namespace = key.namespace.uuid else { return 0 }
        let result = try await read(
            BatchStatements.countTargets.call {
                $0.int16(key.slot)
                $0.uuid(namespace)
                $0.text(key.id.value)
            })
        return try decode { () throws(PostgresError) in try result[0].int64(0) }
    }
}
