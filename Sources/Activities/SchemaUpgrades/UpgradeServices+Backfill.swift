import Foundation
import Postgres
import Worker

/// Step 7: rows in batches along a key, each batch one transaction that also stores how far it came.
extension UpgradeServices {
    private struct Place: Sendable {
        var lastKey: String?
        var visited: Int64 = 0
        var touched: Int64 = 0
        var isDone = false
    }

    /// Looked at once in so many batches.
    private static let batchesBetweenLooks = 8
    private static let busyPause = Duration.milliseconds(500)

    func backfill(_ step: TenantStep, _ scope: EffectScope) async throws -> AppliedMigration {
        let migration = try await self.migration(step)
        guard let plan = migration.backfill, let sql = BackfillSQL(migration.up) else {
            throw EffectFailure(.invalid, "\(migration.file) is no backfill")
        }
        try await self.failpoints.pass("Backfill", .beforeEffect)
        let op = step.op("Backfill")
        let applied = try await self.withTenant(step, op: op) { session in
            let began = ContinuousClock.now
            if let known = try await self.known(session, step, migration) {
                let place = try await self.place(session, migration)
                return AppliedMigration(
                    version: known.version, milliseconds: known.milliseconds, visited: place.visited,
                    touched: place.touched)
            }
            let place = try await self.walk(session, step, migration, plan, sql)
            let applied = AppliedMigration(
                version: migration.version, milliseconds: (ContinuousClock.now - began).milliseconds,
                visited: place.visited, touched: place.touched)
            try await session.transaction(step) {
                try await self.putHistory(session, step, migration, op: op, state: "applied", applied.milliseconds)
            }
            return applied
        }
        try await self.failpoints.pass("Backfill", .afterEffect)
        try await self.noteStep(step, "Backfill \(migration.version)", op: op, scope)
        return applied
    }

    private func walk(
        _ session: TenantSession, _ step: TenantStep, _ migration: Migration, _ plan: BackfillPlan, _ sql: BackfillSQL
    ) async throws -> Place {
        let type = try await self.keyType(session, plan)
        var place = try await self.place(session, migration)
        var batches = 0
        while !place.isDone {
            try Task.checkCancellation()
            if batches % Self.batchesBetweenLooks == 0 { try await self.waitForPeace(session) }
            batches += 1
            let before = place
            place = try await session.transaction(step) {
                try await self.batch(session, step, migration, plan, sql, type: type, from: before)
            }
            ActivityContext.current?.heartbeat(place.visited)
            try await self.failpoints.pass("BackfillBatch", .afterEffect)
            if plan.sleepMilliseconds > 0, !place.isDone {
                try await Task.sleep(for: .milliseconds(plan.sleepMilliseconds))
            }
        }
        return place
    }

    /// One batch: the rows between the stored key and the key so many rows on.
    private func batch(
        _ session: TenantSession, _ step: TenantStep, _ migration: Migration, _ plan: BackfillPlan, _ sql: BackfillSQL,
        type: String, from place: Place
    ) async throws -> Place {
        var place = place
        let hasLower = place.lastKey != nil
        let lower = place.lastKey
        let ends = try await session.query(TenantStatements.batchEnd(plan, type: type, hasLower: hasLower)) {
            $0.text(lower)
            $0.int32(Int32(clamping: plan.batch))
        }
        if let upper = try ends[0].textOrNil(0) {
            let changed = try await session.query(TenantStatements.batch(sql, plan, type: type, hasLower: hasLower)) {
                $0.text(lower)
                $0.text(upper)
            }
            place.visited += try ends[0].int64(1)
            place.touched += Int64(changed.affectedRows)
            place.lastKey = upper
        } else {
            place.isDone = true
        }
        let saved = place
        try await session.query(TenantStatements.saveBackfill) { parameters in
            parameters.text(migration.version.description)
            parameters.text(saved.lastKey)
            parameters.int64(saved.visited)
            parameters.int64(saved.touched)
            parameters.bool(saved.isDone)
            parameters.int64(step.fence)
        }
        return place
    }

