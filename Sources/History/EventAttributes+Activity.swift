/// Event 10. Timeouts are normalised and the retry policy is filled (protocol.md section 4).
public struct ActivityTaskScheduled: Hashable, Sendable {
    public var activityID: ActivityID
    public var activityType: String
    public var taskQueue: TaskQueue
    public var header: Blob?
    public var input: Blob?
    public var scheduleToCloseTimeout: TimeSpan
    public var scheduleToStartTimeout: TimeSpan
    public var startToCloseTimeout: TimeSpan
    public var heartbeatTimeout: TimeSpan
    public var workflowTaskCompletedEventID: EventID
    public var retryPolicy: RetryPolicy
    public var priority: Priority?
    public var useWorkflowBuildID: Bool

    public init(
        activityID: ActivityID, activityType: String, taskQueue: TaskQueue, header: Blob? = nil, input: Blob? = nil,
        scheduleToCloseTimeout: TimeSpan = .zero, scheduleToStartTimeout: TimeSpan = .zero,
        startToCloseTimeout: TimeSpan = .zero, heartbeatTimeout: TimeSpan = .zero,
        workflowTaskCompletedEventID: EventID, retryPolicy: RetryPolicy, priority: Priority? = nil,
        useWorkflowBuildID: Bool = false
    ) {
        self.activityID = activityID
        self.activityType = activityType
        self.taskQueue = taskQueue
        self.header = header
        self.input = input
        self.scheduleToCloseTimeout = scheduleToCloseTimeout
        self.scheduleToStartTimeout = scheduleToStartTimeout
        self.startToCloseTimeout = startToCloseTimeout
        self.heartbeatTimeout = heartbeatTimeout
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
        self.retryPolicy = retryPolicy
        self.priority = priority
        self.useWorkflowBuildID = useWorkflowBuildID
    }
}

/// Event 11: written right before the activity's end, with the time of the real start.
public struct ActivityTaskStarted: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var identity: String
    public var requestID: RequestID
    public var attempt: Int32
    public var lastFailure: Failure?

    public init(
        scheduledEventID: EventID, identity: String = "", requestID: RequestID = "", attempt: Int32,
        lastFailure: Failure? = nil
    ) {
        self.scheduledEventID = scheduledEventID
        self.identity = identity
        self.requestID = requestID
        self.attempt = attempt
        self.lastFailure = lastFailure
    }
}

/// Event 12.
public struct ActivityTaskCompleted: Hashable, Sendable {
    public var result: Blob?
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var identity: String

    public init(
        result: Blob? = nil, scheduledEventID: EventID, startedEventID: EventID, identity: String = ""
    ) {
        self.result = result
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.identity = identity
    }
}

/// Event 13: no retry is left.
public struct ActivityTaskFailed: Hashable, Sendable {
    public var failure: Failure
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var identity: String
    public var retryState: RetryState

    public init(
        failure: Failure, scheduledEventID: EventID, startedEventID: EventID, identity: String = "",
        retryState: RetryState
    ) {
        self.failure = failure
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.identity = identity
        self.retryState = retryState
    }
}

/// Event 14: no retry is left.
public struct ActivityTaskTimedOut: Hashable, Sendable {
    public var failure: Failure
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var retryState: RetryState

    public init(
        failure: Failure, scheduledEventID: EventID, startedEventID: EventID = .none, retryState: RetryState
    ) {
        self.failure = failure
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.retryState = retryState
    }
}

/// Event 15.
public struct ActivityTaskCancelRequested: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var workflowTaskCompletedEventID: EventID

    public init(scheduledEventID: EventID, workflowTaskCompletedEventID: EventID) {
        self.scheduledEventID = scheduledEventID
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 16.
public struct ActivityTaskCanceled: Hashable, Sendable {
    public var details: Blob?
    public var latestCancelRequestedEventID: EventID
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var identity: String

    public init(
        details: Blob? = nil, latestCancelRequestedEventID: EventID, scheduledEventID: EventID,
        startedEventID: EventID = .none, identity: String = ""
    ) {
        self.details = details
        self.latestCancelRequestedEventID = latestCancelRequestedEventID
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.identity = identity
    }
}
