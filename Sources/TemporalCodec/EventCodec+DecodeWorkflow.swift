import History
import TemporalAPI

extension WorkflowExecutionStarted {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionStartedEventAttributes) {
        self.init(
            workflowType: a.workflowType.name, workflowID: WorkflowID(a.workflowID), taskQueue: TaskQueue(a.taskQueue),
            input: Blob(a.input, isSet: a.hasInput), header: Blob(a.header, isSet: a.hasHeader),
            workflowExecutionTimeout: TimeSpan(a.workflowExecutionTimeout),
            workflowRunTimeout: TimeSpan(a.workflowRunTimeout), workflowTaskTimeout: TimeSpan(a.workflowTaskTimeout),
            workflowExecutionExpirationTime: a.hasWorkflowExecutionExpirationTime
                ? Timestamp(a.workflowExecutionExpirationTime) : nil,
            originalExecutionRunID: RunID(a.originalExecutionRunID), firstExecutionRunID: RunID(a.firstExecutionRunID),
            continuedExecutionRunID: RunID(nonEmpty: a.continuedExecutionRunID),
            initiator: ContinueAsNewInitiator(a.initiator),
            continuedFailure: Failure(a.continuedFailure, isSet: a.hasContinuedFailure),
            lastCompletionResult: Blob(a.lastCompletionResult, isSet: a.hasLastCompletionResult), identity: a.identity,
            retryPolicy: a.hasRetryPolicy ? RetryPolicy(a.retryPolicy) : nil, attempt: a.attempt,
            cronSchedule: a.cronSchedule, firstWorkflowTaskBackoff: TimeSpan(a.firstWorkflowTaskBackoff),
            memo: Blob(a.memo, isSet: a.hasMemo),
            searchAttributes: Blob(a.searchAttributes, isSet: a.hasSearchAttributes),
            priority: a.hasPriority ? Priority(a.priority) : nil, eagerExecutionAccepted: a.eagerExecutionAccepted,
            completionCallbacks: a.completionCallbacks.map { Blob($0) },
            versioningOverride: Blob(a.versioningOverride, isSet: a.hasVersioningOverride),
            requestID: RequestID(a.aloftRequestID), parent: ParentWorkflow(a),
            root: a.hasRootWorkflowExecution ? WorkflowReference(a.rootWorkflowExecution) : nil)
    }
}

extension WorkflowExecutionCompleted {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionCompletedEventAttributes) {
        self.init(
            result: Blob(a.result, isSet: a.hasResult),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID),
            newExecutionRunID: RunID(nonEmpty: a.newExecutionRunID))
    }
}

extension WorkflowExecutionFailed {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionFailedEventAttributes) {
        self.init(
            failure: Failure(a.failure), retryState: RetryState(orUnknown: a.retryState),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID),
            newExecutionRunID: RunID(nonEmpty: a.newExecutionRunID))
    }
}

extension WorkflowExecutionTimedOut {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionTimedOutEventAttributes) {
        self.init(
            retryState: RetryState(orUnknown: a.retryState), newExecutionRunID: RunID(nonEmpty: a.newExecutionRunID))
    }
}

extension WorkflowExecutionCancelRequested {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionCancelRequestedEventAttributes) {
        self.init(
            cause: a.cause, identity: a.identity,
            external: a.hasExternalWorkflowExecution ? WorkflowReference(a.externalWorkflowExecution) : nil,
            externalInitiatedEventID: EventID(a.externalInitiatedEventID))
    }
}

extension WorkflowExecutionCanceled {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionCanceledEventAttributes) {
        self.init(
            details: Blob(a.details, isSet: a.hasDetails),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension WorkflowExecutionSignaled {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionSignaledEventAttributes) {
        self.init(
            signalName: a.signalName, input: Blob(a.input, isSet: a.hasInput),
            header: Blob(a.header, isSet: a.hasHeader),
            identity: a.identity, requestID: RequestID(a.requestID),
            external: a.hasExternalWorkflowExecution ? WorkflowReference(a.externalWorkflowExecution) : nil)
    }
}

extension WorkflowExecutionTerminated {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionTerminatedEventAttributes) {
        self.init(reason: a.reason, details: Blob(a.details, isSet: a.hasDetails), identity: a.identity)
    }
}

extension WorkflowExecutionContinuedAsNew {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionContinuedAsNewEventAttributes) {
        self.init(
            newExecutionRunID: RunID(a.newExecutionRunID), workflowType: a.workflowType.name,
            taskQueue: TaskQueue(a.taskQueue), input: Blob(a.input, isSet: a.hasInput),
            header: Blob(a.header, isSet: a.hasHeader), workflowRunTimeout: TimeSpan(a.workflowRunTimeout),
            workflowTaskTimeout: TimeSpan(a.workflowTaskTimeout),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID),
            backoffStartInterval: TimeSpan(a.backoffStartInterval),
            initiator: ContinueAsNewInitiator(a.initiator),
            failure: Failure(a.failure, isSet: a.hasFailure),
            lastCompletionResult: Blob(a.lastCompletionResult, isSet: a.hasLastCompletionResult),
            memo: Blob(a.memo, isSet: a.hasMemo),
            searchAttributes: Blob(a.searchAttributes, isSet: a.hasSearchAttributes))
    }
}

extension UpsertWorkflowSearchAttributes {
    init(_ a: Temporal_Api_History_V1_UpsertWorkflowSearchAttributesEventAttributes) {
        self.init(
            searchAttributes: Blob(a.searchAttributes),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension WorkflowPropertiesModified {
    init(_ a: Temporal_Api_History_V1_WorkflowPropertiesModifiedEventAttributes) {
        self.init(
            upsertedMemo: Blob(a.upsertedMemo), workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension WorkflowExecutionOptionsUpdated {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionOptionsUpdatedEventAttributes) {
        self.init(
            versioningOverride: Blob(a.versioningOverride, isSet: a.hasVersioningOverride),
            unsetVersioningOverride: a.unsetVersioningOverride, attachedRequestID: RequestID(a.attachedRequestID),
            identity: a.identity, priority: a.hasPriority ? Priority(a.priority) : nil)
    }
}

extension MarkerRecorded {
    init(_ a: Temporal_Api_History_V1_MarkerRecordedEventAttributes) {
        self.init(
            markerName: a.markerName, details: namedBlobs(a.details), failure: Failure(a.failure, isSet: a.hasFailure),
            header: Blob(a.header, isSet: a.hasHeader),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension RetryState {
    /// A state that is not set or not known counts as the server's own trouble: nothing more can be said of it.
    init(orUnknown wire: Temporal_Api_Enums_V1_RetryState) { self = RetryState(wire) ?? .internalServerError }
}