    private func place(_ session: TenantSession, _ migration: Migration) async throws -> Place {
        let rows = try await session.query(TenantStatements.backfill) { $0.text(migration.version.description) }
        guard rows.count == 1 else { return Place() }
        return Place(
            lastKey: try rows[0].textOrNil(0), visited: try rows[0].int64(1), touched: try rows[0].int64(2),
            isDone: try rows[0].bool(3))
    }

    private func keyType(_ session: TenantSession, _ plan: BackfillPlan) async throws -> String {
        let rows = try await session.query(TenantStatements.keyColumn) {
            $0.text(SQLName.quotedPath(plan.table))
            $0.text(plan.key)
        }
        guard rows.count == 1 else {
            throw EffectFailure(.permanent(code: "SyntaxError"), "there is no column \(plan.key) in \(plan.table)")
        }
        guard try rows[0].bool(1) else {
            throw EffectFailure(
                .permanent(code: "DataViolation"), "\(plan.table).\(plan.key) may be null: rows would be passed over")
        }
        return try rows[0].text(0)
    }

    /// Others go first: while replicas are behind or many sessions are busy, nothing is changed.
    private func waitForPeace(_ session: TenantSession) async throws {
        while true {
            let lag = try await session.query(TenantStatements.replicaLag)[0].double(0)
            let active = try await session.query(TenantStatements.activeSessions)[0].int64(0)
            if lag <= self.settings.replicaLagSecondsMax, active <= self.settings.activeSessionsMax { return }
            try await Task.sleep(for: Self.busyPause)
        }
    }

    // MARK: Step 8

    /// The catalog is the one the scratch database ended with, the queries find nothing, the backfills changed rows.
    func verify(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        try scope.checkTime()
        try await self.failpoints.pass("Verify", .beforeEffect)
        let set = try await self.loadSet(step.migrationSet)
        let expected = try await self.expectedFingerprint(step)
        try await self.withTenant(step, op: step.op("Verify"), isLong: true) { session in
            let history = try await self.history(session)
            let mine = history.filter { $0.state == "applied" && $0.appliedBy == step.upgrade }
            for row in mine {
                guard let migration = set[row.version], step.pass.phases.contains(migration.phase) else { continue }
                try await self.checkQueries(session, migration)
                try await self.checkRows(session, migration)
            }
            if let expected, !expected.isEmpty {
                let found = try await self.fingerprint(session)
                guard found == expected else {
                    throw EffectFailure(
                        .permanent(code: "VerifyFailed"),
                        "the catalog is not the one of the scratch database: \(found.prefix(12)), expected \(expected.prefix(12))"
                    )
                }
            }
        }
        return Done()
    }

    private func expectedFingerprint(_ step: TenantStep) async throws -> String? {
        let rows = try await self.query(UpgradeStatements.shadow) { $0.text(step.upgrade) }
        guard rows.count == 1, let text = try rows[0].textOrNil(0) else { return nil }
        let report = try PaymentJSON.value(ShadowReport.self, text)
        return step.pass == .expand ? report.expanded : report.contracted
    }

    private func checkQueries(_ session: TenantSession, _ migration: Migration) async throws {
        guard let verify = migration.verify else { return }
        for statement in (try? SQLScript(verify))?.statements ?? [] {
            let rows = try await session.query(Statement("", statement.text))
            guard rows.count == 0 else {
                throw EffectFailure(
                    .permanent(code: "VerifyFailed"),
                    "\(migration.version): \(rows.count) rows are found by: \(statement.headline)")
            }
        }
    }

    private func checkRows(_ session: TenantSession, _ migration: Migration) async throws {
        guard migration.backfill != nil else { return }
        let place = try await self.place(session, migration)
        let least: Int64
        switch migration.expectation {
        case .some: least = min(1, place.visited)
        case .all: least = place.visited
        case .rows(let count): least = Int64(count)
        }
        guard place.touched >= least else {
            throw EffectFailure(
                .permanent(code: "VerifyFailed"),
                "\(migration.version): backfill touched \(place.touched) of \(place.visited) rows")
        }
    }
}
