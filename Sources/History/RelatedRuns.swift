/// What happens to a child that is still open when its parent closes.
public enum ParentClosePolicy: Int32, Hashable, Sendable {
    case terminate = 1
    case abandon = 2
    case requestCancel = 3
}

/// Why no child was started (temporal.api.enums.v1.StartChildWorkflowExecutionFailedCause).
public enum StartChildFailedCause: Int32, Hashable, Sendable {
    case workflowAlreadyExists = 1
    case namespaceNotFound = 2
}

/// Why another workflow was not told. Numbers are those of temporal.api.enums.v1.SignalExternalWorkflowExecutionFailedCause;
/// the first two are those of a failed cancel request, too.
public enum ExternalFailedCause: Int32, Hashable, Sendable {
    case notFound = 1
    case namespaceNotFound = 2
    case signalCountLimitExceeded = 3
}

/// A namespace as an event names it: by the name of that time and by the id that stays.
public struct NamespaceReference: Hashable, Sendable {
    public var name: String
    /// Empty when there is no namespace of that name.
    public var id: NamespaceID

    public init(name: String, id: NamespaceID) {
        self.name = name
        self.id = id
    }
}

/// A workflow as an event names it; `run == nil` means the current run.
public struct WorkflowReference: Hashable, Sendable {
    public var workflow: WorkflowID
    public var run: RunID?

    public init(workflow: WorkflowID, run: RunID? = nil) {
        self.workflow = workflow
        self.run = run
    }
}

/// Who started a child, as the child's first event says.
public struct ParentWorkflow: Hashable, Sendable {
    public var namespace: NamespaceReference
    public var execution: WorkflowReference
    /// The parent's event that asked for the child.
    public var initiatedEventID: EventID

    public init(namespace: NamespaceReference, execution: WorkflowReference, initiatedEventID: EventID) {
        self.namespace = namespace
        self.execution = execution
        self.initiatedEventID = initiatedEventID
    }
}
