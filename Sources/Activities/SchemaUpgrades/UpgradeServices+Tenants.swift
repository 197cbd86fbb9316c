import Foundation
import Postgres

/// Reaching a tenant: who it is, whose turn it is, what is applied there.
extension UpgradeServices {
    /// Runs work on a tenant's database while the lease is kept.
    func withTenant<Result: Sendable>(
        _ step: TenantStep, op: OperationID, isLong: Bool = false,
        _ body: (TenantSession) async throws -> Result
    ) async throws -> Result {
        if step.fence > 0 { try await self.renewLease(step) }
        async let _ = self.keepLease(step)  // ends with the scope
        let session = try await self.session(step.tenant, op: op, step: step, isLong: isLong)
        defer { session.close() }
        return try await body(session)
    }

    private func session(
        _ tenant: String, op: OperationID, step: TenantStep, isLong: Bool
    ) async throws -> TenantSession {
        let url = try await self.reference(tenant, service: step.service).url
        let seconds = isLong ? self.settings.longAnswerSeconds : step.statementTimeoutSeconds + 30
        return try await self.gates[tenant].call(tenant: tenant) { () async throws(EffectFailure) in
            try await TenantSession.open(url: url, op: op, answerTimeout: .seconds(seconds))
        }
    }

    struct Reference: Sendable {
        var cluster: String
        var url: String
        var schemaVersion: MigrationVersion?
        var routeVersion: String?
    }

    func reference(_ tenant: String, service: String) async throws -> Reference {
        let rows = try await self.query(UpgradeStatements.tenant) {
            $0.text(tenant)
            $0.text(service)
        }
        guard rows.count == 1 else {
            throw EffectFailure(.permanent(code: "UnknownTenant"), "there is no tenant \(tenant)")
        }
        guard let found = self.settings.url(of: try rows[0].text(0)) else {
            throw EffectFailure(
                .permanent(code: "UnknownTenant"), "this worker knows no database behind the reference of \(tenant)")
        }
        return Reference(
            cluster: found.cluster, url: found.url,
            schemaVersion: try rows[0].textOrNil(1).flatMap { MigrationVersion($0) },
            routeVersion: try rows[0].textOrNil(2))
    }

    // MARK: Steps 1 and 2

    func resolveTenant(_ step: TenantStep, _ scope: EffectScope) async throws -> ResolvedTenant {
        let reference = try await self.reference(step.tenant, service: step.service)
        return try await self.withTenant(step, op: step.op("ResolveTenant")) { session in
            let rows = try await session.query(TenantStatements.server)
            return ResolvedTenant(
                cluster: reference.cluster, schemaVersion: reference.schemaVersion,
                serverVersion: Int(try rows[0].int32(0)), databaseBytes: try rows[0].int64(1))
        }
    }

    /// Takes the lease and shows its fence number to the tenant's database: from then on an older holder cannot write.
    func takeLease(_ step: TenantStep, _ scope: EffectScope) async throws -> TakenLease {
        try scope.checkTime()
        try await self.failpoints.pass("TakeLease", .beforeEffect)
        let taken = try await self.query(UpgradeStatements.takeLease) {
            $0.text(step.tenant)
            $0.text(step.holder)
            $0.double(self.settings.leaseSeconds)
        }
        guard taken.count == 1 else {
            throw EffectFailure(.conflict, "another upgrade holds the lease of \(step.tenant)")
        }
        var held = step
        held.fence = try taken[0].int64(0)
        let fenced = held
        try await self.withTenant(fenced, op: step.op("TakeLease")) { session in
            try await session.limit("lock_timeout", milliseconds: step.lockTimeoutMilliseconds, isLocal: false)
            try await session.script(UpgradeSchema.tenantSQL)
            try await session.checkFence(fenced.fence)
        }
        try await self.failpoints.pass("TakeLease", .afterEffect)
        let op = step.op("BeginTenant/\(step.pass.rawValue)")
        let _: Done = try await self.once(op) { connection in
            try await connection.query(UpgradeStatements.beginTenant) {
                $0.text(step.upgrade)
                $0.text(step.pass.rawValue)
                $0.text(step.tenant)
                $0.int32(Int32(clamping: step.generation))
            }
            try await self.publish(
                "mig.tenant.started", subject: step.tenant, tenant: step.tenant,
                ["upgrade": step.upgrade, "service": step.service, "pass": step.pass.rawValue], op: op.value,
                scope: scope,
                in: connection)
            return Done()
        }
        return TakenLease(fence: fenced.fence)
    }

    private func renewLease(_ step: TenantStep) async throws {
        let rows = try await self.query(UpgradeStatements.renewLease) {
            $0.text(step.tenant)
            $0.int64(step.fence)
            $0.double(self.settings.leaseSeconds)
        }
        guard rows.count == 1 else {
            throw EffectFailure(.permanent(code: "FenceLost"), "somebody else has taken the tenant's lease since")
        }
    }

