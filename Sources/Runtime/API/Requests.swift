public import Engine
public import History

public struct StartWorkflowRequest: Sendable {
    public var namespace: NamespaceID
    /// Run ids and the first-run chain are filled in by the runtime.
    public var attributes: WorkflowExecutionStarted
    public var userMetadata: Blob?
    public var requestID: RequestID
    public var reusePolicy: WorkflowIDReusePolicy
    public var conflictPolicy: WorkflowIDConflictPolicy
    public var signal: WorkflowExecutionSignaled?
    public var requestEagerTask: Bool
    /// A start that meets an open run leaves its request id with it.
    public var attachesRequestID = false
    /// And its links.
    public var attachesLinks = false
    public var claim: RequestClaim?
    public var actor: String

    public init(
        namespace: NamespaceID, attributes: WorkflowExecutionStarted, userMetadata: Blob? = nil, requestID: RequestID,
        reusePolicy: WorkflowIDReusePolicy = .allowDuplicate, conflictPolicy: WorkflowIDConflictPolicy = .fail,
        signal: WorkflowExecutionSignaled? = nil, requestEagerTask: Bool = false, claim: RequestClaim? = nil,
        actor: String = ""
    ) {
        self.namespace = namespace
        self.attributes = attributes
        self.userMetadata = userMetadata
        self.requestID = requestID
        self.reusePolicy = reusePolicy
        self.conflictPolicy = conflictPolicy
        self.signal = signal
        self.requestEagerTask = requestEagerTask
        self.claim = claim
        self.actor = actor
    }
}

public struct StartWorkflowResult: Sendable {
    public var run: RunID
    public var firstRun: RunID
    public var started: Bool
    public var status: WorkflowStatus
    public var eagerTask: PolledWorkflowTask?
    public init(
        run: RunID, firstRun: RunID, started: Bool, status: WorkflowStatus, eagerTask: PolledWorkflowTask? = nil
    ) {
        self.run = run
        self.firstRun = firstRun
        self.started = started
        self.status = status
        self.eagerTask = eagerTask
    }
}

public struct ResetWorkflowRequest: Sendable {
    public var target: RunTarget
    /// The start of a workflow task, or the event after it.
    public var finishEventID: EventID
    public var reason: String
    public var requestID: RequestID
    public var identity: String
    public var namespaceName: String
    /// What is not told the new run again.
    public var exclusions: ReapplyExclusions
    public var operations: [PostResetOperation]
    public init(
        target: RunTarget, finishEventID: EventID, reason: String, requestID: RequestID, identity: String = "",
        namespaceName: String = "", exclusions: ReapplyExclusions = [],
        operations: [PostResetOperation] = []
    ) {
        self.target = target
        self.finishEventID = finishEventID
        self.reason = reason
        self.requestID = requestID
        self.identity = identity
        self.namespaceName = namespaceName
        self.exclusions = exclusions
        self.operations = operations
    }
}

public enum TaskKind: UInt8, Sendable, Hashable { case workflow = 1, activity = 2 }

public struct TaskPoll: Sendable {
    public var namespace: NamespaceID
    public var queue: TaskQueue
    public var identity: String
    public var workerInstanceKey: String
    public var deadline: Timestamp
    public var workerVersion: Blob?
    /// At most so many tasks of the queue may begin in a second, whoever works on them.
    public var tasksPerSecondMax: Double?
    public init(
        namespace: NamespaceID, queue: TaskQueue, identity: String, workerInstanceKey: String, deadline: Timestamp,
        workerVersion: Blob? = nil, tasksPerSecondMax: Double? = nil
    ) {
        self.namespace = namespace
        self.queue = queue
        self.identity = identity
        self.workerInstanceKey = workerInstanceKey
        self.deadline = deadline
        self.workerVersion = workerVersion
        self.tasksPerSecondMax = tasksPerSecondMax
    }
}

/// Names a direct (legacy) query task.
public struct QueryToken: Sendable, Hashable {
    public var run: RunKey
    public var id: String
    public init(run: RunKey, id: String) {
        self.run = run
        self.id = id
    }
}

