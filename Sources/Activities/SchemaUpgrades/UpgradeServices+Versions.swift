import Postgres

/// Versions side by side: each has a schema of views over the tables, and a program chooses by its `search_path`.
extension UpgradeServices {
    /// The schema of a version.
    static func versionSchema(_ version: MigrationVersion) -> String { "svc_\(version.major)_\(version.minor)" }

    /// Makes the views of the new version. What the contract phase will drop is not in them, so that it can be dropped.
    func createVersion(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        try scope.checkTime()
        try await self.failpoints.pass("CreateVersion", .beforeEffect)
        let set = try await self.loadSet(step.migrationSet)
        let leaving = Self.columnsToDrop(set, to: step.target)
        let schema = SQLName.quoted(Self.versionSchema(step.target))
        let op = step.op("CreateVersion")
        try await self.withTenant(step, op: op) { session in
            try await session.transaction(step) {
                let rows = try await session.query(TenantStatements.baseColumns)
                var columns: [String: [String]] = [:]
                for (table, column) in try rows.map({ row throws(PostgresError) in (try row.text(0), try row.text(1)) })
                where !leaving.contains(MigrationLint.ColumnKey(table: table, column: column)) {
                    columns[table, default: []].append(column)
                }
                try await session.script("drop schema if exists \(schema) cascade; create schema \(schema)")
                for (table, names) in columns.sorted(by: { $0.key < $1.key }) {
                    let list = names.map(SQLName.quoted).joined(separator: ", ")
                    try await session.script(TenantStatements.versionView(schema: schema, table: table, columns: list))
                }
            }
        }
        try await self.noteStep(step, "CreateVersion \(step.target)", op: op, scope)
        return Done()
    }

    private static func columnsToDrop(
        _ set: MigrationSet, to target: MigrationVersion
    ) -> Set<MigrationLint.ColumnKey> {
        var columns: Set<MigrationLint.ColumnKey> = []
        for migration in set.migrations where migration.phase == .contract && migration.version <= target {
            for statement in (try? SQLScript(migration.up))?.statements ?? [] {
                guard case .alterTable(let table, let actions) = StatementClassifier.kind(of: statement) else {
                    continue
                }
                for case .dropColumn(let column) in actions {
                    columns.insert(MigrationLint.ColumnKey(table: table, column: column))
                }
            }
        }
        return columns
    }

    /// Takes the new version's views away again; there may be none.
    func dropVersion(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        try await self.dropVersions(step, op: step.op("DropVersion")) { $0 == Self.versionSchema(step.target) }
    }

    /// Takes the views of all versions but the present one away.
    func dropOldVersions(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        try await self.dropVersions(step, op: step.op("DropOldVersions")) { $0 != Self.versionSchema(step.target) }
    }

    private func dropVersions(
        _ step: TenantStep, op: OperationID, where isWanted: (String) -> Bool
    ) async throws -> Done {
        try await self.withTenant(step, op: op) { session in
            let rows = try await session.query(TenantStatements.schemas)
            let schemas = try rows.map { row throws(PostgresError) in try row.text(0) }
            let chosen = schemas.filter { $0.hasPrefix("svc_") && isWanted($0) }
            for schema in chosen {
                try await session.limit("lock_timeout", milliseconds: step.lockTimeoutMilliseconds, isLocal: false)
                try await session.script("drop schema if exists \(SQLName.quoted(schema)) cascade")
            }
        }
        return Done()
    }

    /// A day after an upgrade nobody uses the version before it: its views go, tenant by tenant.
    func retireVersions(_ step: FleetStep, _ scope: EffectScope) async throws -> Done {
        var before = Int32.max
        while true {
            let last = before
            let rows = try await self.query(UpgradeStatements.doneTenants) {
                $0.text(step.upgrade)
                $0.int32(last)
                $0.int32(100)
            }
            guard rows.count > 0 else { return Done() }
            for index in 0..<rows.count {
                before = try rows[index].int32(1)
                let tenant = TenantStep(
                    step.request, upgrade: step.upgrade, tenant: try rows[index].text(0), pass: .expand)
                // A later upgrade's version is not ours to take away.
                let reference = try await self.reference(tenant.tenant, service: tenant.service)
                guard reference.routeVersion == step.request.targetVersion.description else { continue }
                _ = try await self.dropOldVersions(tenant, scope)
            }
        }
    }
}
