import Activities
import Synchronization
import Worker
import WorkerTesting
import Workflows

/// Activities without a world: they note that they ran and answer what the test wrote down, or the good answer.
final class UpgradeWorld: Sendable {
    private struct State: Sendable {
        var calls: [String] = []
        var failures: [String: [EffectFailure]] = [:]
        var running: Set<String> = []
        var runningMax = 0
        var ends: [TenantEnd] = []
        var notes: [FleetNote] = []
        var skipped: [String] = []
        var done: [String] = []
        var blocking: [LintFinding] = []
        var migrations: [LoadedSet.Item] = [
            .init(version: MigrationVersion(1, 0), name: "a", phase: .expand),
            .init(version: MigrationVersion(1, 1), name: "b", phase: .expand, isTransactional: false),
            .init(version: MigrationVersion(1, 2), name: "c", phase: .backfill),
        ]
        var unhealthy: [[String]] = []
        var began: @Sendable (String) async -> Void = { _ in }
    }

    private let state = Mutex(State())
    let tenants: [String]

    init(tenants: Int) {
        self.tenants = (0..<tenants).map { "t" + String(repeating: "0", count: 4 - "\($0 + 1)".count) + "\($0 + 1)" }
    }

    var calls: [String] { self.state.withLock { $0.calls } }
    var ends: [TenantEnd] { self.state.withLock { $0.ends } }
    var runningMax: Int { self.state.withLock { $0.runningMax } }
    var notes: [FleetNote] { self.state.withLock { $0.notes } }
    var events: [String] { self.notes.map(\.event) }
    var skipped: [String] { self.state.withLock { $0.skipped } }

    /// The next calls of a step on a tenant fail.
    func fails(_ call: String, _ failures: EffectFailure...) {
        self.state.withLock { $0.failures[call, default: []] += failures }
    }

    func withContract() {
        self.state.withLock {
            $0.migrations.append(
                .init(version: MigrationVersion(1, 3), name: "d", phase: .contract, isIrreversible: true))
        }
    }

    func blocks(_ findings: LintFinding...) { self.state.withLock { $0.blocking = findings } }
    func unhealthy(_ looks: [String]...) { self.state.withLock { $0.unhealthy = looks } }
    /// Called when a tenant begins.
    func onBegin(_ body: @escaping @Sendable (String) async -> Void) { self.state.withLock { $0.began = body } }

    private func note(_ call: String) throws {
        let failure = self.state.withLock { state -> EffectFailure? in
            state.calls.append(call)
            guard var left = state.failures[call], !left.isEmpty else { return nil }
            let next = left.removeFirst()
            state.failures[call] = left
            return next
        }
        if let failure { throw failure }
    }

    var fleetActivities: [RegisteredActivity] {
        [
            RegisteredActivity("LoadSet") { [self] (_: FleetStep, _) in
                try note("LoadSet")
                return LoadedSet(migrations: state.withLock { $0.migrations })
            },
            RegisteredActivity("SelectTenants") { [self] (step: FleetStep, _) in
                try note("SelectTenants")
                return SelectedTenants(waves: WavePlan.sizes(of: step.request.waves, total: tenants.count))
            },
            RegisteredActivity("Lint") { [self] (_: FleetStep, _) in
                try note("Lint")
                return LintReport(blocking: state.withLock { $0.blocking })
            },
            RegisteredActivity("ShadowRun") { [self] (_: FleetStep, _) in
                try note("ShadowRun")
                return ShadowReport()
            },
            RegisteredActivity("NextTenants") { [self] (question: NextTenants, _) in page(question) },
            RegisteredActivity("NoteFleet") { [self] (note: FleetNote, _) in
                state.withLock { $0.notes.append(note) }
                return Done()
            },
            RegisteredActivity("CheckWave") { [self] (_: NextTenants, _) in
                WaveHealth(unhealthy: state.withLock { $0.unhealthy.isEmpty ? [] : $0.unhealthy.removeFirst() })
            },
            RegisteredActivity("SkipTenant") { [self] (end: TenantEnd, _) in
                state.withLock { $0.skipped.append(end.step.tenant) }
                return Done()
            },
            RegisteredActivity("WindowOpens") { (question: WindowQuestion, _) in
                // Every full hour, for ten minutes.
                let hour = (question.now / 3600).rounded(.down) * 3600
                let opens = question.now < hour + 600 ? hour : hour + 3600
                return WindowAnswer(opensAt: opens, closesAt: opens + 600)
            },
            RegisteredActivity("RetireVersions") { [self] (_: FleetStep, _) in
                try note("RetireVersions")
                return Done()
            },
            RegisteredActivity("DeleteBackups") { [self] (_: FleetStep, _) in
                try note("DeleteBackups")
                return Done()
            },
        ]
    }

