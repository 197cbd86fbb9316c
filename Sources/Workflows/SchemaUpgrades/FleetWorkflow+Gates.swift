import Activities
import Foundation
public import Worker

/// Places where a person decides.
extension FleetWorkflow {
    /// After this long without a word somebody is reminded.
    private static let reminderSeconds = 4.0 * 3600
    /// After this long silence is a no.
    private static let expirySeconds = 7.0 * 24 * 3600

    /// Waits at a gate.
    ///
    /// - Returns: whether it was approved; a rejection and an expiry are the same.
    func pass(_ gate: UpgradeGate) async throws -> Bool {
        self.decision = nil
        self.openGate = gate
        defer { self.openGate = nil }
        self.phase = "gate \(gate.rawValue)"
        let expires = self.now + Self.expirySeconds
        try await self.note("approval_required", ["gate": gate.rawValue], state: "WAITING")
        var isDecided = try await self.wait(.approval, gate.rawValue, until: self.now + Self.reminderSeconds) {
            self.decision != nil || self.state.abort != nil
        }
        if !isDecided {
            try await self.note("approval_required", ["gate": gate.rawValue, "reminder": "1"], state: "WAITING")
            isDecided = try await self.wait(.approval, gate.rawValue, until: expires) {
                self.decision != nil || self.state.abort != nil
            }
        }
        guard let decision, isDecided else {
            try await self.note("approval_expired", ["gate": gate.rawValue])
            return false
        }
        try await self.note(
            decision.isApproved ? "approved" : "rejected", ["gate": gate.rawValue, "by": decision.by],
            approval: decision)
        if decision.isApproved { self.state.passedGates.append(gate) }
        return decision.isApproved
    }

