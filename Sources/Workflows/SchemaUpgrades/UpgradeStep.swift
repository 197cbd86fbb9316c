import Activities
import Worker

/// The time limits and retries of each step, as the specification's table has them.
enum UpgradeStep: String, Hashable, Sendable {
    case loadSet = "LoadSet"
    case selectTenants = "SelectTenants"
    case lint = "Lint"
    case shadowRun = "ShadowRun"
    case nextTenants = "NextTenants"
    case noteFleet = "NoteFleet"
    case checkWave = "CheckWave"
    case windowOpens = "WindowOpens"
    case skipTenant = "SkipTenant"
    case deleteBackups = "DeleteBackups"
    case resolveTenant = "ResolveTenant"
    case takeLease = "TakeLease"
    case preflight = "Preflight"
    case backup = "Backup"
    case applyTx = "ApplyTx"
    case applyNonTx = "ApplyNonTx"
    case backfill = "Backfill"
    case verify = "Verify"
    case switchRoute = "SwitchRoute"
    case switchRouteBack = "SwitchRouteBack"
    case healthCheck = "HealthCheck"
    case runDown = "RunDown"
    case restoreBackup = "RestoreBackup"
    case finishTenant = "FinishTenant"
    case createVersion = "CreateVersion"
    case dropVersion = "DropVersion"
    case dropOldVersions = "DropOldVersions"
    case retireVersions = "RetireVersions"

    /// - Parameter budget: what a tenant's ordinary steps may take.
    func options(budget: Double) -> ActivityOptions {
        var options = self.limits(budget)
        options.cancellation = .waitCompleted
        return options
    }

    private func limits(_ budget: Double) -> ActivityOptions {
        switch self {
        case .loadSet, .selectTenants, .nextTenants, .noteFleet, .windowOpens, .skipTenant, .finishTenant, .lint:
            return Self.limits(30, total: nil, first: 0.5, cap: 30, heartbeat: 5)
        case .shadowRun: return Self.limits(1800, total: 7200, first: 1, cap: 60, heartbeat: 10)
        case .checkWave: return Self.limits(1800, total: 7200, first: 1, cap: 60, heartbeat: 10)
        case .createVersion, .dropVersion, .dropOldVersions:
            return Self.limits(60, total: nil, first: 1, cap: 60, heartbeat: 5)
        case .retireVersions: return Self.limits(3600, total: nil, first: 1, cap: 3600, heartbeat: 10)
        case .deleteBackups: return Self.limits(600, total: nil, first: 1, cap: 3600, heartbeat: 10)
        case .resolveTenant: return Self.limits(10, total: budget, first: 0.5, cap: 10, heartbeat: 5)
        case .takeLease: return Self.limits(15, total: 600, first: 1, cap: 30, heartbeat: 5)
        case .preflight: return Self.limits(30, total: 300, first: 2, cap: 60, heartbeat: 5)
        case .backup: return Self.limits(1800, total: nil, first: 5, cap: 60, attempts: 3, heartbeat: 10)
        case .applyTx: return Self.limits(budget, total: budget, first: 0.5, cap: 60, heartbeat: 4)
        case .applyNonTx: return Self.limits(6 * 3600, total: nil, first: 1, cap: 60, heartbeat: 5)
        case .backfill: return Self.limits(7 * 24 * 3600, total: nil, first: 1, cap: 60, heartbeat: 5)
        case .verify: return Self.limits(300, total: nil, first: 1, cap: 10, attempts: 2, heartbeat: 10)
        case .switchRoute: return Self.limits(10, total: 300, first: 0.2, cap: 5, heartbeat: 5)
        case .healthCheck: return Self.limits(15, total: 120, first: 0.5, cap: 10, heartbeat: 5)
        case .switchRouteBack: return Self.limits(10, total: nil, first: 1, cap: 3600)
        case .runDown: return Self.limits(6 * 3600, total: nil, first: 1, cap: 60, heartbeat: 5)
        case .restoreBackup: return Self.limits(6 * 3600, total: nil, first: 5, cap: 600, attempts: 3, heartbeat: 10)
        }
    }

    private static func limits(
        _ attempt: Double, total: Double?, first: Double, cap: Double, attempts: Int? = nil, heartbeat: Double? = nil
    ) -> ActivityOptions {
        ActivityOptions(
            startToCloseTimeout: .seconds(attempt), scheduleToCloseTimeout: total.map { .seconds($0) },
            heartbeatTimeout: heartbeat.map { .seconds($0) },
            retryPolicy: RetryPolicy(
                initialInterval: .seconds(first), backoffCoefficient: 2, maximumInterval: .seconds(cap),
                maximumAttempts: attempts))
    }
}

extension WorkflowContext {
    /// Runs a step; its failure comes as a ``StepFailure``, or as a cancellation.
    func perform<Input: Encodable & Sendable, Output: Decodable>(
        _ step: UpgradeStep, _ input: Input, queue: String? = nil, budget: Double, returning: Output.Type = Output.self
    ) async throws -> Output {
        var options = step.options(budget: budget)
        options.taskQueue = queue
        do {
            return try await self.executeActivity(step.rawValue, input, options: options, returning: Output.self)
        } catch let failure as ActivityFailure {
            switch failure.cause {
            case let cause as ApplicationFailure: throw StepFailure(code: cause.type, message: cause.message)
            case is TimeoutFailure:
                throw StepFailure(code: "Timeout", message: "\(step.rawValue) ran out of time")
            case is CanceledFailure: throw CanceledFailure()
            default: throw StepFailure(code: "Server", message: failure.message)
            }
        }
    }
}

/// The task queues of the schema upgrades.
public enum UpgradeQueues {
    /// Workflows, and steps that are about all tenants.
    public static let main = "mig"

    /// Steps in the databases of one cluster; its worker's slots bound the connections to it.
    public static func cluster(_ name: String) -> String { "mig-db-\(name)" }
}
