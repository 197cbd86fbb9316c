import Foundation
import Postgres

/// Steps 5 and 6: migrations in a transaction, and statements that refuse one.
extension UpgradeServices {
    func applyTx(_ step: TenantStep, _ scope: EffectScope) async throws -> AppliedMigration {
        try scope.checkTime()
        let migration = try await self.migration(step)
        try await self.failpoints.pass("ApplyTx", .beforeEffect)
        let op = step.op("ApplyTx")
        let applied = try await self.withTenant(step, op: op) { session in
            try await session.transaction(step) {
                if let known = try await self.known(session, step, migration) { return known }
                let began = ContinuousClock.now
                try await session.script(migration.up)
                let applied = AppliedMigration(
                    version: migration.version, milliseconds: (ContinuousClock.now - began).milliseconds)
                try await self.putHistory(session, step, migration, op: op, state: "applied", applied.milliseconds)
                try await self.failpoints.pass("CommitTx", .beforeEffect)
                return applied
            }
        }
        try await self.failpoints.pass("ApplyTx", .afterEffect)
        try await self.noteStep(step, "ApplyTx \(migration.version)", op: op, scope)
        try await self.failpoints.pass("ApplyTx", .afterResult)
        return applied
    }

    /// Statements that refuse a transaction: each is looked for first, because an earlier attempt may have run it.
    func applyStatements(_ step: TenantStep, _ scope: EffectScope) async throws -> AppliedMigration {
        try scope.checkTime()
        let migration = try await self.migration(step)
        try await self.failpoints.pass("ApplyNonTx", .beforeEffect)
        let op = step.op("ApplyNonTx")
        let applied = try await self.withTenant(step, op: op, isLong: true) { session in
            let began = ContinuousClock.now
            let known: AppliedMigration? = try await session.transaction(step) {
                if let known = try await self.known(session, step, migration) { return known }
                try await self.putHistory(session, step, migration, op: op, state: "running", nil)
                return nil
            }
            if let known { return known }
            try await self.runAlone(migration.up, session, step)
            let applied = AppliedMigration(
                version: migration.version, milliseconds: (ContinuousClock.now - began).milliseconds)
            try await session.transaction(step) {
                try await self.putHistory(session, step, migration, op: op, state: "applied", applied.milliseconds)
            }
            return applied
        }
        try await self.failpoints.pass("ApplyNonTx", .afterEffect)
        try await self.noteStep(step, "ApplyNonTx \(migration.version)", op: op, scope)
        return applied
    }

    /// Runs each statement in a transaction of its own.
    private func runAlone(_ sql: String, _ session: TenantSession, _ step: TenantStep) async throws {
        let script: SQLScript
        do {
            script = try SQLScript(sql)
        } catch {
            throw EffectFailure(.permanent(code: "SyntaxError"), "line \(error.line): \(error.reason)")
        }
        for statement in script.statements {
            let kind = StatementClassifier.kind(of: statement)
            // Those that run concurrently wait for others without making anybody wait; the rest must not queue for long.
            let wait = kind.needsNoTransaction ? 0 : step.lockTimeoutMilliseconds
            try await session.limit("lock_timeout", milliseconds: wait, isLocal: false)
            switch kind {
            case .createIndex(let index) where index.isConcurrent:
                guard try await self.prepareIndex(index, session) else { continue }
                try await session.script(statement.text)
            case .dropIndex(let names, let isConcurrent) where isConcurrent:
                for name in names where try await self.indexIsValid(name, session) != nil {
                    try await session.script("drop index concurrently if exists \(SQLName.quotedPath(name))")
                }
            case .transactionControl, .createTable, .alterTable, .dropTable, .createIndex, .dropIndex, .reindex,
                .addEnumValue, .renameEnumValue, .renameSchema, .dropSchema, .update, .insert, .delete,
                .outsideTransaction, .other:
                try await session.script(statement.text)
            }
            try await self.failpoints.pass("NonTxStatement", .afterEffect)
        }
    }

