public import History

/// Everything that can be asked of one run. Ids, seeds and the time come from outside; nothing is made up inside.
public enum RunCommand: Hashable, Sendable {
    /// Begins the run; only a fresh ``Run`` takes it.
    indirect case start(StartRun)
    /// Begins the run with another one's history; only a fresh ``Run`` takes it.
    indirect case reset(ResetRun)
    case signal(SignalRun)
    case requestCancel(RequestCancelRun)
    case terminate(TerminateRun)
    /// Asks for an update, or attaches to it; nothing to store.
    case update(UpdateRun)
    /// A poller takes the scheduled workflow task: a lease in memory, nothing to store (architecture.md, decision 7).
    case startWorkflowTask(StartWorkflowTask)
    case completeWorkflowTask(CompleteWorkflowTask)
    case failWorkflowTask(FailWorkflowTask)
    /// A poller takes a scheduled activity; stored before the worker sees it.
    case startActivity(StartActivity)
    case completeActivity(CompleteActivity)
    case failActivity(FailActivity)
    case cancelActivity(CancelActivity)
    case heartbeatActivity(HeartbeatActivity)
    /// An operator pauses, resets or changes pending activities.
    case operateActivities(OperateActivities)
    /// Time has passed: whatever is due at `now` happens (timers, all timeouts, back-offs). Nothing due: an empty transition.
    case wake
    /// Changes the run's own options, or remembers a start that it answers.
    case updateOptions(UpdateRunOptions)
    /// Forgets the sticky queue; a scheduled task moves to the normal queue.
    case resetSticky
    /// The run is to be removed from the store; an open one is terminated.
    case delete(identity: String)
    /// Another run tells this one something; a repeated message changes nothing.
    case receive(RunMessage)
    /// A message of this run has reached its receiver.
    case settleMessage(SettleMessage)
}

public struct StartRun: Hashable, Sendable {
    public var key: RunKey
    /// Complete but for nothing: defaults are filled in at the edge, ids are given.
    public var attributes: WorkflowExecutionStarted
    public var userMetadata: Blob?
    /// Signal-with-start: recorded as event 2.
    public var signal: SignalRun?
    /// Eager start: the first workflow task is started at once for this identity, with this request id.
    public var eager: StartWorkflowTask?
    /// The first workflow task waits until the parent has recorded the start.
    public var isHeld: Bool
    /// What the runs before this one got from other runs, so that a repeated message is known.
    public var deliveredMessages: [Delivery]

    public init(
        key: RunKey, attributes: WorkflowExecutionStarted, userMetadata: Blob? = nil, signal: SignalRun? = nil,
        eager: StartWorkflowTask? = nil, isHeld: Bool = false, deliveredMessages: [Delivery] = []
    ) {
        self.key = key
        self.attributes = attributes
        self.userMetadata = userMetadata
        self.signal = signal
        self.eager = eager
        self.isHeld = isHeld
        self.deliveredMessages = deliveredMessages
    }
}

public struct SignalRun: Hashable, Sendable {
    public var attributes: WorkflowExecutionSignaled
    public init(_ attributes: WorkflowExecutionSignaled) { self.attributes = attributes }
}

public struct RequestCancelRun: Hashable, Sendable {
    public var attributes: WorkflowExecutionCancelRequested
    public var requestID: RequestID
    public init(_ attributes: WorkflowExecutionCancelRequested, requestID: RequestID) {
        self.attributes = attributes
        self.requestID = requestID
    }
}

public struct TerminateRun: Hashable, Sendable {
    public var attributes: WorkflowExecutionTerminated
    /// A reset takes its place: children go on, and the parent hears nothing.
    public var leavesChildren: Bool
    public init(_ attributes: WorkflowExecutionTerminated, leavesChildren: Bool = false) {
        self.attributes = attributes
        self.leavesChildren = leavesChildren
    }
}

public struct StartWorkflowTask: Hashable, Sendable {
    /// The scheduled task that was offered; stale offers are rejected with `notFound`.
    public var scheduledEventID: EventID
    public var stamp: Int32
    public var identity: String
    public var requestID: RequestID
    /// Was the task polled from the run's sticky queue? If not, sticky is cleared.
    public var fromSticky: Bool

    public init(scheduledEventID: EventID, stamp: Int32, identity: String, requestID: RequestID, fromSticky: Bool) {
        self.scheduledEventID = scheduledEventID
        self.stamp = stamp
        self.identity = identity
        self.requestID = requestID
        self.fromSticky = fromSticky
    }
}

