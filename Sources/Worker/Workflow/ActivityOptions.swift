/// How an activity is scheduled from a workflow. Give at least one of the first two limits.
public struct ActivityOptions: Sendable {
    /// What happens to the activity when the task that waits for it is cancelled.
    public enum Cancellation: Hashable, Sendable {
        /// Ask the activity to stop and throw at once.
        case tryCancel
        /// Ask the activity to stop and wait for its own end.
        case waitCompleted
        /// Throw at once and let the activity run.
        case abandon
    }

    /// The longest one attempt may take.
    public var startToCloseTimeout: Duration?
    /// The longest everything may take: waiting for a worker, all attempts and the pauses between them.
    public var scheduleToCloseTimeout: Duration?
    /// The longest an attempt may wait for a worker.
    public var scheduleToStartTimeout: Duration?
    /// The longest gap between two heartbeats.
    public var heartbeatTimeout: Duration?
    /// nil is the server's policy: 1 s, doubled each time up to 100 s, without end.
    public var retryPolicy: RetryPolicy?
    /// nil is the workflow's own task queue.
    public var taskQueue: String?
    public var cancellation: Cancellation
    /// 1 (first) … 5 (last); nil is the workflow's own.
    public var priority: Int?
    /// Whose share of the queue it counts for; nil is the workflow's own.
    public var fairnessKey: String?
    /// How big that share is; nil is 1.
    public var fairnessWeight: Float?
    /// nil is the next number of the run: "1", "2", ….
    public var activityID: String?
    /// Shown by tools beside the activity.
    public var summary: String?
    /// Headers for the activity and for interceptors.
    public var header: [String: Payload]

    public init(
        startToCloseTimeout: Duration? = nil, scheduleToCloseTimeout: Duration? = nil,
        scheduleToStartTimeout: Duration? = nil, heartbeatTimeout: Duration? = nil, retryPolicy: RetryPolicy? = nil,
        taskQueue: String? = nil, cancellation: Cancellation = .tryCancel, priority: Int? = nil,
        fairnessKey: String? = nil, fairnessWeight: Float? = nil, activityID: String? = nil, summary: String? = nil,
        header: [String: Payload] = [:]
    ) {
        self.startToCloseTimeout = startToCloseTimeout
        self.scheduleToCloseTimeout = scheduleToCloseTimeout
        self.scheduleToStartTimeout = scheduleToStartTimeout
        self.heartbeatTimeout = heartbeatTimeout
        self.retryPolicy = retryPolicy
        self.taskQueue = taskQueue
        self.cancellation = cancellation
        self.priority = priority
        self.fairnessKey = fairnessKey
        self.fairnessWeight = fairnessWeight
        self.activityID = activityID
        self.summary = summary
        self.header = header
    }
}
