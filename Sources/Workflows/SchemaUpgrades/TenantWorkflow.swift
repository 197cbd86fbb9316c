public import Activities
import Foundation
public import Worker

/// What a fleet asks of one tenant.
public struct TenantInput: Codable, Hashable, Sendable {
    public enum Mode: String, Codable, Hashable, Sendable {
        case apply
        /// Takes back what the upgrade did.
        case rollBack = "roll_back"
    }

    public var upgrade: String
    public var request: UpgradeRequest
    public var tenant: String
    public var pass: UpgradePass
    public var mode: Mode
    /// Which try of the tenant this is.
    public var generation: Int
    public var isLastPass: Bool

    public init(
        upgrade: String, request: UpgradeRequest, tenant: String, pass: UpgradePass, mode: Mode = .apply,
        generation: Int = 0, isLastPass: Bool = true
    ) {
        self.upgrade = upgrade
        self.request = request
        self.tenant = tenant
        self.pass = pass
        self.mode = mode
        self.generation = generation
        self.isLastPass = isLastPass
    }
}

/// How a tenant ended.
public struct TenantOutcome: Codable, Hashable, Sendable {
    public var tenant: String
    public var state: TenantState
    public var error: String?

    public init(tenant: String, state: TenantState, error: String? = nil) {
        self.tenant = tenant
        self.state = state
        self.error = error
    }
}

/// Update `resolve` of a tenant that needs an operator.
public struct TenantResolution: Codable, Hashable, Sendable {
    public enum Action: String, Codable, Hashable, Sendable {
        /// Tries to undo it once more.
        case retry
        /// Puts the backup back; what was written since is lost.
        case restore
        /// Leaves it as it is.
        case accept
    }

    public var action: Action
    public var by: String
    public var reason: String

    public init(action: Action, by: String, reason: String) {
        self.action = action
        self.by = by
        self.reason = reason
    }
}

