import History
import Postgres
public import Runtime

extension PostgresStore {
    public func listRuns(_ query: VisibilityQuery) async throws(StoreError) -> [RunSummary] {
        guard let namespace = query.namespace.uuid else { return [] }
        let plan = VisibilityPlan(query, parametersBefore: VisibilityStatements.listParameterCount)
        let statement: Statement
        if let workflow = plan.workflow {
            statement = VisibilityStatements.listWorkflow(slot: workflow.slot, id: workflow.id, where: plan.condition)
        } else if let driver = plan.driver {
            statement = VisibilityStatements.listAttribute(driver, where: plan.condition)
        } else if plan.isRareStatus {
            statement = VisibilityStatements.listStatus(where: plan.condition)
        } else if VisibilityPlan.isCounted(query), query.status == nil {
            statement = VisibilityStatements.list
        } else {
            statement = VisibilityStatements.list(where: plan.condition)
        }
        let result = try await read(
            statement.call {
                $0.uuid(namespace)
                // Open runs come first, as if they closed at the end of time.
                $0.int64(query.after.map { $0.closeTime?.nanoseconds ?? .max } ?? .max)
                $0.int64(query.after?.startTime.nanoseconds ?? .max)
                $0.uuid(query.after?.key.run.uuid ?? PostgresUUID(high: .max, low: .max))
                $0.int64(Int64(query.limit))
                plan.sql.put(into: &$0)
            })
        return try decode { () throws(PostgresError) in try result.map(SummaryRow.decode) }
    }

    public func countRuns(_ query: VisibilityQuery) async throws(StoreError) -> Int64 {
        guard let namespace = query.namespace.uuid else { return 0 }
        if VisibilityPlan.isCounted(query) {
            return try await counted(query, namespace).reduce(0) { $0 + $1.count }
        }
        let result = try await read(countCall(query, namespace, byStatus: false))
        return try decode { () throws(PostgresError) in try result[0].int64(0) }
    }

    public func countRunsByStatus(_ query: VisibilityQuery) async throws(StoreError) -> [StatusCount] {
        guard let namespace = query.namespace.uuid else { return [] }
        if VisibilityPlan.isCounted(query) { return try await counted(query, namespace) }
        return try statusCounts(try await read(countCall(query, namespace, byStatus: true)))
    }

    /// What the commits have counted.
    private func counted(
        _ query: VisibilityQuery, _ namespace: PostgresUUID
    ) async throws(StoreError) -> [StatusCount] {
        let call = SearchStatements.countByStatus.call {
            $0.uuid(namespace)
            $0.int16(query.status.map { Int16($0.rawValue) })
        }
        return try statusCounts(try await read(call))
    }

    private func statusCounts(_ result: ResultSet) throws(StoreError) -> [StatusCount] {
        try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                StatusCount(status: try SummaryRow.status(row.int16(0)), count: try row.int64(1))
            }
        }
    }

    private func countCall(_ query: VisibilityQuery, _ namespace: PostgresUUID, byStatus: Bool) -> StatementCall {
        let plan = VisibilityPlan(query, parametersBefore: VisibilityStatements.countParameterCount)
        let source: VisibilityStatements.CountSource
        if let workflow = plan.workflow {
            source = .workflow(slot: workflow.slot, id: workflow.id)
        } else if let driver = plan.driver {
            source = .attribute(driver)
        } else {
            source = .runs
        }
        return VisibilityStatements.count(byStatus: byStatus, from: source, where: plan.condition).call {
            $0.uuid(namespace)
            plan.sql.put(into: &$0)
        }
    }
}
