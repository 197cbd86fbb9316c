import Foundation
import Postgres

/// The fleet's own steps: the set, the tenants, the gate, the notes.
extension UpgradeServices {
    func loadSet(_ step: FleetStep, _ scope: EffectScope) async throws -> LoadedSet {
        try await self.failpoints.pass("LoadSet", .beforeEffect)
        let set = try await self.loadSet(step.request.migrationSet)
        let migrations = set.migrations.filter { $0.version <= step.request.targetVersion }
        guard migrations.contains(where: { $0.version == step.request.targetVersion }) else {
            throw EffectFailure(.invalid, "there is no \(step.request.targetVersion) in the migration set")
        }
        return LoadedSet(
            migrations: migrations.map {
                LoadedSet.Item(
                    version: $0.version, name: $0.name, phase: $0.phase, isTransactional: $0.isTransactional,
                    isIrreversible: $0.isIrreversible)
            })
    }

    /// More tenants than this are no fleet.
    static let tenantsMax = 100_000

    /// Writes down who is meant, in which order and wave; later changes of the tenants change nothing.
    func selectTenants(_ step: FleetStep, _ scope: EffectScope) async throws -> SelectedTenants {
        let request = step.request
        let set = try await self.loadSet(request.migrationSet)
        let op = OperationID(workflow: step.workflowID, step: "SelectTenants", index: String(step.upgrade.suffix(12)))
        let text = try PaymentJSON.text(request)
        return try await self.once(op) { connection in
            let selected = try await self.tenants(of: request, connection)
            let tenants = selected.map(\.id)
            let versions = selected.compactMap(\.version)
            let oldest = versions.count == selected.count ? versions.min() : nil
            try await connection.query(UpgradeStatements.putFleet) { parameters in
                parameters.text(step.upgrade)
                parameters.text(request.service)
                parameters.text(request.migrationSet)
                parameters.text(request.targetVersion.description)
                parameters.text(step.workflowID)
                parameters.text(text)
            }
            let sizes = WavePlan.sizes(of: request.waves, total: tenants.count)
            let waves = WavePlan.assignment(of: request.waves, total: tenants.count)
            for pass in Self.passes(of: request, set, oldest: oldest) {
                try await connection.query(UpgradeStatements.putTenantRun) {
                    $0.text(step.upgrade)
                    $0.text(pass.rawValue)
                    $0.texts(tenants)
                    $0.int32s(tenants.indices.map { Int32(clamping: $0 + 1) })
                    $0.int32s(waves.map { Int32(clamping: $0) })
                }
            }
            try await connection.query(UpgradeStatements.setTotal) {
                $0.text(step.upgrade)
                $0.int32(Int32(clamping: tenants.count))
            }
            return SelectedTenants(waves: sizes, oldest: oldest)
        }
    }

    /// The walks over the tenants that a request needs.
    static func passes(
        of request: UpgradeRequest, _ set: MigrationSet, oldest: MigrationVersion?
    ) -> [UpgradePass] {
        if request.strategy == .transactional { return [.all] }
        let hasContract = set.migrations.contains { migration in
            migration.phase == .contract && migration.version <= request.targetVersion
                && (oldest.map { migration.version > $0 } ?? true)
        }
        return hasContract ? [.expand, .contract] : [.expand]
    }

    private func tenants(
        of request: UpgradeRequest, _ connection: PostgresTransaction
    ) async throws -> [(id: String, version: MigrationVersion?)] {
        let selector = request.tenants
        let rows = try await connection.query(UpgradeStatements.tenantsOf) {
            $0.text(request.service)
            $0.texts(selector.ids ?? [])
            $0.text(selector.tier ?? "")
            $0.text(selector.region ?? "")
            $0.int32(Int32(clamping: Self.tenantsMax))
        }
        return try rows.map { row throws(PostgresError) in
            (try row.text(0), try row.textOrNil(1).flatMap { MigrationVersion($0) })
        }
    }

    func lint(_ step: FleetStep, _ scope: EffectScope) async throws -> LintReport {
        let set = try await self.loadSet(step.request.migrationSet)
        let findings = MigrationLint.findings(of: set).filter { finding in
            set.migrations.contains { $0.file == finding.file && $0.version <= step.request.targetVersion }
        }
        for (number, finding) in findings.enumerated() {
            try await self.query(UpgradeStatements.putFinding) { parameters in
                parameters.text(set.sha256)
                parameters.int32(Int32(clamping: number))
                parameters.text(finding.rule.rawValue)
                parameters.text(finding.file)
                parameters.int32(Int32(clamping: finding.line))
                parameters.text(finding.statement)
                parameters.text(finding.message)
                parameters.text(finding.allowedBecause)
            }
        }
        let blocking = findings.filter(\.isBlocking)
        return LintReport(blocking: blocking, allowed: findings.count - blocking.count)
    }