    /// A decision changes nothing unless its gate is open and somebody else than who asked makes it.
    private func refuse(_ decision: GateDecision) throws {
        guard self.openGate == decision.gate, self.decision == nil else {
            throw ApplicationFailure(
                "the gate \(decision.gate.rawValue) is not waited at", type: "GateNotOpen", isNonRetryable: true)
        }
        guard !decision.by.isEmpty else {
            throw ApplicationFailure("somebody has to decide", type: "Invalid", isNonRetryable: true)
        }
        if decision.gate == .contract, decision.isApproved, decision.by == self.input?.requestedBy {
            throw ApplicationFailure(
                "who asked for it may not approve it", type: "SamePerson", isNonRetryable: true)
        }
    }

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<FleetWorkflow>) {
        handlers.signal("pause") { $0.setPaused(true) }
        handlers.signal("resume") { workflow in
            workflow.setPaused(false)
            workflow.wantsNewLook = true
        }
        handlers.signal("tenant_stands", TenantOutcome.self) { $0.stands($1) }
        for (name, isApproved) in [("approve", true), ("reject", false)] {
            handlers.update(
                name, GateDecision.self,
                validator: { workflow, decision in
                    var decision = decision
                    decision.isApproved = isApproved
                    try workflow.refuse(decision)
                }
            ) { workflow, decision in
                workflow.decision = GateDecision(
                    gate: decision.gate, by: decision.by, reason: decision.reason, isApproved: isApproved)
                return workflow.counts
            }
        }
        self.registerTenantUpdates(&handlers)
        self.registerQueries(&handlers)
    }

    private static func registerTenantUpdates(_ handlers: inout WorkflowHandlers<FleetWorkflow>) {
        handlers.update(
            "skip_tenant", TenantWish.self,
            validator: { workflow, wish in
                guard workflow.running[wish.tenant] == nil else {
                    throw ApplicationFailure("the tenant runs", type: "Running", isNonRetryable: true)
                }
            }
        ) { workflow, wish in
            if workflow.state.settle(wish.tenant, as: .skipped) == nil {
                workflow.state.skips[wish.tenant] = wish.reason ?? "skipped"
            }
            return workflow.counts
        }
        handlers.update(
            "retry_tenant", TenantWish.self,
            validator: { workflow, wish in
                guard
                    workflow.state.failures.contains(where: { $0.tenant == wish.tenant && $0.state != .needsOperator })
                else {
                    throw ApplicationFailure("the tenant has not failed", type: "NotFailed", isNonRetryable: true)
                }
            }
        ) { workflow, wish in
            if workflow.state.settle(wish.tenant, as: nil) != nil {
                workflow.state.generations[wish.tenant, default: 0] += 1
                workflow.state.retries.append(wish.tenant)
            }
            return workflow.counts
        }
        handlers.update(
            "set_concurrency", ConcurrencyWish.self,
            validator: { _, wish in
                guard (1...UpgradeRequest.maxConcurrentMax).contains(wish.count) else {
                    throw ApplicationFailure("expected 1 to 50", type: "Invalid", isNonRetryable: true)
                }
            }
        ) { workflow, wish in
            workflow.state.maxConcurrent = wish.count
            return workflow.counts
        }
        handlers.update(
            "abort", AbortWish.self,
            validator: { workflow, _ in
                guard workflow.state.abort == nil, !workflow.isEnding else {
                    throw ApplicationFailure("it is being ended already", type: "AlreadyOver", isNonRetryable: true)
                }
            }
        ) { workflow, wish in
            workflow.state.abort = wish.mode
            return workflow.counts
        }
        handlers.update(
            "cancel", FleetReason.self,
            validator: { workflow, _ in
                guard workflow.state.abort == nil, !workflow.isEnding else {
                    throw ApplicationFailure("it is being ended already", type: "AlreadyOver", isNonRetryable: true)
                }
            }
        ) { workflow, _ in
            workflow.state.abort = .rollBackDone
            return workflow.counts
        }
    }

    // MARK: Queries

    private static func registerQueries(_ handlers: inout WorkflowHandlers<FleetWorkflow>) {
        handlers.query("progress") { $0.progress }
        handlers.query("plan") { $0.plan }
        handlers.query("tenants") { $0.page(TenantsQuestion()) }
        handlers.query("tenants_page", TenantsQuestion.self) { $0.page($1) }
    }

    /// Tenants by state, in all passes.
    var counts: [String: Int] {
        var counts: [String: Int] = [:]
        for state in TenantState.allCases { counts[state.rawValue] = self.state.count(state) }
        counts[TenantState.pending.rawValue] = self.state.total - self.state.ended - self.state.count(.running)
        counts["total"] = self.state.total
        return counts
    }

    private var progress: FleetProgress {
        var common = OperationProgress()
        common.operationID = self.input?.upgrade ?? ""
        common.workflowID = self.context?.info.workflowID ?? ""
        common.status = self.status
        common.phase = self.phase
        common.steps = self.state.steps
        common.waitingFor = self.waitingFor
        common.counts = self.counts
        common.lastEventID = self.context?.historyLength ?? 0
        let (ended, total) = (self.state.ended, self.state.total)
        common.percent = self.phase == "ended" ? 100 : total == 0 ? 0 : ended * 100 / total
        var eta: Double?
        if let began = self.state.beganAt, ended > 0 {
            eta = (self.now - began) / Double(ended) * Double(total - ended)
        }
        return FleetProgress(
            common: common, passes: self.state.passes, etaSeconds: eta, failures: self.state.failures)
    }

    private var plan: FleetPlan {
        FleetPlan(
            target: self.fleetStep.request.targetVersion, strategy: self.fleetStep.request.strategy,
            migrations: self.loaded.migrations, passes: self.state.passes, gates: self.fleetStep.request.approvals,
            locks: self.shadow.locks, lint: self.lint)
    }

    private static let tenantsPerPage = 200

    /// What this run knows by name; the whole list is in the tables.
    private func page(_ question: TenantsQuestion) -> [TenantOutcome] {
        let running = self.running.keys.map { TenantOutcome(tenant: $0, state: .running) }
        let all = running + self.state.exceptions.map(\.outcome) + self.doneHere
        let wanted = all.filter { outcome in
            (question.state == nil || outcome.state == question.state)
                && (question.cursor.map { outcome.tenant > $0 } ?? true)
        }
        return Array(wanted.sorted { $0.tenant < $1.tenant }.prefix(Self.tenantsPerPage))
    }
}