/// Brings one tenant's database to a version, or leaves it as it was.
///
/// Ends with a ``TenantOutcome`` whatever the database said. What cannot be undone waits for a person.
public final class TenantWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "mig.Tenant"

    private(set) var context: WorkflowContext?
    var input: TenantInput?
    var step: TenantStep?
    private var queue: String?
    var progress = OperationProgress()
    private var isPaused = false
    private var cancelReason: String?
    /// The migrations to undo, in the order in which they were begun.
    var undo: [PendingMigration] = []
    /// Whether the route may have been switched.
    var mayBeRouted = false
    /// Whether the new version may have views of its own.
    var mayHaveVersion = false
    var from: MigrationVersion?
    /// The version that the schema has when all is applied.
    private var reached: MigrationVersion?
    var waitsForOperator = false
    var resolution: TenantResolution?

    public init() {}

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<TenantWorkflow>) {
        handlers.signal("pause") { $0.isPaused = true }
        handlers.signal("resume") { $0.isPaused = false }
        handlers.update(
            "cancel", FleetReason.self,
            validator: { workflow, _ in
                guard workflow.cancelReason == nil, workflow.resolution == nil else {
                    throw ApplicationFailure("it is being ended already", type: "AlreadyOver", isNonRetryable: true)
                }
            }
        ) { workflow, wish in
            workflow.cancelReason = wish.reason
            return NoValue()
        }
        handlers.update(
            "resolve", TenantResolution.self,
            validator: { workflow, wish in
                guard workflow.waitsForOperator, workflow.resolution == nil else {
                    throw ApplicationFailure("nothing is to be resolved", type: "NotWaiting", isNonRetryable: true)
                }
                guard !wish.by.isEmpty, wish.action != .restore || workflow.input?.request.backup == true else {
                    throw ApplicationFailure("there is nobody, or no backup", type: "Invalid", isNonRetryable: true)
                }
            }
        ) { workflow, wish in
            workflow.resolution = wish
            return NoValue()
        }
        handlers.query("progress") { workflow in
            var progress = workflow.progress
            progress.lastEventID = workflow.context?.historyLength ?? 0
            return progress
        }
    }

    public func run(_ input: TenantInput, _ context: WorkflowContext) async throws -> TenantOutcome {
        self.context = context
        self.input = input
        self.progress.operationID = input.upgrade
        self.progress.workflowID = context.info.workflowID
        var step = TenantStep(
            input.request, upgrade: input.upgrade, tenant: input.tenant, pass: input.pass, generation: input.generation)
        let outcome: TenantOutcome
        do {
            let resolved: ResolvedTenant = try await self.call(.resolveTenant, step)
            self.queue = UpgradeQueues.cluster(resolved.cluster)
            let lease: TakenLease = try await self.call(.takeLease, step)
            step.fence = lease.fence
            self.step = step
            switch input.mode {
            case .apply: outcome = try await self.apply(step)
            case .rollBack: outcome = try await self.rollBack(step)
            }
        } catch {
            guard !context.isEvicted else { throw error }
            outcome = try await context.shielded { try await self.compensate(error, step) }
        }
        self.finishProgress(outcome.state)
        if context.isCancelRequested, outcome.state != .done { throw CanceledFailure("canceled and undone") }
        return outcome
    }

    private func apply(_ step: TenantStep) async throws -> TenantOutcome {
        let report: PreflightReport = try await self.call(.preflight, step)
        // What another pass of this upgrade applied stays when this one is undone.
        let kept = report.applied.filter { !step.pass.phases.contains($0.phase) }.map(\.version)
        self.from = ([report.from].compactMap(\.self) + kept).max()
        let isLast = self.input?.isLastPass ?? true
        self.reached = isLast ? step.target : (report.pending + report.applied).map(\.version).max() ?? report.from
        self.undo = report.applied.filter { step.pass.phases.contains($0.phase) }
        if input?.request.backup == true, !report.pending.isEmpty {
            let _: BackupReport = try await self.call(.backup, step)
        }
        let isBlueGreen = step.strategy == .blueGreen
        // The views of the version before would keep what is dropped now.
        if isBlueGreen, step.pass == .contract { let _: Done = try await self.call(.dropOldVersions, step) }
        for migration in report.pending {
            self.undo.append(migration)
            let _: AppliedMigration = try await self.call(Self.step(of: migration.kind), step.at(migration.version))
        }
        let _: Done = try await self.call(.verify, step)
        if isBlueGreen, step.pass != .contract {
            self.mayHaveVersion = true
            let _: Done = try await self.call(.createVersion, step)
        }
        if step.pass != .contract {
            self.mayBeRouted = true
            let _: Done = try await self.call(.switchRoute, step)
        }
        let _: Done = try await self.call(.healthCheck, step)
        return try await self.finish(step, .done, error: nil)
    }

    private static func step(of kind: MigrationKind) -> UpgradeStep {
        switch kind {
        case .transaction: return .applyTx
        case .statements: return .applyNonTx
        case .backfill: return .backfill
        }
    }

    /// Takes back what an earlier run of this upgrade did.
    private func rollBack(_ step: TenantStep) async throws -> TenantOutcome {
        let report: PreflightReport = try await self.call(.preflight, step)
        self.from = report.from
        self.undo = report.applied
        self.mayBeRouted = true
        self.mayHaveVersion = step.strategy == .blueGreen
        throw StepFailure(code: "Aborted", message: "the upgrade was taken back")
    }

    func finish(_ step: TenantStep, _ state: TenantState, error: String?) async throws -> TenantOutcome {
        let end = TenantEnd(
            step: step, state: state, error: error, isLastPass: self.input?.isLastPass ?? true,
            schemaVersion: state == .done ? self.reached : state == .rolledBack ? self.from : nil)
        let _: Done = try await self.call(.finishTenant, end, holds: false)
        return TenantOutcome(tenant: step.tenant, state: state, error: error)
    }

    // MARK: Steps

    /// Runs a step on the tenant's own queue, with the progress kept; pause and cancel hold before it.
    func call<Input: Encodable & Sendable, Output: Decodable>(
        _ name: UpgradeStep, _ input: Input, holds: Bool = true, returning: Output.Type = Output.self
    ) async throws -> Output {
        guard let context, let budget = self.input?.request.tenantTimeoutSeconds else { throw CanceledFailure() }
        if holds { try await self.hold(context) }
        self.progress.begin(name.rawValue, at: context.now.timeIntervalSince1970)
        do {
            let output: Output = try await context.perform(name, input, queue: self.queue, budget: budget)
            self.progress.end(name.rawValue, at: context.now.timeIntervalSince1970)
            return output
        } catch {
            self.progress.end(
                name.rawValue, at: context.now.timeIntervalSince1970, error: (error as? StepFailure)?.code ?? "canceled"
            )
            throw error
        }
    }

    private func hold(_ context: WorkflowContext) async throws {
        if self.isPaused {
            self.progress.status = .paused
            try await context.waitCondition { !self.isPaused || self.cancelReason != nil }
            self.progress.status = .running
        }
        if let reason = self.cancelReason { throw StepFailure(code: "Canceled", message: reason) }
    }

    private func finishProgress(_ state: TenantState) {
        switch state {
        case .done: self.progress.status = .succeeded
        case .rolledBack: self.progress.status = .rolledBack
        case .failed, .needsOperator, .skipped, .pending, .running: self.progress.status = .failed
        }
        self.progress.phase = state.rawValue
        self.progress.percent = 100
    }
}
