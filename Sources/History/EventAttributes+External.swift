/// Events 22–24 and 37–39: what a workflow asks of another one, and what became of it.
public enum ExternalWorkflowEvent: Hashable, Sendable {
    case cancelInitiated(RequestCancelExternalInitiated)
    case cancelFailed(ExternalFailed)
    case cancelRequested(ExternalTold)
    case signalInitiated(SignalExternalInitiated)
    case signalFailed(ExternalFailed)
    case signaled(ExternalTold)

    public var typeNumber: Int32 {
        switch self {
        case .cancelInitiated: 22
        case .cancelFailed: 23
        case .cancelRequested: 24
        case .signalInitiated: 37
        case .signalFailed: 38
        case .signaled: 39
        }
    }

    public var typeName: String {
        switch self {
        case .cancelInitiated: "RequestCancelExternalWorkflowExecutionInitiated"
        case .cancelFailed: "RequestCancelExternalWorkflowExecutionFailed"
        case .cancelRequested: "ExternalWorkflowExecutionCancelRequested"
        case .signalInitiated: "SignalExternalWorkflowExecutionInitiated"
        case .signalFailed: "SignalExternalWorkflowExecutionFailed"
        case .signaled: "ExternalWorkflowExecutionSignaled"
        }
    }
}

/// Event 22.
public struct RequestCancelExternalInitiated: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    public var control: String
    public var childWorkflowOnly: Bool
    public var reason: String
    public var workflowTaskCompletedEventID: EventID

    public init(
        namespace: NamespaceReference, execution: WorkflowReference, control: String = "",
        childWorkflowOnly: Bool = false, reason: String = "", workflowTaskCompletedEventID: EventID
    ) {
        self.namespace = namespace
        self.execution = execution
        self.control = control
        self.childWorkflowOnly = childWorkflowOnly
        self.reason = reason
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 37.
public struct SignalExternalInitiated: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    public var signalName: String
    public var input: Blob?
    public var header: Blob?
    public var control: String
    public var childWorkflowOnly: Bool
    public var workflowTaskCompletedEventID: EventID

    public init(
        namespace: NamespaceReference, execution: WorkflowReference, signalName: String, input: Blob? = nil,
        header: Blob? = nil, control: String = "", childWorkflowOnly: Bool = false,
        workflowTaskCompletedEventID: EventID
    ) {
        self.namespace = namespace
        self.execution = execution
        self.signalName = signalName
        self.input = input
        self.header = header
        self.control = control
        self.childWorkflowOnly = childWorkflowOnly
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Events 23 and 38: the other workflow could not be told.
public struct ExternalFailed: Hashable, Sendable {
    public var cause: ExternalFailedCause
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    public var initiatedEventID: EventID
    public var control: String
    public var workflowTaskCompletedEventID: EventID

    public init(
        cause: ExternalFailedCause, namespace: NamespaceReference, execution: WorkflowReference,
        initiatedEventID: EventID, control: String = "", workflowTaskCompletedEventID: EventID
    ) {
        self.cause = cause
        self.namespace = namespace
        self.execution = execution
        self.initiatedEventID = initiatedEventID
        self.control = control
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Events 24 and 39: the other workflow was told.
public struct ExternalTold: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    public var initiatedEventID: EventID
    /// Only in event 39.
    public var control: String

    public init(
        namespace: NamespaceReference, execution: WorkflowReference, initiatedEventID: EventID, control: String = ""
    ) {
        self.namespace = namespace
        self.execution = execution
        self.initiatedEventID = initiatedEventID
        self.control = control
    }
}