/// What a workflow poll returns: a workflow task, or a direct query.
public struct PolledWorkflowTask: Sendable {
    public enum Work: Sendable {
        case task(WorkflowTaskToken)
        case query(QueryToken, QueryRequest)
    }
    public var work: Work
    public var run: RunKey
    public var workflowType: String
    /// The run's normal queue (never the sticky one).
    public var taskQueue: TaskQueueName
    /// Encoded events, contiguous; possibly only the first page.
    public var history: [[UInt8]]
    /// When the history goes on: the next event to ask for, and the last one of this task.
    public var nextEvent: EventID?
    public var lastEvent: EventID
    public var previousStartedEventID: EventID
    public var startedEventID: EventID
    public var attempt: Int32
    public var scheduledTime: Timestamp
    public var startedTime: Timestamp
    /// Buffered queries by id.
    public var queries: [(id: String, query: QueryRequest)]
    /// The updates that it brings.
    public var messages: [ProtocolMessage]
    public var backlogHint: Int64

    public init(
        work: Work, run: RunKey, workflowType: String, taskQueue: TaskQueueName, history: [[UInt8]],
        nextEvent: EventID?,
        lastEvent: EventID, previousStartedEventID: EventID, startedEventID: EventID, attempt: Int32,
        scheduledTime: Timestamp,
        startedTime: Timestamp, queries: [(id: String, query: QueryRequest)] = [], messages: [ProtocolMessage] = [],
        backlogHint: Int64 = 0
    ) {
        self.work = work
        self.run = run
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.history = history
        self.nextEvent = nextEvent
        self.lastEvent = lastEvent
        self.previousStartedEventID = previousStartedEventID
        self.startedEventID = startedEventID
        self.attempt = attempt
        self.scheduledTime = scheduledTime
        self.startedTime = startedTime
        self.queries = queries
        self.messages = messages
        self.backlogHint = backlogHint
    }
}

public struct PolledActivityTask: Sendable {
    public var activity: StartedActivity
    public init(activity: StartedActivity) { self.activity = activity }
}

public struct CompleteWorkflowTaskRequest: Sendable {
    public var token: WorkflowTaskToken
    public var commands: [WorkflowCommand]
    public var completed: WorkflowTaskCompleted
    public var sticky: StickyAttributes?
    public var returnNewTask: Bool
    public var forceNewTask: Bool
    public var queryResults: [(id: String, answer: QueryAnswer)]
    /// How many activities the worker could take at once.
    public var eagerActivitiesMax: Int
    /// The name of the run's namespace, as events about other workflows tell it.
    public var namespaceName: String
    /// What the worker says of updates.
    public var messages: [ProtocolMessage]
    /// The worker can forget events of a task that came to nothing.
    public var discardsEvents: Bool
    public init(
        token: WorkflowTaskToken, commands: [WorkflowCommand], completed: WorkflowTaskCompleted,
        sticky: StickyAttributes? = nil,
        returnNewTask: Bool = false, forceNewTask: Bool = false, queryResults: [(id: String, answer: QueryAnswer)] = [],
        eagerActivitiesMax: Int = 0, namespaceName: String = "", messages: [ProtocolMessage] = [],
        discardsEvents: Bool = false
    ) {
        self.token = token
        self.commands = commands
        self.completed = completed
        self.sticky = sticky
        self.returnNewTask = returnNewTask
        self.forceNewTask = forceNewTask
        self.queryResults = queryResults
        self.eagerActivitiesMax = eagerActivitiesMax
        self.namespaceName = namespaceName
        self.messages = messages
        self.discardsEvents = discardsEvents
    }
}

public struct CompletedWorkflowTask: Sendable {
    public var newTask: PolledWorkflowTask?
    public var eagerActivities: [PolledActivityTask]
    /// The task was forgotten: the worker goes back to the one that started with this event.
    public var resetHistory: EventID?
    public init(
        newTask: PolledWorkflowTask? = nil, eagerActivities: [PolledActivityTask] = [], resetHistory: EventID? = nil
    ) {
        self.newTask = newTask
        self.eagerActivities = eagerActivities
        self.resetHistory = resetHistory
    }
}

public struct HeartbeatResult: Sendable, Hashable {
    public var cancelRequested: Bool
    public var paused: Bool
    public var reset: Bool
    public init(cancelRequested: Bool, paused: Bool = false, reset: Bool = false) {
        self.cancelRequested = cancelRequested
        self.paused = paused
        self.reset = reset
    }
}