    func nextTenants(_ question: NextTenants, _ scope: EffectScope) async throws -> TenantPage {
        let rows =
            question.wantsDone
            ? try await self.query(UpgradeStatements.doneTenants) {
                $0.text(question.step.upgrade)
                $0.int32(Int32(clamping: question.after))
                $0.int32(Int32(clamping: question.limit))
            }
            : try await self.query(UpgradeStatements.nextTenants) {
                $0.text(question.step.upgrade)
                $0.text(question.pass.rawValue)
                $0.int32(Int32(clamping: question.wave))
                $0.int32(Int32(clamping: question.after))
                $0.int32(Int32(clamping: question.limit))
            }
        return TenantPage(
            tenants: try rows.map { row throws(PostgresError) in
                TenantPage.Entry(tenant: try row.text(0), ordinal: Int(try row.int32(1)))
            })
    }

    /// Passes over a tenant; it stays as it is.
    func skipTenant(_ end: TenantEnd, _ scope: EffectScope) async throws -> Done {
        let step = end.step
        let op = step.op("SkipTenant")
        return try await self.once(op) { connection in
            try await connection.query(UpgradeStatements.skipTenant) {
                $0.text(step.upgrade)
                $0.text(step.tenant)
                $0.text(end.error)
            }
            try await self.publish(
                "mig.tenant.skipped", subject: step.tenant, tenant: step.tenant,
                ["upgrade": step.upgrade, "service": step.service, "reason": end.error ?? ""], op: op.value,
                scope: scope, in: connection)
            return Done()
        }
    }

    func noteFleet(_ note: FleetNote, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(
            workflow: note.step.workflowID, step: "NoteFleet",
            index: "\(note.step.upgrade.suffix(12))/\(note.number)")
        let isOver = ["SUCCEEDED", "FAILED", "CANCELED", "ROLLED_BACK"].contains(note.state)
        return try await self.once(op) { connection in
            try await connection.query(UpgradeStatements.setFleetState) {
                $0.text(note.step.upgrade)
                $0.text(note.state)
                $0.bool(isOver)
            }
            if let approval = note.approval {
                try await connection.query(UpgradeStatements.putApproval) { parameters in
                    parameters.text(note.step.upgrade)
                    parameters.text(approval.gate.rawValue)
                    parameters.bool(approval.isApproved)
                    parameters.text(approval.by)
                    parameters.text(approval.reason)
                }
            }
            var data = note.data
            data["upgrade"] = note.step.upgrade
            data["service"] = note.step.request.service
            try await self.publish(
                "mig.fleet.\(note.event)", subject: "fleet:\(note.step.request.service)", tenant: "all", data,
                op: op.value, scope: scope, in: connection)
            return Done()
        }
    }

    /// Looks at every finished tenant of a wave.
    func checkWave(_ question: NextTenants, _ scope: EffectScope) async throws -> WaveHealth {
        let rows = try await self.query(UpgradeStatements.tenantsOfWave) {
            $0.text(question.step.upgrade)
            $0.text(question.pass.rawValue)
            $0.int32(Int32(clamping: question.wave))
        }
        var health = WaveHealth()
        for tenant in try rows.map({ row throws(PostgresError) in try row.text(0) }) {
            let step = TenantStep(
                question.step.request, upgrade: question.step.upgrade, tenant: tenant, pass: question.pass)
            do {
                _ = try await self.checkHealth(step, scope)
            } catch is EffectFailure {
                health.unhealthy.append(tenant)
            }
        }
        return health
    }

    func windowOpens(_ question: WindowQuestion, _ scope: EffectScope) async throws -> WindowAnswer {
        guard let answer = question.window.opening(at: question.now) else {
            throw EffectFailure(.invalid, "there is no time zone \(question.window.timeZone)")
        }
        return answer
    }
}

extension UpgradeWindow {
    /// The opening that is under way, or the next one; nil when the time zone is unknown.
    func opening(at now: Double) -> WindowAnswer? {
        guard let zone = TimeZone(identifier: self.timeZone) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let today = calendar.startOfDay(for: Date(timeIntervalSince1970: now))
        let length = self.untilMinute > self.fromMinute ? self.untilMinute : self.untilMinute + 24 * 60
        for day in -1...1 {
            guard let start = calendar.date(byAdding: .day, value: day, to: today),
                let opens = calendar.date(byAdding: .minute, value: self.fromMinute, to: start),
                let closes = calendar.date(byAdding: .minute, value: length, to: start)
            else { continue }
            if closes.timeIntervalSince1970 > now {
                return WindowAnswer(opensAt: opens.timeIntervalSince1970, closesAt: closes.timeIntervalSince1970)
            }
        }
        return nil
    }
}
