/// How a local activity is run. Give at least one of the first two limits.
///
/// A local activity runs in the worker that has the workflow task, without a task of its own: quick, cheap, and lost with the
/// worker until the workflow task is tried again. Use it for work of a second or so.
public struct LocalActivityOptions: Sendable {
    /// The longest one attempt may take; nil is the schedule-to-close limit.
    public var startToCloseTimeout: Duration?
    /// The longest everything may take: all attempts and the pauses between them.
    public var scheduleToCloseTimeout: Duration?
    /// The longest an attempt may wait for a free slot.
    public var scheduleToStartTimeout: Duration?
    /// nil is 1 s, doubled each time up to 100 s, without end.
    public var retryPolicy: RetryPolicy?
    /// A longer pause between two attempts is a durable timer; a shorter one keeps the workflow task.
    public var localRetryThreshold: Duration
    public var cancellation: ActivityOptions.Cancellation
    /// nil is the next number of the run.
    public var activityID: String?
    /// Headers for the activity and for interceptors.
    public var header: [String: Payload]

    public init(
        startToCloseTimeout: Duration? = nil, scheduleToCloseTimeout: Duration? = nil,
        scheduleToStartTimeout: Duration? = nil, retryPolicy: RetryPolicy? = nil,
        localRetryThreshold: Duration = .seconds(60), cancellation: ActivityOptions.Cancellation = .tryCancel,
        activityID: String? = nil, header: [String: Payload] = [:]
    ) {
        self.startToCloseTimeout = startToCloseTimeout
        self.scheduleToCloseTimeout = scheduleToCloseTimeout
        self.scheduleToStartTimeout = scheduleToStartTimeout
        self.retryPolicy = retryPolicy
        self.localRetryThreshold = localRetryThreshold
        self.cancellation = cancellation
        self.activityID = activityID
        self.header = header
    }
}
