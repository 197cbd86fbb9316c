import Activities
import Foundation
import Worker

/// Waves: places, order, soak, judgement.
extension FleetWorkflow {
    func runPass(_ request: UpgradeRequest) async throws {
        let waves = self.state.passes[self.state.passIndex].waves
        while self.state.waveIndex < waves.count {
            let wave = self.state.waveIndex
            if waves[wave].total > 0 {
                if self.state.after == 0 {
                    try await self.note("wave_started", ["wave": waves[wave].name, "pass": self.state.pass.rawValue])
                }
                try await self.runWave(wave, request)
                if self.state.abort != nil { return }
                try await self.soak(wave, request)
                try await self.judge(wave, request)
                if self.state.abort != nil { return }
                if wave == 0, self.state.passIndex == 0, request.approvals.contains(.afterCanary) {
                    guard try await self.pass(.afterCanary) else {
                        self.state.abort = .leaveDone
                        return
                    }
                }
            }
            self.state.waveIndex += 1
            self.state.after = 0
        }
    }

    // MARK: One wave

    private func runWave(_ wave: Int, _ request: UpgradeRequest) async throws {
        self.phase = "wave \(self.state.passes[self.state.passIndex].waves[wave].name)"
        var startsNewRun = false
        try await withThrowingTaskGroup(of: Void.self) { group in
            var queue: [TenantPage.Entry] = []
            var isExhausted = false
            while self.state.abort == nil {
                if self.beganHere >= Self.tenantsPerRun || self.context?.isContinueAsNewSuggested == true {
                    startsNewRun = true
                    break
                }
                if self.state.retries.isEmpty, queue.isEmpty, !isExhausted {
                    queue = try await self.nextPage(wave)
                    isExhausted = queue.isEmpty
                }
                guard !self.state.retries.isEmpty || !queue.isEmpty else {
                    if try await self.isOver(request) { break }
                    continue
                }
                try await self.waitForPlace(request)
                if self.state.abort != nil { break }
                if !self.state.retries.isEmpty {
                    self.begin(self.state.retries.removeFirst(), wave, &group)
                } else {
                    let next = queue.removeFirst()
                    self.state.after = next.ordinal
                    if let reason = self.state.skips.removeValue(forKey: next.tenant) {
                        try await self.skip(next.tenant, wave, reason)
                    } else {
                        self.begin(next.tenant, wave, &group)
                    }
                }
            }
            _ = try await self.wait(.slot, "running tenants", status: self.status) { self.running.isEmpty }
            try await group.waitForAll()
        }
        if startsNewRun, self.state.abort == nil { throw try self.nextRun() }
    }

    /// Nothing is left to begin: waits for what runs, and for an operator while failures hold the fleet.
    ///
    /// - Returns: whether the wave is over.
    private func isOver(_ request: UpgradeRequest) async throws -> Bool {
        if !self.running.isEmpty {
            _ = try await self.wait(.slot, "running tenants", status: self.status) {
                self.running.isEmpty || !self.state.retries.isEmpty || self.state.abort != nil
            }
            return false
        }
        guard self.isHalted(request) else { return true }
        try await self.waitForOperator(request)
        return false
    }

    /// With `stop` the fleet halts as soon as more tenants failed than may; with `continue` only at the end of the wave.
    private func isHalted(_ request: UpgradeRequest) -> Bool {
        self.state.failures.count > request.maxFailedTenants
    }

    private func waitForOperator(_ request: UpgradeRequest) async throws {
        let failed = self.state.failures.map { "\($0.tenant): \($0.error ?? $0.state.rawValue)" }
        try await self.note(
            "approval_required",
            ["gate": "operator", "failures": failed.prefix(20).joined(separator: "; ")], state: "WAITING")
        _ = try await self.wait(.external, "operator") {
            self.state.abort != nil || !self.state.retries.isEmpty || !self.isHalted(request)
        }
    }

