/// One entry of a run's history, as it is recorded and never changed.
public struct Event: Hashable, Sendable {
    public let id: EventID
    public let time: Timestamp
    public let kind: EventKind
    /// `temporal.api.sdk.v1.UserMetadata`, copied from the command or request that caused the event.
    public let userMetadata: Blob?
    public let workerMayIgnore: Bool

    public init(id: EventID, time: Timestamp, kind: EventKind, userMetadata: Blob? = nil, workerMayIgnore: Bool = false)
    {
        self.id = id
        self.time = time
        self.kind = kind
        self.userMetadata = userMetadata
        self.workerMayIgnore = workerMayIgnore
    }
}

/// What happened. Names and attributes follow `temporal.api.history.v1` (protocol.md 3.1).
///
/// A new event type is added here, in `EventKind+Type.swift` (its number), in the fold (`Engine/Run+Apply.swift`) and in
/// `TemporalCodec`; exhaustive switches show every place.
public enum EventKind: Hashable, Sendable {
    // Boxed: it is much larger than the others, and every event would be as large.
    indirect case workflowExecutionStarted(WorkflowExecutionStarted)
    case workflowExecutionCompleted(WorkflowExecutionCompleted)
    case workflowExecutionFailed(WorkflowExecutionFailed)
    case workflowExecutionTimedOut(WorkflowExecutionTimedOut)
    case workflowExecutionCancelRequested(WorkflowExecutionCancelRequested)
    case workflowExecutionCanceled(WorkflowExecutionCanceled)
    case workflowExecutionTerminated(WorkflowExecutionTerminated)
    case workflowExecutionContinuedAsNew(WorkflowExecutionContinuedAsNew)
    case workflowExecutionSignaled(WorkflowExecutionSignaled)
    case workflowTaskScheduled(WorkflowTaskScheduled)
    case workflowTaskStarted(WorkflowTaskStarted)
    case workflowTaskCompleted(WorkflowTaskCompleted)
    case workflowTaskTimedOut(WorkflowTaskTimedOut)
    case workflowTaskFailed(WorkflowTaskFailed)
    case activityTaskScheduled(ActivityTaskScheduled)
    case activityTaskStarted(ActivityTaskStarted)
    case activityTaskCompleted(ActivityTaskCompleted)
    case activityTaskFailed(ActivityTaskFailed)
    case activityTaskTimedOut(ActivityTaskTimedOut)
    case activityTaskCancelRequested(ActivityTaskCancelRequested)
    case activityTaskCanceled(ActivityTaskCanceled)
    case timerStarted(TimerStarted)
    case timerFired(TimerFired)
    case timerCanceled(TimerCanceled)
    case markerRecorded(MarkerRecorded)
    case upsertWorkflowSearchAttributes(UpsertWorkflowSearchAttributes)
    case workflowPropertiesModified(WorkflowPropertiesModified)
    case childWorkflow(ChildWorkflowEvent)
    case externalWorkflow(ExternalWorkflowEvent)
    case workflowExecutionUpdateAdmitted(WorkflowExecutionUpdateAdmitted)
    case workflowExecutionUpdateAccepted(WorkflowExecutionUpdateAccepted)
    case workflowExecutionUpdateCompleted(WorkflowExecutionUpdateCompleted)
    case workflowExecutionOptionsUpdated(WorkflowExecutionOptionsUpdated)
}
