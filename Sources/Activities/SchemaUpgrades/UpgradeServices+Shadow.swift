import Foundation
import Postgres

/// Step 4 of a fleet: everything once on a scratch database, before any tenant is touched.
extension UpgradeServices {
    /// Up, down, up on a copy of one tenant's schema; notes the strongest lock on each relation.
    func shadowRun(_ step: FleetStep, _ scope: EffectScope) async throws -> ShadowReport {
        let request = step.request
        let set = try await self.loadSet(request.migrationSet)
        let rows = try await self.query(UpgradeStatements.tenantsByVersion) {
            $0.text(step.upgrade)
            $0.text(request.service)
        }
        guard rows.count == 1 else { throw EffectFailure(.invalid, "the upgrade has no tenants") }
        let tenant = try rows[0].text(0)
        let reference = try await self.reference(tenant, service: request.service)
        var like = TenantStep(request, upgrade: "shadow-\(step.upgrade)", tenant: tenant, pass: .all)
        like.fence = 1
        let name = "aloft_shadow_\(MigrationSet.digest(step.upgrade).prefix(16))"
        guard let scratch = self.settings.url(of: "\(reference.cluster)/\(name)")?.url else {
            throw EffectFailure(.invalid, "there is no cluster \(reference.cluster)")
        }
        let op = OperationID(workflow: step.workflowID, step: "ShadowRun", index: String(step.upgrade.suffix(12)))
        let tenantHistory = try await self.makeScratch(name, scratch, of: reference.url, op: op)
        let report: ShadowReport
        do {
            report = try await self.play(set, request, like, scratch, op: op, after: tenantHistory)
        } catch {
            try? await self.dropScratch(name, of: reference.url, op: op)
            throw error
        }
        try await self.dropScratch(name, of: reference.url, op: op)
        let text = try PaymentJSON.text(report)
        try await self.query(UpgradeStatements.saveShadow) {
            $0.text(step.upgrade)
            $0.text(text)
        }
        return report
    }

    // MARK: The scratch database

