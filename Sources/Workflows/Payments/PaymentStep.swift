import Activities
import Worker

/// The time limits and retries of each step, as the specification's table has them.
enum PaymentStep: String, Hashable, Sendable {
    case createPayment = "CreatePayment"
    case riskScreen = "RiskScreen"
    case authorize = "Authorize"
    case reconcileIntent = "ReconcileIntent"
    case holdFunds = "HoldFunds"
    case reserveStock = "ReserveStock"
    case capture = "Capture"
    case postLedger = "PostLedger"
    case scheduleShipment = "ScheduleShipment"
    case completePayment = "CompletePayment"
    case failPayment = "FailPayment"
    case voidAuth = "VoidAuth"
    case voidHold = "VoidHold"
    case releaseStock = "ReleaseStock"
    case refundPsp = "RefundPsp"
    case reconcileRefund = "ReconcileRefund"
    case refundLedger = "RefundLedger"
    case cancelShipment = "CancelShipment"
    case announceStuck = "AnnounceStuck"
    case beginRefund = "BeginRefund"
    case finishRefund = "FinishRefund"
    case failRefund = "FailRefund"

    /// Attempts of one round of a compensation; the rounds never end.
    static let attemptsPerRound = 4
    /// A worker that died is noticed after this long, not after the whole attempt's limit.
    private static let heartbeat = Duration.seconds(5)

    /// Whether the step calls the provider, and so belongs to the provider's own task queue.
    private var callsProvider: Bool {
        switch self {
        case .authorize, .reconcileIntent, .capture, .voidAuth, .refundPsp, .reconcileRefund: return true
        case .createPayment, .riskScreen, .holdFunds, .reserveStock, .postLedger, .scheduleShipment, .completePayment,
            .failPayment, .voidHold, .releaseStock, .refundLedger, .cancelShipment, .announceStuck, .beginRefund,
            .finishRefund,
            .failRefund:
            return false
        }
    }

    func options(provider: String) -> ActivityOptions {
        var options = self.limits
        options.cancellation = .waitCompleted
        if self.callsProvider {
            options.taskQueue = PaymentQueues.provider(provider)
            options.heartbeatTimeout = Self.heartbeat
        }
        return options
    }

    private var limits: ActivityOptions {
        switch self {
        case .createPayment, .holdFunds: return Self.limits(5, total: 60, first: 0.1, cap: 5)
        case .riskScreen: return Self.limits(3, total: 30, first: 0.1, cap: 5, attempts: 3)
        case .authorize: return Self.limits(30, total: 600, first: 0.5, cap: 30)
        case .reconcileIntent, .reconcileRefund: return Self.limits(10, total: 3600, first: 1, cap: 60)
        case .reserveStock: return Self.limits(5, total: 120, first: 0.1, cap: 5)
        case .capture: return Self.limits(30, total: 24 * 3600, first: 0.5, cap: 300)
        case .postLedger, .completePayment, .finishRefund, .beginRefund:
            return Self.limits(5, total: nil, first: 0.1, cap: 60)
        case .scheduleShipment:
            var limits = Self.limits(15, total: 3600, first: 1, cap: 60)
            limits.heartbeatTimeout = Self.heartbeat
            return limits
        case .failPayment, .voidHold, .releaseStock, .refundLedger, .announceStuck, .failRefund:
            return Self.limits(5, total: nil, first: 1, cap: 3600, attempts: Self.attemptsPerRound)
        case .voidAuth, .refundPsp:
            return Self.limits(30, total: nil, first: 1, cap: 3600, attempts: Self.attemptsPerRound)
        case .cancelShipment:
            var limits = Self.limits(15, total: nil, first: 1, cap: 3600, attempts: Self.attemptsPerRound)
            limits.heartbeatTimeout = Self.heartbeat
            return limits
        }
    }

    private static func limits(
        _ attempt: Double, total: Double?, first: Double, cap: Double, attempts: Int? = nil
    ) -> ActivityOptions {
        ActivityOptions(
            startToCloseTimeout: .seconds(attempt), scheduleToCloseTimeout: total.map { .seconds($0) },
            retryPolicy: RetryPolicy(
                initialInterval: .seconds(first), backoffCoefficient: 2, maximumInterval: .seconds(cap),
                maximumAttempts: attempts))
    }
}

/// The task queues of the payment family.
public enum PaymentQueues {
    /// Workflows, and steps on our own tables.
    public static let main = "pay"

    /// Steps that call one provider; its worker's slots keep a slow provider from taking the others' places.
    public static func provider(_ name: String) -> String { "pay-psp-\(name)" }
}
