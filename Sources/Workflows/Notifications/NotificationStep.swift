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

    /// Where a step runs.
    enum Place {
        /// In the worker that runs the workflow, inside its workflow task: steps on our own tables. Fewer events, fewer commits;
        /// a worker that dies repeats them, and every one of them may be repeated.
        case worker(LocalActivityOptions)
        /// Wherever the channel's providers are reached.
        case queue(String)
    }

    var place: Place {
        switch self {
        case .accept, .checkPolicy, .reserveCap: return .worker(Self.limits(cap: 30))
        case .mark, .recordReceipt, .finish: return .worker(Self.limits(cap: 60))
        case .send(let channel): return .queue(NotificationQueues.channel(channel))
        }
    }

    private static func limits(cap: Double) -> LocalActivityOptions {
        LocalActivityOptions(
            startToCloseTimeout: .seconds(5),
            retryPolicy: RetryPolicy(
                initialInterval: .seconds(0.1), backoffCoefficient: 2, maximumInterval: .seconds(cap),
                maximumAttempts: nil),
            cancellation: .waitCompleted)
    }

    /// How a message is sent.
    func options(_ request: NotificationRequest, queue: String) -> ActivityOptions {
        var options = ActivityOptions(
            startToCloseTimeout: .seconds(60), heartbeatTimeout: Self.heartbeat,
            retryPolicy: RetryPolicy(
                initialInterval: .seconds(0.5), backoffCoefficient: 2, maximumInterval: .seconds(30),
                maximumAttempts: nil))
        options.taskQueue = queue
        options.fairnessKey = request.tenant
        options.cancellation = .waitCompleted
        switch request.priority {
        case .high: options.priority = 1
        case .normal: options.priority = 3
        case .low: options.priority = 5
        }
        return options
    }
}
