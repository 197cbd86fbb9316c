import History
import Postgres
public import Runtime

extension PostgresStore {
    public func listRuns(_ query: VisibilityQuery) async throws(StoreError) -> [RunSummary] {
        guard let namespace = query.namespace.uuid else { return [] }
        let statement = query.workflowID == nil ? VisibilityStatements.list : VisibilityStatements.listWorkflow
        let result = try await read(
            statement.call {
                putFilter(&$0, namespace, query)
                // Open runs come first, as if they closed at the end of time.
                $0.int64(query.after.map { $0.closeTime?.nanoseconds ?? .max } ?? .max)
                $0.int64(query.after?.startTime.nanoseconds ?? .max)
                $0.uuid(query.after?.key.run.uuid ?? PostgresUUID(high: .max, low: .max))
                $0.int64(Int64(query.limit))
                if let workflow = query.workflowID {
                    $0.text(workflow.value)
                    $0.int16(Slots.slot(namespace: query.namespace, workflow: workflow))
                }
            })
        return try decode { () throws(PostgresError) in try result.map(SummaryRow.decode) }
    }

    public func countRuns(_ query: VisibilityQuery) async throws(StoreError) -> Int64 {
        guard let namespace = query.namespace.uuid else { return 0 }
        let statement = query.workflowID == nil ? VisibilityStatements.count : VisibilityStatements.countWorkflow
        let result = try await read(
            statement.call {
                putFilter(&$0, namespace, query)
                if let workflow = query.workflowID {
                    $0.text(workflow.value)
                    $0.int16(Slots.slot(namespace: query.namespace, workflow: workflow))
                }
            })
        return try decode { () throws(PostgresError) in try result[0].int64(0) }
    }

    private func putFilter(_ parameters: inout Parameters, _ namespace: PostgresUUID, _ query: VisibilityQuery) {
        parameters.uuid(namespace)
        parameters.text(query.workflowIDPrefix)
        parameters.text(query.workflowType)
        parameters.int16(query.status.map { Int16($0.rawValue) })
    }
}
