/// Asks for a child workflow.
public struct StartChildWorkflow: Hashable, Sendable {
    /// An empty name means the parent's; the id is filled in at the edge.
    public var namespace: NamespaceReference
    public var workflowID: WorkflowID
    public var workflowType: String
    public var taskQueue: TaskQueueName?
    public var input: Blob?
    public var header: Blob?
    public var workflowExecutionTimeout: TimeSpan
    public var workflowRunTimeout: TimeSpan
    public var workflowTaskTimeout: TimeSpan
    /// nil means terminate.
    public var parentClosePolicy: ParentClosePolicy?
    public var control: String
    public var reusePolicy: WorkflowIDReusePolicy
    public var retryPolicy: RetryPolicy?
    public var cronSchedule: String
    public var memo: Blob?
    public var searchAttributes: Blob?
    public var priority: Priority?
    public var versioningOverride: Blob?
    public var inheritBuildID: Bool

    public init(
        namespace: NamespaceReference = NamespaceReference(name: "", id: ""), workflowID: WorkflowID,
        workflowType: String, taskQueue: TaskQueueName? = nil, input: Blob? = nil, header: Blob? = nil,
        workflowExecutionTimeout: TimeSpan = .zero, workflowRunTimeout: TimeSpan = .zero,
        workflowTaskTimeout: TimeSpan = .zero, parentClosePolicy: ParentClosePolicy? = nil, control: String = "",
        reusePolicy: WorkflowIDReusePolicy = .allowDuplicate, retryPolicy: RetryPolicy? = nil,
        cronSchedule: String = "", memo: Blob? = nil, searchAttributes: Blob? = nil, priority: Priority? = nil,
        versioningOverride: Blob? = nil, inheritBuildID: Bool = false
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

/// Asks another workflow to cancel itself.
public struct RequestCancelExternal: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    public var control: String
    public var childWorkflowOnly: Bool
    public var reason: String

    public init(
        namespace: NamespaceReference = NamespaceReference(name: "", id: ""), execution: WorkflowReference,
        control: String = "", childWorkflowOnly: Bool = false, reason: String = ""
    ) {
        self.namespace = namespace
        self.execution = execution
        self.control = control
        self.childWorkflowOnly = childWorkflowOnly
        self.reason = reason
    }
}

/// Sends a signal to another workflow.
public struct SignalExternal: Hashable, Sendable {
    public var namespace: NamespaceReference
    /// nil when the worker left it out, which is a fault.
    public var execution: WorkflowReference?
    public var signalName: String
    public var input: Blob?
    public var header: Blob?
    public var control: String
    public var childWorkflowOnly: Bool

    public init(
        namespace: NamespaceReference = NamespaceReference(name: "", id: ""), execution: WorkflowReference?,
        signalName: String, input: Blob? = nil, header: Blob? = nil, control: String = "",
        childWorkflowOnly: Bool = false
    ) {
        self.namespace = namespace
        self.execution = execution
        self.signalName = signalName
        self.input = input
        self.header = header
        self.control = control
        self.childWorkflowOnly = childWorkflowOnly
    }
}

extension WorkflowCommand {
    /// The namespace of the workflow that the command is about, when that may be another one than the run's.
    public var targetNamespace: NamespaceReference? {
        get {
            switch kind {
            case .startChildWorkflow(let wish): wish.namespace
            case .requestCancelExternalWorkflow(let wish): wish.namespace
            case .signalExternalWorkflow(let wish): wish.namespace
            case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer,
                .completeWorkflowExecution, .failWorkflowExecution, .cancelWorkflowExecution,
                .continueAsNewWorkflowExecution, .recordMarker, .upsertWorkflowSearchAttributes,
                .modifyWorkflowProperties, .protocolMessage, .unsupported, .refused:
                nil
            }
        }
        set {
            guard let namespace = newValue else { return }
            switch kind {
            case .startChildWorkflow(var wish):
                wish.namespace = namespace
                kind = .startChildWorkflow(wish)
            case .requestCancelExternalWorkflow(var wish):
                wish.namespace = namespace
                kind = .requestCancelExternalWorkflow(wish)
            case .signalExternalWorkflow(var wish):
                wish.namespace = namespace
                kind = .signalExternalWorkflow(wish)
            case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer,
                .completeWorkflowExecution, .failWorkflowExecution, .cancelWorkflowExecution,
                .continueAsNewWorkflowExecution, .recordMarker, .upsertWorkflowSearchAttributes,
                .modifyWorkflowProperties, .protocolMessage, .unsupported, .refused:
                break
            }
        }
    }
}
