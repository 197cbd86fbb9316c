import History
import Postgres
public import Runtime

extension PostgresStore {
    public func listRuns(_ query: VisibilityQuery) async throws(StoreError) -> [RunSummary] {
        guard let namespace = query.namespace.uuid else { return [] }
        let plan = VisibilityPlan(
            query, parametersBefore: VisibilityStatements.listParameterCount,
            leader: try await leader(of: query, namespace))
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
        let call = countCall(query, namespace, byStatus: false, leader: try await leader(of: query, namespace))
        let result = try await read(call)
        return try decode { () throws(PostgresError) in try result[0].int64(0) }
    }

    public func countRunsByStatus(_ query: VisibilityQuery) async throws(StoreError) -> [StatusCount] {
        guard let namespace = query.namespace.uuid else { return [] }
        if VisibilityPlan.isCounted(query) { return try await counted(query, namespace) }
        let call = countCall(query, namespace, byStatus: true, leader: try await leader(of: query, namespace))
        return try statusCounts(try await read(call))
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

    /// Of several attributes whose values are given, the one with the fewest runs: a bounded look into the index of each.
    private func leader(of query: VisibilityQuery, _ namespace: PostgresUUID) async throws(StoreError) -> Int {
        let leaders = VisibilityPlan.leaders(of: query)
        guard leaders.count > 1 else { return 0 }
        var sql = VisibilityFilterSQL(firstParameter: VisibilityStatements.countParameterCount + 1)
        let drivers = leaders.prefix(VisibilityStatements.leadersMax).map { sql.driver($0.name, $0.type, $0.value) }
        let result = try await read(
            VisibilityStatements.sizes(of: drivers).call {
                $0.uuid(namespace)
                sql.put(into: &$0)
            })
        return try decode { () throws(PostgresError) in
            var least = (index: 0, size: Int64.max)
            for index in drivers.indices {
                let size = try result[0].int64(index)
                if size < least.size { least = (index, size) }
            }
            return least.index
        }
    }

    private func countCall(
        _ query: VisibilityQuery, _ namespace: PostgresUUID, byStatus: Bool, leader: Int
    ) -> StatementCall {
        let plan = VisibilityPlan(
            query, parametersBefore: VisibilityStatements.countParameterCount, leader: leader)
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
