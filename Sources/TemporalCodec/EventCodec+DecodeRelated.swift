import History
import TemporalAPI

extension EventCodec {
    typealias Attributes = Temporal_Api_History_V1_HistoryEvent.OneOf_Attributes

    /// Events about children.
    static func childEvent(_ attributes: Attributes) -> ChildWorkflowEvent? {
        switch attributes {
        case .startChildWorkflowExecutionInitiatedEventAttributes(let a): .initiated(.init(a))
        case .startChildWorkflowExecutionFailedEventAttributes(let a): .startFailed(.init(a))
        case .childWorkflowExecutionStartedEventAttributes(let a): .started(.init(a))
        case .childWorkflowExecutionCompletedEventAttributes(let a): .ended(.init(a))
        case .childWorkflowExecutionFailedEventAttributes(let a): .ended(.init(a))
        case .childWorkflowExecutionCanceledEventAttributes(let a): .ended(.init(a))
        case .childWorkflowExecutionTimedOutEventAttributes(let a): .ended(.init(a))
        case .childWorkflowExecutionTerminatedEventAttributes(let a): .ended(.init(a))
        default: nil
        }
    }

    /// Events about what was asked of other workflows.
    static func externalEvent(_ attributes: Attributes) -> ExternalWorkflowEvent? {
        switch attributes {
        case .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(let a): .cancelInitiated(.init(a))
        case .requestCancelExternalWorkflowExecutionFailedEventAttributes(let a):
            .cancelFailed(
                ExternalFailed(
                    cause: ExternalFailedCause(rawValue: Int32(truncatingIfNeeded: a.cause.rawValue)) ?? .notFound,
                    namespace: NamespaceReference(a.namespace, a.namespaceID),
                    execution: WorkflowReference(a.workflowExecution), initiatedEventID: EventID(a.initiatedEventID),
                    control: a.control, workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID)))
        case .externalWorkflowExecutionCancelRequestedEventAttributes(let a):
            .cancelRequested(
                ExternalTold(
                    namespace: NamespaceReference(a.namespace, a.namespaceID),
                    execution: WorkflowReference(a.workflowExecution), initiatedEventID: EventID(a.initiatedEventID)))
        case .signalExternalWorkflowExecutionInitiatedEventAttributes(let a): .signalInitiated(.init(a))
        case .signalExternalWorkflowExecutionFailedEventAttributes(let a):
            .signalFailed(
                ExternalFailed(
                    cause: ExternalFailedCause(rawValue: Int32(truncatingIfNeeded: a.cause.rawValue)) ?? .notFound,
                    namespace: NamespaceReference(a.namespace, a.namespaceID),
                    execution: WorkflowReference(a.workflowExecution), initiatedEventID: EventID(a.initiatedEventID),
                    control: a.control, workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID)))
        case .externalWorkflowExecutionSignaledEventAttributes(let a):
            .signaled(
                ExternalTold(
                    namespace: NamespaceReference(a.namespace, a.namespaceID),
                    execution: WorkflowReference(a.workflowExecution), initiatedEventID: EventID(a.initiatedEventID),
                    control: a.control))
        default: nil
        }
    }
}

extension NamespaceReference {
    init(_ name: String, _ id: String) { self.init(name: name, id: NamespaceID(id)) }
}

extension WorkflowReference {
    init(_ execution: Temporal_Api_Common_V1_WorkflowExecution) {
        self.init(workflow: WorkflowID(execution.workflowID), run: RunID(nonEmpty: execution.runID))
    }
}

extension ParentWorkflow {
    /// The parent in a start event; nil when there is none.
    init?(_ a: Temporal_Api_History_V1_WorkflowExecutionStartedEventAttributes) {
        guard a.hasParentWorkflowExecution else { return nil }
        self.init(
            namespace: NamespaceReference(a.parentWorkflowNamespace, a.parentWorkflowNamespaceID),
            execution: WorkflowReference(a.parentWorkflowExecution),
            initiatedEventID: EventID(a.parentInitiatedEventID))
    }
}