    /// Waits until one more tenant may begin.
    private func waitForPlace(_ request: UpgradeRequest) async throws {
        while self.state.abort == nil {
            if let window = request.window { try await self.waitForWindow(window) }
            let stops = request.onError == .stop
            if stops, self.isHalted(request), self.state.retries.isEmpty {
                _ = try await self.wait(.slot, "running tenants", status: self.status) {
                    self.running.isEmpty || !self.isHalted(request) || self.state.abort != nil
                        || !self.state.retries.isEmpty
                }
                if self.running.isEmpty, self.isHalted(request), self.state.retries.isEmpty, self.state.abort == nil {
                    try await self.waitForOperator(request)
                }
                continue
            }
            if self.state.isPaused {
                _ = try await self.wait(.external, "resume", status: .paused) {
                    !self.state.isPaused || self.state.abort != nil
                }
                continue
            }
            guard self.running.count >= self.state.maxConcurrent else { return }
            _ = try await self.wait(.slot, "place", status: self.status) {
                self.running.count < self.state.maxConcurrent || self.state.abort != nil
            }
        }
    }

    private func waitForWindow(_ window: UpgradeWindow) async throws {
        while self.state.abort == nil {
            if let opening = self.opening, opening.opensAt <= self.now, self.now < opening.closesAt { return }
            let opening: WindowAnswer = try await self.call(
                .windowOpens, WindowQuestion(window: window, now: self.now))
            self.opening = opening
            guard opening.opensAt > self.now else { return }
            _ = try await self.wait(.timer, "window", until: opening.opensAt) { self.state.abort != nil }
        }
    }

    private func nextPage(_ wave: Int) async throws -> [TenantPage.Entry] {
        let page: TenantPage = try await self.call(
            .nextTenants,
            NextTenants(
                step: self.fleetStep, pass: self.state.pass, wave: wave, after: self.state.after, limit: Self.pageSize))
        return page.tenants
    }

    private func skip(_ tenant: String, _ wave: Int, _ reason: String) async throws {
        guard let input else { return }
        let step = TenantStep(input.request, upgrade: input.upgrade, tenant: tenant, pass: self.state.pass)
        let _: Done = try await self.call(.skipTenant, TenantEnd(step: step, state: .skipped, error: reason))
        self.state.began(self.state.pass, wave)
        self.state.ended(TenantOutcome(tenant: tenant, state: .skipped, error: reason), self.state.pass, wave)
    }

    // MARK: One tenant

    private func begin(_ tenant: String, _ wave: Int, _ group: inout ThrowingTaskGroup<Void, any Error>) {
        guard let context, let input else { return }
        self.beganHere += 1
        self.state.beganAt = self.state.beganAt ?? self.now
        let pass = self.state.pass
        self.state.began(pass, wave)
        let scope = context.cancellationScope()
        self.running[tenant] = Running(wave: wave, scope: scope)
        let tenantInput = TenantInput(
            upgrade: input.upgrade, request: input.request, tenant: tenant, pass: pass,
            generation: self.state.generations[tenant] ?? 0, isLastPass: self.state.isLastPass)
        group.addTask {
            let outcome = try await self.outcome(of: tenantInput, scope)
            self.running[tenant] = nil
            self.state.ended(outcome, pass, wave)
            if outcome.state == .done { self.doneHere.append(outcome) }
        }
    }

    /// Runs a child and waits for its end, or until it waits for a person.
    func outcome(of tenant: TenantInput, _ scope: CancellationScope) async throws -> TenantOutcome {
        guard let context else { throw CanceledFailure() }
        do {
            let child = try await context.startChildWorkflow(
                TenantWorkflow.self, tenant,
                options: ChildWorkflowOptions(
                    id: tenant.request.workflowID(of: tenant.tenant), cancellation: .abandon,
                    parentClosePolicy: .abandon, summary: tenant.tenant))
            return try await scope.run { try await child.result() }
        } catch let failure as ChildWorkflowFailure {
            if let standing = self.running[tenant.tenant]?.standing { return standing }
            if context.isCancelRequested { throw CanceledFailure() }
            return TenantOutcome(tenant: tenant.tenant, state: .failed, error: "\(failure.cause ?? failure)")
        } catch is WorkflowAlreadyStarted {
            return TenantOutcome(
                tenant: tenant.tenant, state: .failed, error: "an earlier upgrade of the tenant waits for an operator")
        } catch let failure as CanceledFailure {
            guard let standing = self.running[tenant.tenant]?.standing else { throw failure }
            return standing
        }
    }