    /// A failed build leaves an index that is there and is not valid; `if not exists` would keep it.
    ///
    /// - Returns: whether it has to be built.
    private func prepareIndex(_ index: IndexDefinition, _ session: TenantSession) async throws -> Bool {
        guard let name = index.name else { return true }
        let path = Self.path(of: index, name: name)
        guard let isValid = try await self.indexIsValid(path, session) else { return true }
        if isValid { return false }
        try await session.script("drop index concurrently if exists \(SQLName.quotedPath(path))")
        return true
    }

    /// An index lives in the schema of its table.
    private static func path(of index: IndexDefinition, name: String) -> String {
        let parts = index.table.split(separator: ".")
        return parts.count == 2 ? "\(parts[0]).\(name)" : name
    }

    private func indexIsValid(_ path: String, _ session: TenantSession) async throws -> Bool? {
        let rows = try await session.query(TenantStatements.index) { $0.text(SQLName.quotedPath(path)) }
        return rows.count == 1 ? try rows[0].bool(0) : nil
    }

    // MARK: History

    /// What is known of a migration that is applied already.
    ///
    /// - Throws: `ChecksumDrift` when it was another text.
    func known(
        _ session: TenantSession, _ step: TenantStep, _ migration: Migration
    ) async throws -> AppliedMigration? {
        guard let row = try await self.historyRow(session, migration.version), row.state == "applied" else {
            return nil
        }
        guard row.checksum == migration.checksum else {
            throw EffectFailure(
                .permanent(code: "ChecksumDrift"),
                "\(step.tenant) has applied another \(migration.version) than the set's")
        }
        return AppliedMigration(version: migration.version, milliseconds: row.milliseconds)
    }

    func putHistory(
        _ session: TenantSession, _ step: TenantStep, _ migration: Migration, op: OperationID, state: String,
        _ milliseconds: Int64?
    ) async throws {
        try await session.query(TenantStatements.putHistory) { parameters in
            parameters.text(migration.version.description)
            parameters.text(migration.name)
            parameters.text(migration.checksum)
            parameters.text(migration.phase.rawValue)
            parameters.text(state)
            parameters.text(step.upgrade)
            parameters.text(op.value)
            parameters.int64(step.fence)
            parameters.int64(milliseconds)
        }
    }

    /// Shows a finished step in our own table, and tells the feed.
    func noteStep(_ step: TenantStep, _ name: String, op: OperationID, _ scope: EffectScope) async throws {
        let noted = OperationID(workflow: op.value, step: "StepDone")
        let _: Done = try await self.once(noted) { connection in
            try await connection.query(UpgradeStatements.noteStep) {
                $0.text(step.upgrade)
                $0.text(step.pass.rawValue)
                $0.text(step.tenant)
                $0.text(name)
            }
            try await self.publish(
                "mig.tenant.step_done", subject: step.tenant, tenant: step.tenant,
                ["upgrade": step.upgrade, "service": step.service, "step": name], op: noted.value, scope: scope,
                in: connection)
            return Done()
        }
    }

    // MARK: Undoing

    /// Undoes one migration of this upgrade; there may be nothing to undo.
    func runDown(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        let migration = try await self.migration(step)
        try await self.failpoints.pass("RunDown", .beforeEffect)
        try await self.withTenant(step, op: step.op("RunDown"), isLong: true) { session in
            let row = try await self.historyRow(session, migration.version)
            guard let row, row.state != "rolled_back", row.appliedBy == step.upgrade else { return }
            guard !migration.isIrreversible else {
                throw EffectFailure(
                    .permanent(code: "Irreversible"), "\(migration.version) was declared irreversible")
            }
            let down = migration.down ?? ""
            let isAlone = ((try? SQLScript(down))?.statements ?? []).contains {
                StatementClassifier.kind(of: $0).needsNoTransaction
            }
            if isAlone { try await self.runAlone(down, session, step) }
            try await session.transaction(step) {
                if !isAlone, !down.isEmpty { try await session.script(down) }
                try await session.query(TenantStatements.forgetBackfill) { $0.text(migration.version.description) }
                try await session.query(TenantStatements.rollBackHistory) {
                    $0.text(migration.version.description)
                    $0.int64(step.fence)
                }
            }
        }
        try await self.failpoints.pass("RunDown", .afterEffect)
        return Done()
    }
}

extension Duration {
    var milliseconds: Int64 { self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000 }
}
