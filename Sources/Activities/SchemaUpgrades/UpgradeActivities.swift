public import Worker

/// The schema upgrades' activities, by the names histories know.
public enum UpgradeActivities {
    /// Everything a worker of the family registers.
    ///
    /// Names are the contract; each serves many attempts at once and is safe to run again.
    public static func all(_ services: UpgradeServices) -> [RegisteredActivity] {
        let quick = RetryBackoff(base: .milliseconds(500), cap: .seconds(10))
        let lease = RetryBackoff(base: .seconds(1), cap: .seconds(30))
        let calm = RetryBackoff(base: .seconds(5), cap: .seconds(60))
        let apply = RetryBackoff(base: .seconds(1), cap: .seconds(60))
        let route = RetryBackoff(base: .milliseconds(200), cap: .seconds(5))
        return [
            step("LoadSet", quick, services.loadSet), step("SelectTenants", quick, services.selectTenants),
            step("Lint", quick, services.lint), step("ShadowRun", apply, services.shadowRun),
            step("NextTenants", quick, services.nextTenants), step("NoteFleet", quick, services.noteFleet),
            step("CheckWave", apply, services.checkWave), step("WindowOpens", quick, services.windowOpens),
            step("SkipTenant", quick, services.skipTenant), step("DeleteBackups", apply, services.deleteBackups),
            step("ResolveTenant", quick, services.resolveTenant), step("TakeLease", lease, services.takeLease),
            step("Preflight", calm, services.preflight), step("Backup", calm, services.backup),
            step("ApplyTx", apply, services.applyTx), step("ApplyNonTx", apply, services.applyStatements),
            step("Backfill", apply, services.backfill), step("Verify", apply, services.verify),
            step("SwitchRoute", route, services.switchRoute), step("SwitchRouteBack", apply, services.switchRouteBack),
            step("HealthCheck", quick, services.checkHealth), step("RunDown", apply, services.runDown),
            step("CreateVersion", apply, services.createVersion), step("DropVersion", apply, services.dropVersion),
            step("DropOldVersions", apply, services.dropOldVersions),
            step("RetireVersions", apply, services.retireVersions),
            step("RestoreBackup", apply, services.restoreBackup), step("FinishTenant", quick, services.finishTenant),
        ]
    }

    private static func step<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ name: String, _ backoff: RetryBackoff, _ body: @escaping @Sendable (Input, EffectScope) async throws -> Output
    ) -> RegisteredActivity {
        RegisteredActivity(name, retryBackoff: backoff) { (input: Input, context: ActivityContext) in
            let scope = EffectScope(
                workflowID: context.info.workflowID, namespace: context.info.namespace,
                timeRemaining: context.timeRemaining)
            async let _ = ActivityPulse.beat(context)  // ends with the scope
            return try await body(input, scope)
        }
    }
}
