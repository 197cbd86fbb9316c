extension EventKind {
    /// The number of temporal.api.enums.v1.EventType.
    public var typeNumber: Int32 {
        switch self {
        case .workflowExecutionStarted: 1
        case .workflowExecutionCompleted: 2
        case .workflowExecutionFailed: 3
        case .workflowExecutionTimedOut: 4
        case .workflowTaskScheduled: 5
        case .workflowTaskStarted: 6
        case .workflowTaskCompleted: 7
        case .workflowTaskTimedOut: 8
        case .workflowTaskFailed: 9
        case .activityTaskScheduled: 10
        case .activityTaskStarted: 11
        case .activityTaskCompleted: 12
        case .activityTaskFailed: 13
        case .activityTaskTimedOut: 14
        case .activityTaskCancelRequested: 15
        case .activityTaskCanceled: 16
        case .timerStarted: 17
        case .timerFired: 18
        case .timerCanceled: 19
        case .workflowExecutionCancelRequested: 20
        case .workflowExecutionCanceled: 21
        case .markerRecorded: 25
        case .workflowExecutionSignaled: 26
        case .workflowExecutionTerminated: 27
        case .workflowExecutionContinuedAsNew: 28
        case .upsertWorkflowSearchAttributes: 40
        case .workflowPropertiesModified: 46
        case .childWorkflow(let event): event.typeNumber
        case .externalWorkflow(let event): event.typeNumber
        case .workflowExecutionUpdateAccepted: 41
        case .workflowExecutionUpdateCompleted: 43
        case .workflowExecutionUpdateAdmitted: 47
        case .workflowExecutionOptionsUpdated: 55
        }
    }

    /// The name as people read it: `ActivityTaskScheduled`.
    public var typeName: String {
        switch self {
        case .workflowExecutionStarted: "WorkflowExecutionStarted"
        case .workflowExecutionCompleted: "WorkflowExecutionCompleted"
        case .workflowExecutionFailed: "WorkflowExecutionFailed"
        case .workflowExecutionTimedOut: "WorkflowExecutionTimedOut"
        case .workflowTaskScheduled: "WorkflowTaskScheduled"
        case .workflowTaskStarted: "WorkflowTaskStarted"
        case .workflowTaskCompleted: "WorkflowTaskCompleted"
        case .workflowTaskTimedOut: "WorkflowTaskTimedOut"
        case .workflowTaskFailed: "WorkflowTaskFailed"
        case .activityTaskScheduled: "ActivityTaskScheduled"
        case .activityTaskStarted: "ActivityTaskStarted"
        case .activityTaskCompleted: "ActivityTaskCompleted"
        case .activityTaskFailed: "ActivityTaskFailed"
        case .activityTaskTimedOut: "ActivityTaskTimedOut"
        case .activityTaskCancelRequested: "ActivityTaskCancelRequested"
        case .activityTaskCanceled: "ActivityTaskCanceled"
        case .timerStarted: "TimerStarted"
        case .timerFired: "TimerFired"
        case .timerCanceled: "TimerCanceled"
        case .workflowExecutionCancelRequested: "WorkflowExecutionCancelRequested"
        case .workflowExecutionCanceled: "WorkflowExecutionCanceled"
        case .markerRecorded: "MarkerRecorded"
        case .workflowExecutionSignaled: "WorkflowExecutionSignaled"
        case .workflowExecutionTerminated: "WorkflowExecutionTerminated"
        case .workflowExecutionContinuedAsNew: "WorkflowExecutionContinuedAsNew"
        case .upsertWorkflowSearchAttributes: "UpsertWorkflowSearchAttributes"
        case .workflowPropertiesModified: "WorkflowPropertiesModified"
        case .childWorkflow(let event): event.typeName
        case .externalWorkflow(let event): event.typeName
        case .workflowExecutionUpdateAdmitted: "WorkflowExecutionUpdateAdmitted"
        case .workflowExecutionUpdateAccepted: "WorkflowExecutionUpdateAccepted"
        case .workflowExecutionUpdateCompleted: "WorkflowExecutionUpdateCompleted"
        case .workflowExecutionOptionsUpdated: "WorkflowExecutionOptionsUpdated"
        }
    }

    /// May a worker that does not know this type pass over it? It changes nothing that workflow code sees.
    public var workerMayIgnore: Bool {
        if case .workflowExecutionOptionsUpdated = self { return true }
        return false
    }

    /// Does the run end with this event?
    public var closesRun: WorkflowStatus? {
        switch self {
        case .workflowExecutionCompleted: .completed
        case .workflowExecutionFailed: .failed
        case .workflowExecutionTimedOut: .timedOut
        case .workflowExecutionCanceled: .canceled
        case .workflowExecutionTerminated: .terminated
        case .workflowExecutionContinuedAsNew: .continuedAsNew
        case .workflowExecutionStarted, .workflowTaskScheduled, .workflowTaskStarted, .workflowTaskCompleted,
            .workflowTaskTimedOut, .workflowTaskFailed, .activityTaskScheduled, .activityTaskStarted,
            .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCancelRequested,
            .activityTaskCanceled, .timerStarted, .timerFired, .timerCanceled, .workflowExecutionCancelRequested,
            .markerRecorded, .workflowExecutionSignaled, .upsertWorkflowSearchAttributes, .workflowPropertiesModified,
            .childWorkflow, .externalWorkflow, .workflowExecutionUpdateAdmitted, .workflowExecutionUpdateAccepted,
            .workflowExecutionUpdateCompleted, .workflowExecutionOptionsUpdated:
            nil
        }
    }
}
