public import History

/// What can be changed about a pending activity.
public struct ActivityTaskOptions: Hashable, Sendable {
    public var taskQueue: TaskQueueName
    public var scheduleToCloseTimeout: TimeSpan
    public var scheduleToStartTimeout: TimeSpan
    public var startToCloseTimeout: TimeSpan
    public var heartbeatTimeout: TimeSpan
    public var retryPolicy: RetryPolicy
    public var priority: Priority?

    init(_ scheduled: ActivityTaskScheduled) {
        taskQueue = scheduled.taskQueue.name
        scheduleToCloseTimeout = scheduled.scheduleToCloseTimeout
        scheduleToStartTimeout = scheduled.scheduleToStartTimeout
        startToCloseTimeout = scheduled.startToCloseTimeout
        heartbeatTimeout = scheduled.heartbeatTimeout
        retryPolicy = scheduled.retryPolicy
        priority = scheduled.priority
    }

    static var blank: ActivityTaskOptions { ActivityTaskOptions(.blank) }
}

extension ActivityTaskScheduled {
    /// With other options.
    func with(_ options: ActivityTaskOptions) -> ActivityTaskScheduled {
        var copy = self
        if copy.taskQueue.name != options.taskQueue { copy.taskQueue = TaskQueue(options.taskQueue) }
        copy.scheduleToCloseTimeout = options.scheduleToCloseTimeout
        copy.scheduleToStartTimeout = options.scheduleToStartTimeout
        copy.startToCloseTimeout = options.startToCloseTimeout
        copy.heartbeatTimeout = options.heartbeatTimeout
        copy.retryPolicy = options.retryPolicy
        copy.priority = options.priority
        return copy
    }
}

/// New values for some options of an activity; nil leaves one as it is.
public struct ActivityTaskOptionsChange: Hashable, Sendable {
    public var taskQueue: TaskQueueName?
    public var scheduleToCloseTimeout: TimeSpan?
    public var scheduleToStartTimeout: TimeSpan?
    public var startToCloseTimeout: TimeSpan?
    public var heartbeatTimeout: TimeSpan?
    public var initialInterval: TimeSpan?
    public var backoffCoefficient: Double?
    public var maximumInterval: TimeSpan?
    public var maximumAttempts: Int32?
    public var nonRetryableErrorTypes: [String]?
    public var priority = PriorityChange()

    public init() {}

    /// The options after the change, made consistent like those of a command.
    func applied(to options: ActivityTaskOptions, runTimeout: TimeSpan) throws(Rejection) -> ActivityTaskOptions {
        var changed = options
        if let taskQueue { changed.taskQueue = taskQueue }
        if let scheduleToCloseTimeout { changed.scheduleToCloseTimeout = scheduleToCloseTimeout }
        if let scheduleToStartTimeout { changed.scheduleToStartTimeout = scheduleToStartTimeout }
        if let startToCloseTimeout { changed.startToCloseTimeout = startToCloseTimeout }
        if let heartbeatTimeout { changed.heartbeatTimeout = heartbeatTimeout }
        if let initialInterval { changed.retryPolicy.initialInterval = initialInterval }
        if let backoffCoefficient { changed.retryPolicy.backoffCoefficient = backoffCoefficient }
        if let maximumInterval { changed.retryPolicy.maximumInterval = maximumInterval }
        if let maximumAttempts { changed.retryPolicy.maximumAttempts = maximumAttempts }
        if let nonRetryableErrorTypes { changed.retryPolicy.nonRetryableErrorTypes = nonRetryableErrorTypes }
        changed.priority = priority.applied(to: options.priority)
        if changed.taskQueue.isEmpty { throw .invalid("taskQueue is not set") }
        let spans = [
            changed.scheduleToCloseTimeout, changed.scheduleToStartTimeout, changed.startToCloseTimeout,
            changed.heartbeatTimeout,
        ]
        if spans.contains(where: { $0 < .zero }) { throw .invalid("A negative timeout is set on ActivityOptions.") }
        if !changed.scheduleToCloseTimeout.isPositive, !changed.startToCloseTimeout.isPositive {
            throw .invalid("A valid StartToClose or ScheduleToCloseTimeout is not set on ActivityOptions.")
        }
        if let fault = changed.retryPolicy.fault { throw .invalid(fault) }
        changed.retryPolicy = changed.retryPolicy.filled
        return changed.consistent(runTimeout: runTimeout)
    }
}

extension ActivityTaskOptions {
    /// No timeout reaches beyond the one around it.
    fileprivate func consistent(runTimeout: TimeSpan) -> ActivityTaskOptions {
        var fitting = self
        if runTimeout.isPositive {
            fitting.scheduleToCloseTimeout =
                scheduleToCloseTimeout.isPositive ? min(scheduleToCloseTimeout, runTimeout) : runTimeout
        }
        let longest = fitting.scheduleToCloseTimeout
        if longest.isPositive {
            fitting.scheduleToStartTimeout =
                scheduleToStartTimeout.isPositive ? min(scheduleToStartTimeout, longest) : longest
            fitting.startToCloseTimeout = startToCloseTimeout.isPositive ? min(startToCloseTimeout, longest) : longest
        }
        fitting.heartbeatTimeout = min(heartbeatTimeout, fitting.startToCloseTimeout)
        return fitting
    }
}