    /// Signal `tenant_stands`: a tenant waits for a person, or does so no longer.
    func stands(_ outcome: TenantOutcome) {
        if outcome.state == .needsOperator, self.running[outcome.tenant] != nil {
            self.running[outcome.tenant]?.standing = outcome
            self.running[outcome.tenant]?.scope.cancel()
        } else {
            self.state.resolved(outcome)
        }
    }

    // MARK: After a wave

    private func soak(_ wave: Int, _ request: UpgradeRequest) async throws {
        let seconds = request.waves[wave].soakSeconds
        guard seconds > 0 else { return }
        self.phase = "soak \(request.waves[wave].name)"
        try await self.note("wave_soaking", ["wave": request.waves[wave].name, "seconds": "\(seconds)"])
        _ = try await self.wait(.timer, "soak", until: self.now + seconds) { self.state.abort != nil }
    }

    private func judge(_ wave: Int, _ request: UpgradeRequest) async throws {
        while self.state.abort == nil {
            let health: WaveHealth = try await self.call(
                .checkWave,
                NextTenants(step: self.fleetStep, pass: self.state.pass, wave: wave, after: 0, limit: 0))
            if health.unhealthy.isEmpty { return }
            try await self.note(
                "approval_required",
                ["gate": "operator", "unhealthy": health.unhealthy.prefix(20).joined(separator: ",")], state: "WAITING")
            self.wantsNewLook = false
            _ = try await self.wait(.external, "operator") { self.state.abort != nil || self.wantsNewLook }
        }
    }

    /// A new run with the same state and an empty history.
    private func nextRun() throws -> ContinueAsNewRequest {
        guard let context, var input else { throw CanceledFailure() }
        input.state = self.state
        input.state?.steps = []
        return try context.continueAsNew(input)
    }

    // MARK: Taking it back

    func abort() async throws -> FleetResult {
        guard self.state.abort == .rollBackDone else {
            return try await self.finish(note: "aborted; what was done stays", status: .canceled)
        }
        self.status = .compensating
        self.phase = "rolling back"
        try await self.note("aborted", ["mode": FleetState.Abort.rollBackDone.rawValue], state: "COMPENSATING")
        var before = Int(Int32.max)
        while true {
            let page: TenantPage = try await self.call(
                .nextTenants,
                NextTenants(
                    step: self.fleetStep, pass: .all, wave: 0, after: before, limit: Self.pageSize, wantsDone: true))
            guard let last = page.tenants.last else { break }
            for entry in page.tenants { try await self.rollBack(entry.tenant) }
            before = last.ordinal
        }
        return try await self.finish(note: "taken back", status: .rolledBack)
    }

    /// Strictly one after the other, last first: whoever came first came with the least doubt.
    private func rollBack(_ tenant: String) async throws {
        guard let context, let input else { return }
        let pass = self.state.passes.first?.pass ?? .expand
        let scope = context.cancellationScope()
        self.running[tenant] = Running(wave: 0, scope: scope)
        let wish = TenantInput(
            upgrade: input.upgrade, request: input.request, tenant: tenant, pass: pass, mode: .rollBack,
            generation: (self.state.generations[tenant] ?? 0) + 1)
        let outcome = try await self.outcome(of: wish, scope)
        self.running[tenant] = nil
        for wave in self.state.passes[0].waves.indices where self.state.passes[0].waves[wave].count(.done) > 0 {
            // Waves are emptied from the last to the first, as their tenants are.
            let isLast = !self.state.passes[0].waves[(wave + 1)...].contains { $0.count(.done) > 0 }
            if isLast { return self.state.move(pass, wave, from: .done, to: outcome.state) }
        }
    }
}
