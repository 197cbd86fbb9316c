/// What a worker asks for when it completes a workflow task, in its order (protocol.md 3.2).
public struct WorkflowCommand: Hashable, Sendable {
    public var kind: Kind
    public var userMetadata: Blob?

    public init(_ kind: Kind, userMetadata: Blob? = nil) {
        self.kind = kind
        self.userMetadata = userMetadata
    }

    public enum Kind: Hashable, Sendable {
        case scheduleActivityTask(ScheduleActivityTask)
        case requestCancelActivityTask(scheduledEventID: EventID)
        case startTimer(StartTimer)
        case cancelTimer(TimerID)
        case completeWorkflowExecution(result: Blob?)
        case failWorkflowExecution(failure: Failure?)
        case cancelWorkflowExecution(details: Blob?)
        case continueAsNewWorkflowExecution(ContinueAsNew)
        case recordMarker(RecordMarker)
        case upsertWorkflowSearchAttributes(Blob)
        case modifyWorkflowProperties(upsertedMemo: Blob)
        case startChildWorkflow(StartChildWorkflow)
        case requestCancelExternalWorkflow(RequestCancelExternal)
        case signalExternalWorkflow(SignalExternal)
        /// Does what a message of the same completion says, at this place among the commands.
        case protocolMessage(messageID: String)
        /// Known to the protocol but not served by this server yet: fails the workflow task with a message that says so.
        case unsupported(commandType: Int32)
        /// The edge of the server found it bad, by what only it knows (the search attributes of the namespace).
        case refused(WorkflowTaskFailedCause, message: String)
    }
}

/// Asks for an activity.
public struct ScheduleActivityTask: Hashable, Sendable {
    public var activityID: ActivityID
    public var activityType: String
    public var taskQueue: TaskQueueName?
    public var header: Blob?
    public var input: Blob?
    public var scheduleToCloseTimeout: TimeSpan
    public var scheduleToStartTimeout: TimeSpan
    public var startToCloseTimeout: TimeSpan
    public var heartbeatTimeout: TimeSpan
    public var retryPolicy: RetryPolicy?
    public var requestEagerExecution: Bool
    public var priority: Priority?
    public var useWorkflowBuildID: Bool

    public init(
        activityID: ActivityID, activityType: String, taskQueue: TaskQueueName? = nil, header: Blob? = nil,
        input: Blob? = nil, scheduleToCloseTimeout: TimeSpan = .zero, scheduleToStartTimeout: TimeSpan = .zero,
        startToCloseTimeout: TimeSpan = .zero, heartbeatTimeout: TimeSpan = .zero, retryPolicy: RetryPolicy? = nil,
        requestEagerExecution: Bool = false, priority: Priority? = nil, useWorkflowBuildID: Bool = false
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
        self.retryPolicy = retryPolicy
        self.requestEagerExecution = requestEagerExecution
        self.priority = priority
        self.useWorkflowBuildID = useWorkflowBuildID
    }
}

/// Asks for a timer.
public struct StartTimer: Hashable, Sendable {
    public var timerID: TimerID
    public var startToFireTimeout: TimeSpan

    public init(timerID: TimerID, startToFireTimeout: TimeSpan) {
        self.timerID = timerID
        self.startToFireTimeout = startToFireTimeout
    }
}

/// Ends this run and begins another of the same workflow id.
public struct ContinueAsNew: Hashable, Sendable {
    public var workflowType: String?
    public var taskQueue: TaskQueueName?
    public var input: Blob?
    public var header: Blob?
    public var workflowRunTimeout: TimeSpan
    public var workflowTaskTimeout: TimeSpan
    public var backoffStartInterval: TimeSpan
    public var retryPolicy: RetryPolicy?
    /// nil means the workflow.
    public var initiator: ContinueAsNewInitiator?
    public var failure: Failure?
    public var lastCompletionResult: Blob?
    public var cronSchedule: String
    public var memo: Blob?
    public var searchAttributes: Blob?

    public init(
        workflowType: String? = nil, taskQueue: TaskQueueName? = nil, input: Blob? = nil, header: Blob? = nil,
        workflowRunTimeout: TimeSpan = .zero, workflowTaskTimeout: TimeSpan = .zero,
        backoffStartInterval: TimeSpan = .zero, retryPolicy: RetryPolicy? = nil,
        initiator: ContinueAsNewInitiator? = nil, failure: Failure? = nil, lastCompletionResult: Blob? = nil,
        cronSchedule: String = "", memo: Blob? = nil, searchAttributes: Blob? = nil
    ) {
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.input = input
        self.header = header
        self.workflowRunTimeout = workflowRunTimeout
        self.workflowTaskTimeout = workflowTaskTimeout
        self.backoffStartInterval = backoffStartInterval
        self.retryPolicy = retryPolicy
        self.initiator = initiator
        self.failure = failure
        self.lastCompletionResult = lastCompletionResult
        self.cronSchedule = cronSchedule
        self.memo = memo
        self.searchAttributes = searchAttributes
    }
}

/// Asks for a marker.
public struct RecordMarker: Hashable, Sendable {
    public var markerName: String
    public var details: [NamedBlob]
    public var failure: Failure?
    public var header: Blob?

    public init(
        markerName: String, details: [NamedBlob] = [], failure: Failure? = nil, header: Blob? = nil
    ) {
        self.markerName = markerName
        self.details = details
        self.failure = failure
        self.header = header
    }
}