public struct StickyAttributes: Hashable, Sendable {
    public var queue: TaskQueueName
    public var scheduleToStartTimeout: TimeSpan
    public init(queue: TaskQueueName, scheduleToStartTimeout: TimeSpan) {
        self.queue = queue
        self.scheduleToStartTimeout = scheduleToStartTimeout
    }
}

public struct CompleteWorkflowTask: Hashable, Sendable {
    public var token: WorkflowTaskToken
    public var commands: [WorkflowCommand]
    public var completed: WorkflowTaskCompleted
    public var sticky: StickyAttributes?
    /// If a new task is needed, start it at once with this request id and hand it back in the reply.
    public var returnNewTask: RequestID?
    public var forceNewTask: Bool
    /// Ids for what the commands may need, given from outside (a new run of continue-as-new, retry or cron).
    public var newRunID: RunID
    /// Request ids for eager activities; none given means none are started eagerly.
    public var eagerRequestIDs: [RequestID]
    /// The name of the run's own namespace, for events that name it.
    public var namespaceName: String
    /// What the worker says of updates. Those that no command names count after all commands.
    public var messages: [ProtocolMessage]
    /// The worker can forget events of a speculative task that came to nothing.
    public var discardsEvents: Bool

    public init(
        token: WorkflowTaskToken, commands: [WorkflowCommand], completed: WorkflowTaskCompleted,
        sticky: StickyAttributes? = nil,
        returnNewTask: RequestID? = nil, forceNewTask: Bool = false, newRunID: RunID, eagerRequestIDs: [RequestID] = [],
        namespaceName: String = "", messages: [ProtocolMessage] = [], discardsEvents: Bool = false
    ) {
        self.token = token
        self.commands = commands
        self.completed = completed
        self.sticky = sticky
        self.returnNewTask = returnNewTask
        self.forceNewTask = forceNewTask
        self.newRunID = newRunID
        self.eagerRequestIDs = eagerRequestIDs
        self.namespaceName = namespaceName
        self.messages = messages
        self.discardsEvents = discardsEvents
    }
}

public struct FailWorkflowTask: Hashable, Sendable {
    public var token: WorkflowTaskToken
    public var cause: WorkflowTaskFailedCause
    public var failure: Failure?
    public var identity: String
    public var binaryChecksum: String
    public init(
        token: WorkflowTaskToken, cause: WorkflowTaskFailedCause, failure: Failure?, identity: String,
        binaryChecksum: String = ""
    ) {
        self.token = token
        self.cause = cause
        self.failure = failure
        self.identity = identity
        self.binaryChecksum = binaryChecksum
    }
}

public struct StartActivity: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var attempt: Int32
    public var stamp: Int32
    public var identity: String
    public var requestID: RequestID
    public init(scheduledEventID: EventID, attempt: Int32, stamp: Int32, identity: String, requestID: RequestID) {
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
        self.stamp = stamp
        self.identity = identity
        self.requestID = requestID
    }
}

/// Which activity an answer is for: by the token of the poll, or by its id from outside.
public enum ActivityReference: Hashable, Sendable {
    case token(ActivityTaskToken)
    case id(ActivityID)
}

public struct CompleteActivity: Hashable, Sendable {
    public var activity: ActivityReference
    public var result: Blob?
    public var identity: String
    public init(activity: ActivityReference, result: Blob?, identity: String) {
        self.activity = activity
        self.result = result
        self.identity = identity
    }
}

public struct FailActivity: Hashable, Sendable {
    public var activity: ActivityReference
    public var failure: Failure
    public var lastHeartbeatDetails: Blob?
    public var identity: String
    public init(activity: ActivityReference, failure: Failure, lastHeartbeatDetails: Blob?, identity: String) {
        self.activity = activity
        self.failure = failure
        self.lastHeartbeatDetails = lastHeartbeatDetails
        self.identity = identity
    }
}

public struct CancelActivity: Hashable, Sendable {
    public var activity: ActivityReference
    public var details: Blob?
    public var identity: String
    public init(activity: ActivityReference, details: Blob?, identity: String) {
        self.activity = activity
        self.details = details
        self.identity = identity
    }
}

public struct HeartbeatActivity: Hashable, Sendable {
    public var activity: ActivityReference
    public var details: Blob?
    public var identity: String
    public init(activity: ActivityReference, details: Blob?, identity: String) {
        self.activity = activity
        self.details = details
        self.identity = identity
    }
}
