/// Events 29–36: a child from the parent's side.
public enum ChildWorkflowEvent: Hashable, Sendable {
    indirect case initiated(StartChildWorkflowInitiated)
    case startFailed(StartChildWorkflowFailed)
    case started(ChildWorkflowStarted)
    case ended(ChildWorkflowEnded)

    public var typeNumber: Int32 {
        switch self {
        case .initiated: 29
        case .startFailed: 30
        case .started: 31
        case .ended(let attributes): attributes.end.typeNumber
        }
    }

    public var typeName: String {
        switch self {
        case .initiated: "StartChildWorkflowExecutionInitiated"
        case .startFailed: "StartChildWorkflowExecutionFailed"
        case .started: "ChildWorkflowExecutionStarted"
        case .ended(let attributes): "ChildWorkflowExecution\(attributes.end.name)"
        }
    }
}

/// Event 29: the parent asked for a child.
public struct StartChildWorkflowInitiated: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var workflowID: WorkflowID
    public var workflowType: String
    public var taskQueue: TaskQueue
    public var input: Blob?
    public var header: Blob?
    public var workflowExecutionTimeout: TimeSpan
    public var workflowRunTimeout: TimeSpan
    public var workflowTaskTimeout: TimeSpan
    public var parentClosePolicy: ParentClosePolicy
    public var control: String
    public var workflowTaskCompletedEventID: EventID
    public var reusePolicy: WorkflowIDReusePolicy
    public var retryPolicy: RetryPolicy?
    public var cronSchedule: String
    public var memo: Blob?
    public var searchAttributes: Blob?
    public var priority: Priority?
    public var versioningOverride: Blob?
    public var inheritBuildID: Bool

    public init(
        namespace: NamespaceReference, workflowID: WorkflowID, workflowType: String, taskQueue: TaskQueue,
        input: Blob? = nil, header: Blob? = nil, workflowExecutionTimeout: TimeSpan = .zero,
        workflowRunTimeout: TimeSpan = .zero, workflowTaskTimeout: TimeSpan = .zero,
        parentClosePolicy: ParentClosePolicy = .terminate, control: String = "",
        workflowTaskCompletedEventID: EventID, reusePolicy: WorkflowIDReusePolicy = .allowDuplicate,
        retryPolicy: RetryPolicy? = nil, cronSchedule: String = "", memo: Blob? = nil, searchAttributes: Blob? = nil,
        priority: Priority? = nil, versioningOverride: Blob? = nil, inheritBuildID: Bool = false
    ) {
        self.namespace = namespace
        self.workflowID = workflowID
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.input = input
        self.header = header
        self.workflowExecutionTimeout = workflowExecutionTimeout
        self.workflowRunTimeout = workflowRunTimeout
        self.workflowTaskTimeout = workflowTaskTimeout
        self.parentClosePolicy = parentClosePolicy
        self.control = control
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
        self.reusePolicy = reusePolicy
        self.retryPolicy = retryPolicy
        self.cronSchedule = cronSchedule
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.priority = priority
        self.versioningOverride = versioningOverride
        self.inheritBuildID = inheritBuildID
    }
}

/// Event 30: there is no child.
public struct StartChildWorkflowFailed: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var workflowID: WorkflowID
    public var workflowType: String
    public var cause: StartChildFailedCause
    public var control: String
    public var initiatedEventID: EventID
    public var workflowTaskCompletedEventID: EventID

    public init(
        namespace: NamespaceReference, workflowID: WorkflowID, workflowType: String, cause: StartChildFailedCause,
        control: String = "", initiatedEventID: EventID, workflowTaskCompletedEventID: EventID
    ) {
        self.namespace = namespace
        self.workflowID = workflowID
        self.workflowType = workflowType
        self.cause = cause
        self.control = control
        self.initiatedEventID = initiatedEventID
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 31: the child runs.
public struct ChildWorkflowStarted: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var initiatedEventID: EventID
    public var execution: WorkflowReference
    public var workflowType: String
    public var header: Blob?

    public init(
        namespace: NamespaceReference, initiatedEventID: EventID, execution: WorkflowReference, workflowType: String,
        header: Blob? = nil
    ) {
        self.namespace = namespace
        self.initiatedEventID = initiatedEventID
        self.execution = execution
        self.workflowType = workflowType
        self.header = header
    }
}

/// How the last run of a child's chain closed.
public enum ChildEnd: Hashable, Sendable {
    case completed(result: Blob?)
    case failed(Failure, RetryState)
    case canceled(details: Blob?)
    case timedOut(RetryState)
    case terminated

    public var typeNumber: Int32 {
        switch self {
        case .completed: 32
        case .failed: 33
        case .canceled: 34
        case .timedOut: 35
        case .terminated: 36
        }
    }

    public var name: String {
        switch self {
        case .completed: "Completed"
        case .failed: "Failed"
        case .canceled: "Canceled"
        case .timedOut: "TimedOut"
        case .terminated: "Terminated"
        }
    }
}

/// Events 32–36: the child closed for good.
public struct ChildWorkflowEnded: Hashable, Sendable {
    public var end: ChildEnd
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    public var workflowType: String
    public var initiatedEventID: EventID
    public var startedEventID: EventID

    public init(
        end: ChildEnd, namespace: NamespaceReference, execution: WorkflowReference, workflowType: String,
        initiatedEventID: EventID, startedEventID: EventID = .none
    ) {
        self.end = end
        self.namespace = namespace
        self.execution = execution
        self.workflowType = workflowType
        self.initiatedEventID = initiatedEventID
        self.startedEventID = startedEventID
    }
}
