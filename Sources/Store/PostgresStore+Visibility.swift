import History
import Postgres
public import Runtime

extension PostgresStore {
    public func listRuns(_ query: VisibilityQuery) async throws(StoreError) -> [RunSummary] {
        guard let namespace = query.namespace.uuid else { return [] }
        let ofOne = query.workflowID != nil
        var statement = ofOne ? VisibilityStatements.listWorkflow : VisibilityStatements.list
        let filter = filterSQL(query, after: VisibilityStatements.listParameterCount)
        if let filter { statement = VisibilityStatements.list(ofOneWorkflow: ofOne, where: filter.condition) }
        let result = try await read(
            statement.call {
                putCommon(&$0, namespace, query)
                // Open runs come first, as if they closed at the end of time.
                $0.int64(query.after.map { $0.closeTime?.nanoseconds ?? .max } ?? .max)
                $0.int64(query.after?.startTime.nanoseconds ?? .max)
                $0.uuid(query.after?.key.run.uuid ?? PostgresUUID(high: .max, low: .max))
                $0.int64(Int64(query.limit))
                putWorkflow(&$0, query)
                filter?.sql.put(into: &$0)
            })
        return try decode { () throws(PostgresError) in try result.map(SummaryRow.decode) }
    }

    public func countRuns(_ query: VisibilityQuery) async throws(StoreError) -> Int64 {
        guard let namespace = query.namespace.uuid else { return 0 }
        let ofOne = query.workflowID != nil
        var statement = ofOne ? VisibilityStatements.countWorkflow : VisibilityStatements.count
        let filter = filterSQL(query, after: VisibilityStatements.countParameterCount)
        if let filter { statement = VisibilityStatements.count(ofOneWorkflow: ofOne, where: filter.condition) }
        let result = try await read(countCall(statement, namespace, query, filter?.sql))
        return try decode { () throws(PostgresError) in try result[0].int64(0) }
    }

    public func countRunsByStatus(_ query: VisibilityQuery) async throws(StoreError) -> [StatusCount] {
        guard let namespace = query.namespace.uuid else { return [] }
        let ofOne = query.workflowID != nil
        var statement = ofOne ? VisibilityStatements.countWorkflowByStatus : VisibilityStatements.countByStatus
        let filter = filterSQL(query, after: VisibilityStatements.countParameterCount)
        if let filter { statement = VisibilityStatements.countByStatus(ofOneWorkflow: ofOne, where: filter.condition) }
        let result = try await read(countCall(statement, namespace, query, filter?.sql))
        return try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                StatusCount(status: try SummaryRow.status(row.int16(0)), count: try row.int64(1))
            }
        }
    }

    private func countCall(
        _ statement: Statement, _ namespace: PostgresUUID, _ query: VisibilityQuery, _ filter: VisibilityFilterSQL?
    ) -> StatementCall {
        statement.call {
            putCommon(&$0, namespace, query)
            putWorkflow(&$0, query)
            filter?.put(into: &$0)
        }
    }

    private func filterSQL(
        _ query: VisibilityQuery, after count: Int
    ) -> (sql: VisibilityFilterSQL, condition: String)? {
        guard let filter = query.filter else { return nil }
        let before = count + (query.workflowID == nil ? 0 : VisibilityStatements.workflowParameterCount)
        var sql = VisibilityFilterSQL(firstParameter: before + 1)
        let condition = sql.condition(filter)
        return (sql, condition)
    }

    private func putCommon(_ parameters: inout Parameters, _ namespace: PostgresUUID, _ query: VisibilityQuery) {
        parameters.uuid(namespace)
        parameters.text(query.workflowIDPrefix)
        parameters.text(query.workflowType)
        parameters.int16(query.status.map { Int16($0.rawValue) })
    }

    private func putWorkflow(_ parameters: inout Parameters, _ query: VisibilityQuery) {
        guard let workflow = query.workflowID else { return }
        parameters.text(workflow.value)
        parameters.int16(Slots.slot(namespace: query.namespace, workflow: workflow))
    }
}
