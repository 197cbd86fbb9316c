import Activities
import Worker

/// The time limits and retries of each step, as the specification's table has them.
///
/// Retries here are for our own failures (a worker that died, Postgres away). What a provider answers is a ``SendOutcome``, and the
/// workflow's own timers bring the next try.
enum NotificationStep: Hashable, Sendable {
    case accept
    case checkPolicy
    case reserveCap
    case mark
    case send(Channel)
    case recordReceipt
    case finish

    var name: String {
        switch self {
        case .accept: return "AcceptNotification"
        case .checkPolicy: return "CheckPolicy"
        case .reserveCap: return "ReserveCap"
        case .mark: return "MarkNotification"
        case .send(.email): return "SendEmail"
        case .send(.sms): return "SendSms"
        case .send(.wechat): return "SendWeChat"
        case .recordReceipt: return "RecordReceipt"
        case .finish: return "FinishNotification"
        }
    }

    /// A worker that died is noticed after this long, not after the whole attempt's limit.
    private static let heartbeat = Duration.seconds(5)

    func options(_ request: NotificationRequest) -> ActivityOptions {
        var options: ActivityOptions
        switch self {
        case .accept, .checkPolicy, .reserveCap: options = Self.limits(5, total: nil, first: 0.1, cap: 30)
        case .mark, .recordReceipt, .finish: options = Self.limits(5, total: nil, first: 0.1, cap: 60)
        case .send(let channel):
            options = Self.limits(60, total: nil, first: 0.5, cap: 30)
            options.taskQueue = NotificationQueues.channel(channel)
            options.heartbeatTimeout = Self.heartbeat
            options.fairnessKey = request.tenant
        }
        options.cancellation = .waitCompleted
        switch request.priority {
        case .high: options.priority = 1
        case .normal: options.priority = 3
        case .low: options.priority = 5
        }
        return options
    }

    private static func limits(_ attempt: Double, total: Double?, first: Double, cap: Double) -> ActivityOptions {
        ActivityOptions(
            startToCloseTimeout: .seconds(attempt), scheduleToCloseTimeout: total.map { .seconds($0) },
            retryPolicy: RetryPolicy(
                initialInterval: .seconds(first), backoffCoefficient: 2, maximumInterval: .seconds(cap),
                maximumAttempts: nil))
    }
}