extension StartChildWorkflowInitiated {
    init(_ a: Temporal_Api_History_V1_StartChildWorkflowExecutionInitiatedEventAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, a.namespaceID), workflowID: WorkflowID(a.workflowID),
            workflowType: a.workflowType.name, taskQueue: TaskQueue(a.taskQueue),
            input: Blob(a.input, isSet: a.hasInput), header: Blob(a.header, isSet: a.hasHeader),
            workflowExecutionTimeout: TimeSpan(a.workflowExecutionTimeout),
            workflowRunTimeout: TimeSpan(a.workflowRunTimeout), workflowTaskTimeout: TimeSpan(a.workflowTaskTimeout),
            parentClosePolicy: ParentClosePolicy(a.parentClosePolicy) ?? .terminate, control: a.control,
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID),
            reusePolicy: WorkflowIDReusePolicy(a.workflowIDReusePolicy) ?? .allowDuplicate,
            retryPolicy: a.hasRetryPolicy ? RetryPolicy(a.retryPolicy) : nil, cronSchedule: a.cronSchedule,
            memo: Blob(a.memo, isSet: a.hasMemo),
            searchAttributes: Blob(a.searchAttributes, isSet: a.hasSearchAttributes),
            priority: a.hasPriority ? Priority(a.priority) : nil,
            versioningOverride: Blob(a.versioningOverride, isSet: a.hasVersioningOverride),
            inheritBuildID: a.inheritBuildID)
    }
}

extension StartChildWorkflowFailed {
    init(_ a: Temporal_Api_History_V1_StartChildWorkflowExecutionFailedEventAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, a.namespaceID), workflowID: WorkflowID(a.workflowID),
            workflowType: a.workflowType.name,
            cause: StartChildFailedCause(rawValue: Int32(truncatingIfNeeded: a.cause.rawValue))
                ?? .workflowAlreadyExists,
            control: a.control, initiatedEventID: EventID(a.initiatedEventID),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension ChildWorkflowStarted {
    init(_ a: Temporal_Api_History_V1_ChildWorkflowExecutionStartedEventAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, a.namespaceID), initiatedEventID: EventID(a.initiatedEventID),
            execution: WorkflowReference(a.workflowExecution), workflowType: a.workflowType.name,
            header: Blob(a.header, isSet: a.hasHeader))
    }
}

extension ChildWorkflowEnded {
    init(_ a: Temporal_Api_History_V1_ChildWorkflowExecutionCompletedEventAttributes) {
        self.init(
            end: .completed(result: Blob(a.result, isSet: a.hasResult)),
            namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), workflowType: a.workflowType.name,
            initiatedEventID: EventID(a.initiatedEventID), startedEventID: EventID(a.startedEventID))
    }

    init(_ a: Temporal_Api_History_V1_ChildWorkflowExecutionFailedEventAttributes) {
        self.init(
            end: .failed(Failure(a.failure), RetryState(orUnknown: a.retryState)),
            namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), workflowType: a.workflowType.name,
            initiatedEventID: EventID(a.initiatedEventID), startedEventID: EventID(a.startedEventID))
    }

    init(_ a: Temporal_Api_History_V1_ChildWorkflowExecutionCanceledEventAttributes) {
        self.init(
            end: .canceled(details: Blob(a.details, isSet: a.hasDetails)),
            namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), workflowType: a.workflowType.name,
            initiatedEventID: EventID(a.initiatedEventID), startedEventID: EventID(a.startedEventID))
    }

    init(_ a: Temporal_Api_History_V1_ChildWorkflowExecutionTimedOutEventAttributes) {
        self.init(
            end: .timedOut(RetryState(orUnknown: a.retryState)),
            namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), workflowType: a.workflowType.name,
            initiatedEventID: EventID(a.initiatedEventID), startedEventID: EventID(a.startedEventID))
    }

    init(_ a: Temporal_Api_History_V1_ChildWorkflowExecutionTerminatedEventAttributes) {
        self.init(
            end: .terminated, namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), workflowType: a.workflowType.name,
            initiatedEventID: EventID(a.initiatedEventID), startedEventID: EventID(a.startedEventID))
    }
}

extension RequestCancelExternalInitiated {
    init(_ a: Temporal_Api_History_V1_RequestCancelExternalWorkflowExecutionInitiatedEventAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), control: a.control,
            childWorkflowOnly: a.childWorkflowOnly, reason: a.reason,
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension SignalExternalInitiated {
    init(_ a: Temporal_Api_History_V1_SignalExternalWorkflowExecutionInitiatedEventAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, a.namespaceID),
            execution: WorkflowReference(a.workflowExecution), signalName: a.signalName,
            input: Blob(a.input, isSet: a.hasInput), header: Blob(a.header, isSet: a.hasHeader), control: a.control,
            childWorkflowOnly: a.childWorkflowOnly,
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}