    private func keepLease(_ step: TenantStep) async {
        guard step.fence > 0 else { return }
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(self.settings.leaseSeconds / 3))
                try await self.renewLease(step)
            } catch is EffectFailure {
                continue  // the fence tells the step itself when the lease is gone
            } catch {
                return
            }
        }
    }

    // MARK: Step 3

    struct HistoryRow: Hashable, Sendable {
        var version: MigrationVersion
        var checksum: String
        var state: String
        var appliedBy: String
        var opID: String
        var milliseconds: Int64
    }

    func history(_ session: TenantSession) async throws -> [HistoryRow] {
        try self.rows(try await session.query(TenantStatements.history)).sorted { $0.version < $1.version }
    }

    func historyRow(_ session: TenantSession, _ version: MigrationVersion) async throws -> HistoryRow? {
        try self.rows(try await session.query(TenantStatements.historyOf) { $0.text(version.description) }).first
    }

    private func rows(_ result: ResultSet) throws -> [HistoryRow] {
        try result.map { row throws(PostgresError) in
            HistoryRow(
                version: MigrationVersion(try row.text(0)) ?? MigrationVersion(0, 0), checksum: try row.text(1),
                state: try row.text(2), appliedBy: try row.text(3), opID: try row.text(4),
                milliseconds: try row.int64(5))
        }
    }

    func preflight(_ step: TenantStep, _ scope: EffectScope) async throws -> PreflightReport {
        try scope.checkTime()
        try await self.failpoints.pass("Preflight", .beforeEffect)
        let set = try await self.loadSet(step.migrationSet)
        let report = try await self.withTenant(step, op: step.op("Preflight")) { session in
            let history = try await self.history(session)
            try Self.checkHistory(history, set, target: step.target, tenant: step.tenant)
            try await self.checkPeace(session)
            let applied = history.filter { $0.state == "applied" }
            let pending = set.pending(
                to: step.target, applied: Set(applied.map(\.version)), phases: step.pass.phases)
            try await self.checkSpace(session, for: pending)
            return PreflightReport(
                from: applied.last { $0.appliedBy != step.upgrade }?.version, pending: pending.map(Self.pending),
                applied: applied.filter { $0.appliedBy == step.upgrade }.compactMap { set[$0.version] }.map(
                    Self.pending),
                fingerprint: try await self.fingerprint(session))
        }
        try await self.query(UpgradeStatements.noteFound) {
            $0.text(step.upgrade)
            $0.text(step.pass.rawValue)
            $0.text(step.tenant)
            $0.text(report.from?.description)
            $0.text(report.fingerprint)
        }
        return report
    }

    static func pending(_ migration: Migration) -> PendingMigration {
        let kind: MigrationKind =
            migration.backfill != nil ? .backfill : migration.isTransactional ? .transaction : .statements
        return PendingMigration(version: migration.version, kind: kind, phase: migration.phase)
    }

    static func checkHistory(
        _ history: [HistoryRow], _ set: MigrationSet, target: MigrationVersion, tenant: String
    ) throws(EffectFailure) {
        for row in history where row.state == "applied" {
            guard row.version <= target else {
                throw EffectFailure(
                    .permanent(code: "VersionAhead"), "\(tenant) has \(row.version) already, beyond \(target)")
            }
            guard set[row.version]?.checksum == row.checksum else {
                throw EffectFailure(
                    .permanent(code: "ChecksumDrift"),
                    "\(tenant) has applied another \(row.version) than the set's")
            }
        }
    }

    private func checkPeace(_ session: TenantSession) async throws {
        let old = try await session.query(TenantStatements.oldTransactions) {
            $0.double(self.settings.oldTransactionSeconds)
        }
        let count = try old[0].int64(0)
        guard count == 0 else {
            throw EffectFailure(
                .transient, "\(count) transactions are older than \(Int(self.settings.oldTransactionSeconds)) s",
                code: "OldTransaction")
        }
        let lag = try await session.query(TenantStatements.replicaLag)
        guard try lag[0].double(0) <= self.settings.replicaLagSecondsMax else {
            throw EffectFailure(.transient, "a replica is too far behind", code: "ReplicaLag")
        }
    }

    /// Twice the largest table that is written again must fit on the disk; where the disk cannot be seen, nothing is said.
    private func checkSpace(_ session: TenantSession, for pending: [Migration]) async throws {
        var largest: Int64 = 0
        for migration in pending {
            for statement in (try? SQLScript(migration.up))?.statements ?? [] {
                guard case .alterTable(let table, let actions) = StatementClassifier.kind(of: statement),
                    actions.contains(where: \.rewritesTable)
                else { continue }
                let rows = try await session.query(TenantStatements.relationBytes) {
                    $0.text(SQLName.quotedPath(table))
                }
                largest = max(largest, try rows[0].int64(0))
            }
        }
        guard largest > 0 else { return }
        let folder = try await session.query(TenantStatements.dataFolder)[0].text(0)
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value else { return }
        guard free >= 2 * largest else {
            throw EffectFailure(.permanent(code: "DiskFull"), "\(free) bytes are free, \(2 * largest) are needed")
        }
    }

    /// SHA-256 over the catalog of everything but our own tables.
    func fingerprint(_ session: TenantSession) async throws -> String {
        let rows = try await session.query(TenantStatements.catalog)
        let lines = try rows.map { row throws(PostgresError) in try row.text(0) }
        return CatalogFingerprint.of(lines)
    }
}

/// One number for the whole schema of a database.
enum CatalogFingerprint {
    /// The order of the lines is of no matter.
    static func of(_ lines: [String]) -> String {
        MigrationSet.digest(lines.sorted().map { "\($0.utf8.count) \($0)\n" }.joined())
    }
}
