import Activities
import Foundation
import Synchronization
import Testing
import Worker
import WorkerTesting
import Workflows

@Suite("mig.Fleet", .serialized, .timeLimit(.minutes(10)))
struct FleetWorkflowTests {
    private func replays(_ handle: WorkflowHandle<FleetResult>) async throws {
        let history = try await handle.fetchHistory()
        let report = try WorkflowReplayer(workflows: UpgradeWorkflows.all).replay(
            encoded: history.events, workflowID: history.workflowID, runID: "run")
        #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
    }

    @Test("1: all tenants in order of waves, no more at once than allowed, with soak between")
    func waves() async throws {
        let world = UpgradeWorld(tenants: 20)
        try await world.with { environment in
            let began = environment.now
            let handle = try await UpgradeWorld.start(environment)
            let result = try await handle.result()
            #expect(result.status == "SUCCEEDED" && result.counts["done"] == 20 && result.failures.isEmpty)
            #expect(environment.now.timeIntervalSince(began) >= 600 + 1_800)
            #expect(world.runningMax <= 5 && world.runningMax >= 2)
            let order = world.calls.filter { $0.hasPrefix("TakeLease") }.map { String($0.suffix(5)) }
            #expect(order.prefix(2) == ["t0001", "t0002"] && Set(order) == Set(world.tenants))
            #expect(
                world.events == [
                    "started", "wave_started", "wave_soaking", "wave_started", "wave_soaking", "wave_started",
                    "completed",
                ])
            #expect(
                world.calls(of: "t0001") == [
                    "ResolveTenant", "TakeLease", "Preflight", "ApplyTx", "ApplyNonTx", "Backfill", "Verify",
                    "SwitchRoute", "HealthCheck",
                ])
            let progress: FleetProgress = try await handle.query("progress")
            #expect(progress.common.percent == 100 && progress.common.counts["total"] == 20)
            #expect(progress.passes[0].waves.map(\.total) == [1, 1, 18])
            try await self.replays(handle)
        }
    }

    @Test("6: a failure is undone, stops new tenants, and waits for an operator who lets it try again")
    func stopsOnError() async throws {
        let world = UpgradeWorld(tenants: 12)
        world.fails("ApplyNonTx t0005", EffectFailure(.permanent(code: "DataViolation"), "duplicate key"))
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(environment, UpgradeWorld.request { $0.maxConcurrent = 2 })
            try await environment.sleep(for: .seconds(7_200))
            let progress: FleetProgress = try await handle.query("progress")
            #expect(progress.common.status == .waiting && progress.common.waitingFor?.name == "operator")
            #expect(
                progress.failures == [
                    TenantOutcome(tenant: "t0005", state: .rolledBack, error: "DataViolation: duplicate key")
                ])
            #expect(
                world.calls(of: "t0005").suffix(3) == ["ApplyNonTx", "RunDown V1.1", "RunDown V1.0"])
            let begun = world.calls.count { $0.hasPrefix("TakeLease") }
            #expect(begun < 12 && progress.common.counts["running"] == 0)
            await #expect(throws: (any Error).self) {
                try await handle.executeUpdate(
                    "retry_tenant", TenantWish(tenant: "t0001"), returning: [String: Int].self)
            }
            _ = try await handle.executeUpdate(
                "retry_tenant", TenantWish(tenant: "t0005"), returning: [String: Int].self)
            let result = try await handle.result()
            #expect(result.status == "SUCCEEDED" && result.counts["done"] == 12 && result.failures.isEmpty)
            try await self.replays(handle)
        }
    }

    @Test("7: with continue and room for failures the fleet goes on and lists them")
    func continuesOnError() async throws {
        let world = UpgradeWorld(tenants: 12)
        world.fails("ApplyTx t0004", EffectFailure(.permanent(code: "SyntaxError"), "no such column"))
        world.fails("ResolveTenant t0007", EffectFailure(.permanent(code: "UnknownTenant"), "nobody"))
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(
                environment,
                UpgradeWorld.request {
                    $0.onError = .continue
                    $0.maxFailedTenants = 3
                })
            let result = try await handle.result()
            #expect(result.status == "SUCCEEDED")
            #expect(result.counts["done"] == 10 && result.counts["rolled_back"] == 1 && result.counts["failed"] == 1)
            #expect(Set(result.failures.map(\.tenant)) == ["t0004", "t0007"])
        }
    }

    @Test("10: pause lets running tenants end and starts none; resume goes on")
    func pause() async throws {
        let world = UpgradeWorld(tenants: 20)
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(environment)
            world.onBegin { tenant in
                if tenant == "t0006" { try? await handle.signal("pause") }
            }
            try await environment.sleep(for: .seconds(10_000))
            let progress: FleetProgress = try await handle.query("progress")
            #expect(progress.common.status == .paused && progress.common.counts["running"] == 0)
            let begun = world.calls.count { $0.hasPrefix("TakeLease") }
            #expect((6...12).contains(begun), "\(begun)")
            try await environment.sleep(for: .seconds(10_000))
            #expect(world.calls.count { $0.hasPrefix("TakeLease") } == begun)
            try await handle.signal("resume")
            #expect(try await handle.result().counts["done"] == 20)
        }
    }

    @Test("11: without a word the contract gate expires after seven days: expanded, not contracted")
    func gateExpires() async throws {
        let world = UpgradeWorld(tenants: 3)
        world.withContract()
        try await world.with { environment in
            let began = environment.now
            let handle = try await UpgradeWorld.start(
                environment, UpgradeWorld.request { $0.targetVersion = MigrationVersion(1, 3) })
            let result = try await handle.result()
            #expect(result.note == "expanded, not contracted" && result.status == "SUCCEEDED")
            #expect(environment.now.timeIntervalSince(began) >= 7 * 24 * 3600)
            #expect(world.events.contains("approval_expired"))
            #expect(world.notes.contains { $0.data["reminder"] == "1" })
            #expect(!world.calls(of: "t0001").dropFirst(9).contains { $0.hasPrefix("Apply") })
        }
    }

    @Test("An approval counts once, at its own gate, by somebody else; then the contract pass runs")
    func approval() async throws {
        let world = UpgradeWorld(tenants: 3)
        world.withContract()
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(
                environment,
                UpgradeWorld.request {
                    $0.targetVersion = MigrationVersion(1, 3)
                    $0.approvals = [.start, .contract]
                }, requestedBy: "ann")
            func approve(_ gate: UpgradeGate, by: String) async throws {
                _ = try await handle.executeUpdate(
                    "approve", GateDecision(gate: gate, by: by, reason: "read it"), returning: [String: Int].self)
            }
            try await environment.sleep(for: .seconds(60))
            #expect(!world.calls.contains { $0.hasPrefix("TakeLease") })
            await #expect(throws: (any Error).self) { try await approve(.contract, by: "bob") }
            try await approve(.start, by: "ann")
            try await environment.sleep(for: .seconds(20_000))
            await #expect(throws: (any Error).self) { try await approve(.contract, by: "ann") }
            try await approve(.contract, by: "bob")
            let result = try await handle.result()
            #expect(result.counts["done"] == 6 && result.counts["total"] == 6)
            #expect(world.notes.compactMap(\.approval).map(\.by) == ["ann", "bob"])
            #expect(world.calls(of: "t0002").filter { $0 == "ApplyTx" }.count == 2)
            #expect(world.calls(of: "t0002").filter { $0 == "SwitchRoute" }.count == 1)
            try await self.replays(handle)
        }
    }

    @Test("12: the gate in front blocks before any tenant, naming file, line and rule")
    func lint() async throws {
        let world = UpgradeWorld(tenants: 3)
        world.blocks(
            LintFinding(rule: .ginOnJson, file: "V1.1__settings.sql", line: 4, statement: "", message: "use jsonb"))
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(environment)
            await #expect {
                try await handle.result()
            } throws: { error in
                "\(error)".contains("V1.1__settings.sql:4: gin-on-json") || "\(error)".contains("LintBlocked")
                    || "\((error as? WorkflowFailed)?.cause as Any)".contains("gin-on-json")
            }
            #expect(!world.calls.contains { $0.hasPrefix("ResolveTenant") } && !world.calls.contains("ShadowRun"))
        }
    }

    @Test("15: abort with rollback takes back all that is done, last first")
    func abort() async throws {
        let world = UpgradeWorld(tenants: 20)
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(environment, UpgradeWorld.request { $0.maxConcurrent = 1 })
            let isAsked = Mutex(false)
            world.onBegin { tenant in
                guard tenant == "t0008",
                    isAsked.withLock({ asked in
                        defer { asked = true }; return !asked
                    })
                else { return }
                _ = try? await handle.executeUpdate(
                    "abort", AbortWish(mode: .rollBackDone, by: "ann"), returning: [String: Int].self)
            }
            let result = try await handle.result()
            #expect(result.status == "ROLLED_BACK" && result.counts["rolled_back"] == 8 && result.counts["done"] == 0)
            let back = world.ends.filter { $0.state == .rolledBack }.map(\.step.tenant)
            #expect(back == world.tenants.prefix(8).reversed())
            #expect(
                world.calls(of: "t0008").suffix(4) == [
                    "SwitchRouteBack", "RunDown V1.2", "RunDown V1.1", "RunDown V1.0",
                ])
        }
    }

    @Test("A tenant that cannot be undone waits for a person without holding the others up")
    func needsOperator() async throws {
        let world = UpgradeWorld(tenants: 8)
        world.fails("ApplyNonTx t0003", EffectFailure(.permanent(code: "DataViolation"), "twice"))
        let broken = EffectFailure(.permanent(code: "SyntaxError"), "wrong down")
        world.fails("RunDown t0003 V1.0", broken, broken)
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(
                environment,
                UpgradeWorld.request {
                    $0.onError = .continue
                    $0.maxFailedTenants = 2
                    $0.maxConcurrent = 1
                })
            let result = try await handle.result()
            #expect(result.counts["done"] == 7 && result.counts["needs_operator"] == 1)
            let tenant = environment.client.handle(workflowID: "mig:shop:t0003", returning: TenantOutcome.self)
            let progress: OperationProgress = try await tenant.query("progress")
            #expect(progress.waitingFor?.name == "operator")
            await #expect(throws: (any Error).self) {
                try await tenant.executeUpdate(
                    "resolve", TenantResolution(action: .restore, by: "ann", reason: ""), returning: NoValue.self)
            }
            _ = try await tenant.executeUpdate(
                "resolve", TenantResolution(action: .retry, by: "ann", reason: "fixed by hand"), returning: NoValue.self
            )
            let outcome = try await tenant.result()
            #expect(outcome.state == .rolledBack && outcome.error?.contains("twice") == true)
        }
    }

    @Test("Skipped tenants are passed over; the number at once can be changed; windows are waited for")
    func wishes() async throws {
        let world = UpgradeWorld(tenants: 10)
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(
                environment,
                UpgradeWorld.request { $0.window = UpgradeWindow(timeZone: "UTC", fromMinute: 0, untilMinute: 1) })
            _ = try await handle.executeUpdate(
                "skip_tenant", TenantWish(tenant: "t0009", reason: "moves out"), returning: [String: Int].self)
            _ = try await handle.executeUpdate(
                "set_concurrency", ConcurrencyWish(count: 1), returning: [String: Int].self)
            await #expect(throws: (any Error).self) {
                try await handle.executeUpdate(
                    "set_concurrency", ConcurrencyWish(count: 51), returning: [String: Int].self)
            }
            let result = try await handle.result()
            #expect(result.counts["done"] == 9 && result.counts["skipped"] == 1)
            #expect(world.skipped == ["t0009"] && world.runningMax == 1)
        }
    }

    @Test("18: a long fleet goes on in new runs; no history grows long and the counts stay exact")
    func continuesAsNew() async throws {
        let world = UpgradeWorld(tenants: 520)
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(
                environment,
                UpgradeWorld.request {
                    $0.maxConcurrent = 50
                    $0.waves = [WaveSpec(name: "all", percent: 100, soakSeconds: 0)]
                })
            let result = try await handle.result()
            #expect(result.counts["done"] == 520 && result.counts["total"] == 520)
            let last = try await environment.client.handle(workflowID: "mig:shop", returning: FleetResult.self)
                .fetchHistory()
            #expect(last.events.count < 10_000)
            #expect(Set(world.ends.map(\.step.tenant)).count == 520 && world.ends.count == 520)
        }
    }

    @Test("Backups are deleted after seven days by a workflow of its own")
    func cleanup() async throws {
        let world = UpgradeWorld(tenants: 2)
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(environment, UpgradeWorld.request { $0.backup = true })
            _ = try await handle.result()
            #expect(!world.calls.contains("DeleteBackups"))
            _ = try await environment.client.handle(workflowID: "mig-cleanup:up-1", returning: NoValue.self).result()
            #expect(world.calls.contains("DeleteBackups"))
            #expect(world.calls(of: "t0001")[3] == "Backup")
        }
    }

    @Test("A wave that is not well waits for an operator's look")
    func unhealthy() async throws {
        let world = UpgradeWorld(tenants: 3)
        world.unhealthy(["t0001"], [])
        try await world.with { environment in
            let handle = try await UpgradeWorld.start(environment)
            try await environment.sleep(for: .seconds(4_000))
            let progress: FleetProgress = try await handle.query("progress")
            #expect(progress.common.waitingFor?.name == "operator" && progress.common.counts["done"] == 1)
            try await handle.signal("resume")
            #expect(try await handle.result().counts["done"] == 3)
        }
    }

    @Test(
        "Blue and green: views of the new version before the route, none left after a failure; the old ones go after a day"
    )
    func blueGreen() async throws {
        let world = UpgradeWorld(tenants: 3)
        world.withContract()
        world.fails("HealthCheck t0002", EffectFailure(.permanent(code: "Unhealthy"), "broken"))
        try await world.with { environment in
            let began = environment.now
            let handle = try await UpgradeWorld.start(
                environment,
                UpgradeWorld.request {
                    $0.targetVersion = MigrationVersion(1, 3)
                    $0.strategy = .blueGreen
                    $0.onError = .continue
                    $0.maxFailedTenants = 1
                    $0.approvals = []
                })
            // Not asked for, but what cannot be brought back is approved by somebody.
            try await environment.sleep(for: .seconds(20_000))
            _ = try await handle.executeUpdate(
                "approve", GateDecision(gate: .contract, by: "bob", reason: "read it"), returning: [String: Int].self)
            let result = try await handle.result()
            #expect(result.counts["done"] == 4 && result.counts["rolled_back"] == 1)
            #expect(
                world.calls(of: "t0001").dropFirst(6) == [
                    "Verify", "CreateVersion", "SwitchRoute", "HealthCheck", "ResolveTenant", "TakeLease", "Preflight",
                    "DropOldVersions", "ApplyTx", "Verify", "HealthCheck",
                ])
            #expect(
                world.calls(of: "t0002").suffix(5) == [
                    "SwitchRouteBack", "DropVersion", "RunDown V1.2", "RunDown V1.1", "RunDown V1.0",
                ])
            _ = try await environment.client.handle(workflowID: "mig-cleanup:up-1", returning: NoValue.self).result()
            #expect(world.calls.last == "RetireVersions")
            #expect(environment.now.timeIntervalSince(began) >= 24 * 3600)
        }
    }
}
