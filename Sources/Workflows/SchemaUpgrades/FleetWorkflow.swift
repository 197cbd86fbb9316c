import Activities
import Foundation
public import Worker

/// Brings all tenants of a service to a version: a few at a time, in waves, with a person's word where it matters.
///
/// Everything that waits, waits here: places, windows, soak times, gates, operators. The tenants themselves are children of the
/// type ``TenantWorkflow``; one that fails stops no other that runs.
public final class FleetWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "mig.Fleet"

    /// Tenants begun in one run of the chain; then it begins a new history.
    static let tenantsPerRun = 500
    static let pageSize = 50

    private(set) var context: WorkflowContext?
    var input: FleetInput?
    var state = FleetState()
    var loaded = LoadedSet(migrations: [])
    var lint: LintReport?
    var shadow = ShadowReport()
    var status = OperationProgress.Status.running
    var phase = "created"
    var waitingFor: OperationProgress.Wait?
    /// The gate that is open for a decision.
    var openGate: UpgradeGate?
    var decision: GateDecision?
    /// Tenants that run now, and those among them that wait for a person.
    var running: [String: Running] = [:]
    var beganHere = 0
    /// Tenants of this run that are done, for the query.
    var doneHere: [TenantOutcome] = []
    /// The hours in which tenants may begin, as last asked for.
    var opening: WindowAnswer?
    /// An operator wants a wave judged again.
    var wantsNewLook = false
    /// The last words are being written: nothing can be wished for any more.
    var isEnding = false
    /// What was wished for before the run began.
    private var earlyPause: Bool?

    struct Running {
        var wave: Int
        var scope: CancellationScope
        var standing: TenantOutcome?
    }

    public init() {}

    public func run(_ input: FleetInput, _ context: WorkflowContext) async throws -> FleetResult {
        self.context = context
        self.input = input
        if let state = input.state {
            self.state = state
        } else {
            self.state.maxConcurrent = input.request.maxConcurrent
        }
        if let earlyPause { self.state.isPaused = earlyPause }
        do {
            return try await self.goOn(input)
        } catch let failure as StepFailure {
            await self.noteEnd("aborted", state: "FAILED", ["error": "\(failure.code): \(failure.message)"])
            self.status = .failed
            self.phase = "failed"
            throw ApplicationFailure(failure.message, type: failure.code, isNonRetryable: true)
        } catch let failure as CanceledFailure {
            guard context.isCancelRequested else { throw failure }
            await self.noteEnd("aborted", state: "CANCELED", ["error": "canceled"])
            self.status = .canceled
            throw failure
        }
    }

    private func goOn(_ input: FleetInput) async throws -> FleetResult {
        self.loaded = try await self.call(.loadSet, self.fleetStep)
        if !self.state.isPrepared {
            try await self.prepare(input.request)
            if input.request.dryRun { return try await self.finish(note: "dry run: nothing was changed") }
            if input.request.approvals.contains(.start) || self.state.isIrreversible {
                guard try await self.pass(.start) else {
                    return try await self.finish(note: "not approved: nothing was changed", status: .canceled)
                }
                if self.state.abort != nil { return try await self.abort() }
            }
            self.state.isPrepared = true
        }
        while self.state.passes.indices.contains(self.state.passIndex) {
            if self.state.pass == .contract {
                self.state.takeOverDone()
                // Nobody came so far that there is something to take away.
                if self.state.passes[self.state.passIndex].waves.allSatisfy({ $0.total == 0 }) { break }
            }
            if self.takesAway, input.request.approvals.contains(.contract) || self.isFinal,
                !self.state.passedGates.contains(.contract)
            {
                let isApproved = try await self.pass(.contract)
                if self.state.abort != nil { return try await self.abort() }
                guard isApproved else {
                    let isExpanded = self.state.pass == .contract
                    return try await self.finish(
                        note: isExpanded ? "expanded, not contracted" : "not approved: nothing was changed",
                        status: isExpanded ? .succeeded : .canceled)
                }
            }
            try await self.runPass(input.request)
            if self.state.abort != nil { return try await self.abort() }
            self.state.passIndex += 1
            self.state.waveIndex = 0
            self.state.after = 0
        }
        return try await self.finish(note: "")
    }

    /// The pass that is next drops what programs of the old version need.
    private var takesAway: Bool {
        self.state.pass == .contract
            || self.state.pass == .all && self.loaded.migrations.contains { $0.phase == .contract }
    }

    /// What the contract phase takes away cannot be brought back: that is approved whatever was asked for.
    private var isFinal: Bool { self.loaded.migrations.contains { $0.phase == .contract && $0.isIrreversible } }

    // MARK: Before the first tenant

    private func prepare(_ request: UpgradeRequest) async throws {
        let selected: SelectedTenants = try await self.call(.selectTenants, self.fleetStep)
        guard selected.total > 0 else { throw StepFailure(code: "Invalid", message: "no tenant is meant") }
        // A tenant that is beyond a contract migration has lost what it takes away already.
        let hasContract = self.loaded.migrations.contains { migration in
            migration.phase == .contract && (selected.oldest.map { migration.version > $0 } ?? true)
        }
        let passes: [UpgradePass] =
            request.strategy == .transactional ? [.all] : hasContract ? [.expand, .contract] : [.expand]
        self.state.passes = passes.map { pass in
            FleetState.Pass(
                pass: pass,
                waves: zip(request.waves, selected.waves).map { FleetState.Wave(name: $0.name, total: $1) })
        }
        self.state.isIrreversible = self.loaded.migrations.contains { $0.isIrreversible && $0.phase != .contract }
        try await self.note("started", ["target": request.targetVersion.description, "tenants": "\(selected.total)"])
        let lint: LintReport = try await self.call(.lint, self.fleetStep)
        self.lint = lint
        if !lint.blocking.isEmpty {
            let texts = lint.blocking.map { "\($0.file):\($0.line): \($0.rule.rawValue): \($0.message)" }
            throw StepFailure(code: "LintBlocked", message: texts.joined(separator: "; "))
        }
        self.shadow = try await self.call(.shadowRun, self.fleetStep)
    }

    // MARK: The end

    func finish(note: String, status: OperationProgress.Status = .succeeded) async throws -> FleetResult {
        self.isEnding = true
        let result = FleetResult(
            upgrade: self.input?.upgrade ?? "", status: status.rawValue, note: note, counts: self.counts,
            failures: self.state.exceptions.map(\.outcome))
        let event = status == .succeeded ? "completed" : "aborted"
        await self.noteEnd(event, state: status.rawValue, ["note": note])
        try await self.leaveCleanup()
        self.status = status
        self.phase = "ended"
        return result
    }

    private func noteEnd(_ event: String, state: String, _ data: [String: String]) async {
        guard let context else { return }
        do {
            try await context.shielded { try await self.note(event, data, state: state) }
        } catch {
            return  // the history says it too
        }
    }

    /// What becomes of backups later is a workflow of its own: the service is free for its next upgrade.
    private func leaveCleanup() async throws {
        guard let context, let input, self.beganHere > 0 || input.state != nil else { return }
        guard input.request.backup || input.request.strategy == .blueGreen else { return }
        do {
            _ = try await context.startChildWorkflow(
                CleanupWorkflow.self, CleanupInput(step: self.fleetStep),
                options: ChildWorkflowOptions(
                    id: "mig-cleanup:\(input.upgrade)", cancellation: .abandon, parentClosePolicy: .abandon))
        } catch is WorkflowAlreadyStarted {
            return
        }
    }

    // MARK: Steps

    var fleetStep: FleetStep {
        FleetStep(
            upgrade: self.input?.upgrade ?? "", workflowID: self.context?.info.workflowID ?? "",
            request: self.input?.request
                ?? UpgradeRequest(service: "", targetVersion: MigrationVersion(0, 0), migrationSet: ""))
    }

    var now: Double { self.context?.now.timeIntervalSince1970 ?? 0 }

    func call<Input: Encodable & Sendable, Output: Decodable>(
        _ step: UpgradeStep, _ value: Input, returning: Output.Type = Output.self
    ) async throws -> Output {
        guard let context, let input else { throw CanceledFailure() }
        var steps = OperationProgress()
        steps.steps = self.state.steps
        steps.begin(step.rawValue, at: self.now)
        self.state.steps = steps.steps
        defer { self.state.steps = steps.steps }
        do {
            let output: Output = try await context.perform(
                step, value, budget: input.request.tenantTimeoutSeconds)
            steps.end(step.rawValue, at: self.now)
            return output
        } catch {
            steps.end(step.rawValue, at: self.now, error: (error as? StepFailure)?.code ?? "canceled")
            throw error
        }
    }

    /// Writes down what happened and tells the feed.
    func note(
        _ event: String, _ data: [String: String] = [:], state: String = "RUNNING", approval: GateDecision? = nil
    ) async throws {
        self.state.notes += 1
        let _: Done = try await self.call(
            .noteFleet,
            FleetNote(
                step: self.fleetStep, event: event, number: self.state.notes, state: state, data: data,
                approval: approval))
    }

    /// Waits for a condition, until a time if there is one, and shows it in the progress.
    ///
    /// - Returns: false when the time came first.
    func wait(
        _ kind: OperationProgress.Wait.Kind, _ name: String, until: Double? = nil,
        status: OperationProgress.Status = .waiting,
        _ condition: @escaping () -> Bool
    ) async throws -> Bool {
        guard let context else { return false }
        if condition() { return true }
        let before = (self.status, self.waitingFor)
        self.status = status
        self.waitingFor = OperationProgress.Wait(kind: kind, name: name, until: until)
        defer { (self.status, self.waitingFor) = before }
        guard let until else {
            try await context.waitCondition(condition)
            return true
        }
        let left = until - self.now
        guard left > 0 else { return false }
        return try await context.waitCondition(timeout: .seconds(left), condition)
    }

    func setPaused(_ isPaused: Bool) {
        self.earlyPause = isPaused
        self.state.isPaused = isPaused
    }
}