public enum QueryRejectCondition: Int32, Sendable, Hashable { case none = 1, notOpen = 2, notCompletedCleanly = 3 }

public struct QueryRequest: Sendable, Hashable {
    public var type: String
    public var arguments: Blob?
    public var header: Blob?
    public var rejectCondition: QueryRejectCondition
    public init(type: String, arguments: Blob?, header: Blob?, rejectCondition: QueryRejectCondition = .none) {
        self.type = type
        self.arguments = arguments
        self.header = header
        self.rejectCondition = rejectCondition
    }
}

public enum QueryAnswer: Sendable, Hashable {
    case answered(Blob?)
    case failed(message: String, failure: Blob?)
}

public enum QueryResult: Sendable, Hashable {
    case answered(Blob?)
    case rejected(WorkflowStatus)
}

public struct HistoryRequest: Sendable {
    public enum Filter: Sendable { case allEvents, closeEvent }
    public var target: RunTarget
    public var first: EventID
    /// Not beyond this event (a task's own history); `.none` = to the end.
    public var last: EventID
    public var limit: Int
    public var filter: Filter
    public var waitForNew: Bool
    /// From `last` (or the end) down to `first`; the page's `next` is then the `last` to ask for.
    public var newestFirst: Bool
    public init(
        target: RunTarget, first: EventID = .first, last: EventID = .none, limit: Int, filter: Filter = .allEvents,
        waitForNew: Bool = false, newestFirst: Bool = false
    ) {
        self.target = target
        self.first = first
        self.last = last
        self.limit = limit
        self.filter = filter
        self.waitForNew = waitForNew
        self.newestFirst = newestFirst
    }
}

public struct HistoryPage: Sendable {
    public var run: RunKey
    public var events: [[UInt8]]
    /// The next event to ask for; nil when the history is complete for this request.
    public var next: EventID?
    public var isOpen: Bool
    public init(run: RunKey, events: [[UInt8]], next: EventID?, isOpen: Bool) {
        self.run = run
        self.events = events
        self.next = next
        self.isOpen = isOpen
    }
}

/// Everything `DescribeWorkflowExecution` shows. `state` is the run itself: its read-only properties hold the rest.
public struct RunDescription: Sendable {
    public var summary: RunSummary
    public var state: Run
    /// How often the run was written.
    public var transitionCount: Int64
    public init(summary: RunSummary, state: Run, transitionCount: Int64 = 0) {
        self.summary = summary
        self.state = state
        self.transitionCount = transitionCount
    }
}

public struct TaskQueueDescription: Sendable {
    public struct Poller: Sendable {
        public var identity: String
        public var lastAccess: Timestamp
        public init(identity: String, lastAccess: Timestamp) {
            self.identity = identity
            self.lastAccess = lastAccess
        }
    }
    /// The tasks of one priority, 1 (first) … 5 (last).
    public struct Backlog: Sendable, Hashable {
        public var priority: Int32
        public var count: Int
        public var oldestTaskAge: TimeSpan
        public init(priority: Int32, count: Int, oldestTaskAge: TimeSpan) {
            self.priority = priority
            self.count = count
            self.oldestTaskAge = oldestTaskAge
        }
    }
    public var pollers: [Poller]
    public var backlogCount: Int
    public var oldestTaskAge: TimeSpan
    /// What waits, by priority; priorities without tasks are left out.
    public var byPriority: [Backlog]
    /// Tasks a second over the last half minute.
    public var tasksAddRate: Double
    public var tasksDispatchRate: Double
    /// Tasks a second that its workers want at most.
    public var rateLimit: Double?
    public init(
        pollers: [Poller], backlogCount: Int, oldestTaskAge: TimeSpan, byPriority: [Backlog] = [],
        tasksAddRate: Double = 0, tasksDispatchRate: Double = 0, rateLimit: Double? = nil
    ) {
        self.pollers = pollers
        self.backlogCount = backlogCount
        self.oldestTaskAge = oldestTaskAge
        self.byPriority = byPriority
        self.tasksAddRate = tasksAddRate
        self.tasksDispatchRate = tasksDispatchRate
        self.rateLimit = rateLimit
    }
}