    private func page(_ question: NextTenants) -> TenantPage {
        if question.wantsDone {
            let done = self.state.withLock { $0.done }
            let entries = self.tenants.enumerated().filter {
                done.contains($0.element) && $0.offset + 1 < question.after
            }
            return TenantPage(
                tenants: entries.reversed().prefix(question.limit).map {
                    .init(tenant: $0.element, ordinal: $0.offset + 1)
                })
        }
        let waves = WavePlan.assignment(of: question.step.request.waves, total: self.tenants.count)
        let done = self.state.withLock { $0.done }
        let entries = self.tenants.enumerated().filter {
            waves[$0.offset] == question.wave && $0.offset + 1 > question.after
                && (question.pass != .contract || done.contains($0.element))
        }
        return TenantPage(
            tenants: entries.prefix(question.limit).map { .init(tenant: $0.element, ordinal: $0.offset + 1) })
    }

    var tenantActivities: [RegisteredActivity] {
        [
            RegisteredActivity("ResolveTenant") { [self] (step: TenantStep, _) in
                try note("ResolveTenant \(step.tenant)")
                return ResolvedTenant(cluster: "main", schemaVersion: nil, serverVersion: 150_000, databaseBytes: 0)
            },
            RegisteredActivity("TakeLease") { [self] (step: TenantStep, _) in
                let began = state.withLock { state in
                    state.running.insert(step.tenant)
                    state.runningMax = max(state.runningMax, state.running.count)
                    return state.began
                }
                try note("TakeLease \(step.tenant)")
                await began(step.tenant)
                return TakenLease(fence: 1)
            },
            RegisteredActivity("Preflight") { [self] (step: TenantStep, _) in
                try note("Preflight \(step.tenant)")
                let all = state.withLock { $0.migrations }.map {
                    PendingMigration(
                        version: $0.version,
                        kind: $0.phase == .backfill ? .backfill : $0.isTransactional ? .transaction : .statements,
                        phase: $0.phase)
                }
                let isDone = state.withLock { $0.done.contains(step.tenant) }
                return PreflightReport(
                    from: nil, pending: all.filter { step.pass.phases.contains($0.phase) },
                    applied: isDone && step.pass == .expand ? all : [], fingerprint: "f")
            },
            RegisteredActivity("Backup") { [self] (step: TenantStep, _) in
                try note("Backup \(step.tenant)")
                return BackupStandIn()
            },
            self.applying("ApplyTx"), self.applying("ApplyNonTx"), self.applying("Backfill"), self.plain("Verify"),
            self.plain("SwitchRoute"), self.plain("SwitchRouteBack"), self.plain("HealthCheck"), self.plain("RunDown"),
            self.plain("RestoreBackup"), self.plain("CreateVersion"), self.plain("DropVersion"),
            self.plain("DropOldVersions"),
            RegisteredActivity("FinishTenant") { [self] (end: TenantEnd, _) in
                state.withLock { state in
                    state.ends.append(end)
                    state.running.remove(end.step.tenant)
                    state.done.removeAll { $0 == end.step.tenant }
                    if end.state == .done { state.done.append(end.step.tenant) }
                }
                return Done()
            },
        ]
    }

    private func applying(_ name: String) -> RegisteredActivity {
        RegisteredActivity(name) { [self] (step: TenantStep, _) in
            try note("\(name) \(step.tenant)")
            return AppliedMigration(version: step.version ?? MigrationVersion(0, 0), milliseconds: 1)
        }
    }

    private func plain(_ name: String) -> RegisteredActivity {
        RegisteredActivity(name) { [self] (step: TenantStep, _) in
            try note("\(name) \(step.tenant)\(step.version.map { " \($0)" } ?? "")")
            return Done()
        }
    }

    /// The calls of one tenant, without its name.
    func calls(of tenant: String) -> [String] {
        self.calls.filter { $0.contains(" \(tenant)") }.map {
            $0.split(separator: " ").filter { $0 != tenant }.joined(separator: " ")
        }
    }

    // MARK: An upgrade

    static func request(_ change: (inout UpgradeRequest) -> Void = { _ in }) -> UpgradeRequest {
        var request = UpgradeRequest(
            service: "shop", targetVersion: MigrationVersion(1, 2), migrationSet: String(repeating: "a", count: 64))
        request.backup = false
        change(&request)
        return request
    }

    /// Runs `body` beside the workers of the family.
    func with(_ body: @Sendable (TestEnvironment) async throws -> Void) async throws {
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                taskQueue: UpgradeQueues.main, workflows: UpgradeWorkflows.all,
                activities: self.fleetActivities + self.tenantActivities
            ) {
                try await environment.withWorker(
                    taskQueue: UpgradeQueues.cluster("main"), activities: self.tenantActivities
                ) { try await body(environment) }
            }
        }
    }

    static func start(
        _ environment: TestEnvironment, _ request: UpgradeRequest = UpgradeWorld.request(), requestedBy: String? = nil
    ) async throws -> WorkflowHandle<FleetResult> {
        try await environment.client.start(
            FleetWorkflow.self, FleetInput(upgrade: "up-1", request: request, requestedBy: requestedBy),
            options: StartOptions(id: request.workflowID, taskQueue: UpgradeQueues.main))
    }
}

/// A backup as the activity answers it.
private struct BackupStandIn: Codable, Sendable {
    var path = "/tmp/b"
    var sha256 = "0"
    var bytes = 1
}
