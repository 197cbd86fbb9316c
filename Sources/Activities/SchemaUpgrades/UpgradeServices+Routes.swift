import Postgres

/// Steps 9 and 10, and the end of a tenant.
extension UpgradeServices {
    private struct RouteChange: Codable, Sendable {
        var from: String?
        var to: String?
    }

    func switchRoute(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        try scope.checkTime()
        try await self.failpoints.pass("SwitchRoute", .beforeEffect)
        let op = step.op("SwitchRoute")
        let _: RouteChange = try await self.once(op) { connection in
            try await self.changeRoute(
                step, to: step.target.description, kind: "version_updated", op: op, scope, connection)
        }
        try await self.failpoints.pass("SwitchRoute", .afterEffect)
        return Done()
    }

    /// Sends the tenant back to where it was sent before this upgrade; it may never have been moved.
    func switchRouteBack(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        // A try before this one may have switched it.
        for generation in (0...step.generation).reversed() {
            var earlier = step
            earlier.generation = generation
            guard let change = try await self.result(of: earlier.op("SwitchRoute"), as: RouteChange.self) else {
                continue
            }
            return try await self.routeBack(earlier, to: change.from, scope)
        }
        return Done()
    }

    private func routeBack(_ step: TenantStep, to version: String?, _ scope: EffectScope) async throws -> Done {
        let op = step.op("SwitchRouteBack")
        let _: RouteChange = try await self.once(op) { connection in
            try await self.changeRoute(step, to: version, kind: "version_rolled_back", op: op, scope, connection)
        }
        return Done()
    }

    private func changeRoute(
        _ step: TenantStep, to version: String?, kind: String, op: OperationID, _ scope: EffectScope,
        _ connection: PostgresTransaction
    ) async throws -> RouteChange {
        let rows = try await connection.query(UpgradeStatements.route) {
            $0.text(step.tenant)
            $0.text(step.service)
        }
        let from = rows.count == 1 ? try rows[0].textOrNil(0) : nil
        let number = rows.count == 1 ? try rows[0].int64(1) : 0
        let saved = try await connection.query(UpgradeStatements.saveRoute) {
            $0.text(step.tenant)
            $0.text(step.service)
            $0.text(version)
            $0.int64(number)
        }
        guard saved.affectedRows == 1 else { throw EffectFailure(.conflict, "the route changed meanwhile") }
        try await connection.query(UpgradeStatements.routeEvent) { parameters in
            parameters.text(op.value)
            parameters.text(step.tenant)
            parameters.text(step.service)
            parameters.text(kind)
            parameters.text(from)
            parameters.text(version)
        }
        try await self.publish(
            "route.\(kind)", subject: step.tenant, tenant: step.tenant,
            ["service": step.service, "from": from ?? "", "to": version ?? "", "upgrade": step.upgrade], op: op.value,
            scope: scope, in: connection)
        return RouteChange(from: from, to: version)
    }

    /// The tenant's database answers and has no broken index.
    func checkHealth(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        try scope.checkTime()
        try await self.failpoints.pass("HealthCheck", .beforeEffect)
        try await self.withTenant(step, op: step.op("HealthCheck")) { session in
            let broken = try await session.query(TenantStatements.invalidIndexes)[0].int64(0)
            guard broken == 0 else {
                throw EffectFailure(.permanent(code: "Unhealthy"), "\(broken) indexes are not valid")
            }
        }
        return Done()
    }

    /// Gives the lease back, says how the tenant ended, and tells the feed; all or nothing.
    func finishTenant(_ end: TenantEnd, _ scope: EffectScope) async throws -> Done {
        let step = end.step
        let op = step.op("FinishTenant/\(step.pass.rawValue)/\(end.state.rawValue)")
        try await self.failpoints.pass("FinishTenant", .beforeEffect)
        return try await self.once(op) { connection in
            if end.state != .needsOperator {
                try await connection.query(UpgradeStatements.dropLease) {
                    $0.text(step.tenant)
                    $0.int64(step.fence)
                }
            }
            try await connection.query(UpgradeStatements.endTenant) {
                $0.text(step.upgrade)
                $0.text(step.pass.rawValue)
                $0.text(step.tenant)
                $0.text(end.state.rawValue)
                $0.text(end.error)
            }
            try await connection.query(UpgradeStatements.settleContract) {
                $0.text(step.upgrade)
                $0.text(step.pass.rawValue)
                $0.text(step.tenant)
                $0.text(end.state.rawValue)
            }
            if end.state == .done || end.state == .rolledBack {
                try await connection.query(UpgradeStatements.saveSchemaVersion) {
                    $0.text(step.tenant)
                    $0.text(step.service)
                    $0.text(end.schemaVersion?.description)
                }
            }
            let event = end.state == .done ? "succeeded" : end.state.rawValue
            try await self.publish(
                "mig.tenant.\(event)", subject: step.tenant, tenant: step.tenant,
                ["upgrade": step.upgrade, "service": step.service, "error": end.error ?? ""], op: op.value,
                scope: scope,
                in: connection)
            if end.state == .done, end.isLastPass {
                try await self.publish(
                    "route.migration_completed", subject: step.tenant, tenant: step.tenant,
                    ["service": step.service, "version": step.target.description, "upgrade": step.upgrade],
                    op: op.value, scope: scope, in: connection)
            }
            return Done()
        }
    }
}