    private func makeScratch(
        _ name: String, _ scratch: String, of source: String, op: OperationID
    ) async throws -> [HistoryRow] {
        let session = try await TenantSession.open(url: source, op: op, answerTimeout: .seconds(60))
        defer { session.close() }
        try await session.script("drop database if exists \(SQLName.quoted(name)) with (force)")
        try await session.script("create database \(SQLName.quoted(name)) template template0")
        let file = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID().uuidString).dump")
        defer { try? FileManager.default.removeItem(at: file) }
        try await self.dump(
            source, to: file, ["--schema-only", "--exclude-schema=_wf", "--no-owner", "--no-privileges"])
        let target = DumpTarget(scratch)
        let restored = try await ProgramRun.run(
            self.program("pg_restore"),
            ["--no-owner", "--clean", "--if-exists", "--exit-on-error", "--dbname", target.url, file.path],
            secrets: target.secrets)
        guard restored.status == 0 else { throw EffectFailure(.transient, "pg_restore: \(restored.complaint)") }
        let known = try await session.query(TenantStatements.indexOfHistory)
        return known.count == 0 ? [] : try await self.history(session)
    }

    private func dropScratch(_ name: String, of source: String, op: OperationID) async throws {
        let session = try await TenantSession.open(url: source, op: op, answerTimeout: .seconds(60))
        defer { session.close() }
        try await session.script("drop database if exists \(SQLName.quoted(name)) with (force)")
    }

    // MARK: Up, down, up

    private func play(
        _ set: MigrationSet, _ request: UpgradeRequest, _ step: TenantStep, _ scratch: String, op: OperationID,
        after history: [HistoryRow]
    ) async throws -> ShadowReport {
        let session = try await TenantSession.open(url: scratch, op: op, answerTimeout: .seconds(600))
        defer { session.close() }
        try await session.script(UpgradeSchema.tenantSQL)
        let applied = history.filter { $0.state == "applied" }
        for row in applied {
            try await session.query(TenantStatements.copyHistory) {
                $0.text(row.version.description)
                $0.text(row.checksum)
                $0.text(row.appliedBy)
                $0.text(row.opID)
            }
        }
        var report = ShadowReport()
        let passes: [UpgradePass] = request.strategy == .transactional ? [.all] : [.expand, .contract]
        for pass in passes {
            let pending = set.pending(
                to: request.targetVersion, applied: Set(applied.map(\.version)), phases: pass.phases)
            let before = try await self.fingerprint(session)
            report.locks += try await self.up(pending, session, step)
            let after = try await self.fingerprint(session)
            try await self.downAndUp(pending, session, step, before: before, after: after)
            if pass != .contract { report.expanded = after }
            report.contracted = after
        }
        return report
    }

    private func up(
        _ pending: [Migration], _ session: TenantSession, _ step: TenantStep
    ) async throws -> [ShadowReport.Lock] {
        var locks: [ShadowReport.Lock] = []
        for migration in pending {
            do {
                locks += try await self.shadowUp(migration, session, step)
            } catch let failure as EffectFailure where !failure.isRetryable {
                throw EffectFailure(
                    .permanent(code: "ShadowFailed"), "\(migration.file): \(failure.message)")
            }
        }
        return locks
    }

    private func shadowUp(
        _ migration: Migration, _ session: TenantSession, _ step: TenantStep
    ) async throws -> [ShadowReport.Lock] {
        if migration.backfill != nil {
            try await session.script(migration.up)  // the tables are empty: this only says whether it is understood
            return []
        }
        guard migration.isTransactional else {
            for statement in (try? SQLScript(migration.up))?.statements ?? [] {
                try await session.script(statement.text)
            }
            return []
        }
        return try await session.transaction(step) {
            try await session.script(migration.up)
            let rows = try await session.query(TenantStatements.locks)
            var strongest: [String: LockMode] = [:]
            for (relation, mode) in try rows.map({ row throws(PostgresError) in (try row.text(0), try row.text(1)) }) {
                guard let mode = LockMode(rawValue: mode) else { continue }
                strongest[relation] = max(strongest[relation] ?? mode, mode)
            }
            return strongest.sorted { $0.key < $1.key }.map {
                ShadowReport.Lock(version: migration.version, relation: $0.key, mode: $0.value.rawValue)
            }
        }
    }

    /// What can be undone is undone and done again; both ways must lead to the same catalog.
    private func downAndUp(
        _ pending: [Migration], _ session: TenantSession, _ step: TenantStep, before: String, after: String
    ) async throws {
        var undone: [Migration] = []
        for migration in pending.reversed() {
            if migration.isIrreversible { break }
            undone.append(migration)
            guard let down = migration.down else { continue }
            do {
                let statements = (try? SQLScript(down))?.statements ?? []
                if statements.contains(where: { StatementClassifier.kind(of: $0).needsNoTransaction }) {
                    for statement in statements { try await session.script(statement.text) }
                } else {
                    try await session.transaction(step) { try await session.script(down) }
                }
            } catch let failure as EffectFailure where !failure.isRetryable {
                throw EffectFailure(
                    .permanent(code: "ShadowFailed"), "\(migration.file): down: \(failure.message)")
            }
        }
        if undone.count == pending.count, try await self.fingerprint(session) != before {
            throw EffectFailure(
                .permanent(code: "ShadowFailed"), "the down scripts do not lead back to the schema as it was")
        }
        _ = try await self.up(undone.reversed(), session, step)
        guard try await self.fingerprint(session) == after else {
            throw EffectFailure(.permanent(code: "ShadowFailed"), "applied again, the schema is another one")
        }
    }
}

/// Postgres' table locks, weakest first.
enum LockMode: String, CaseIterable, Comparable, Sendable {
    case accessShare = "AccessShareLock"
    case rowShare = "RowShareLock"
    case rowExclusive = "RowExclusiveLock"
    case shareUpdateExclusive = "ShareUpdateExclusiveLock"
    case share = "ShareLock"
    case shareRowExclusive = "ShareRowExclusiveLock"
    case exclusive = "ExclusiveLock"
    case accessExclusive = "AccessExclusiveLock"

    private var strength: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    static func < (left: LockMode, right: LockMode) -> Bool { left.strength < right.strength }
}
