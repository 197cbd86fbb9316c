import History

/// What else belongs to an event, as its sender said. Five kinds of events can have such links.
extension EventKind {
    var links: [Blob] {
        switch self {
        case .workflowExecutionStarted(let a): a.links
        case .workflowExecutionSignaled(let a): a.links
        case .workflowExecutionCancelRequested(let a): a.links
        case .workflowExecutionTerminated(let a): a.links
        case .workflowExecutionOptionsUpdated(let a): a.links
        case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
            .workflowExecutionCanceled, .workflowExecutionContinuedAsNew, .workflowTaskScheduled, .workflowTaskStarted,
            .workflowTaskCompleted, .workflowTaskTimedOut, .workflowTaskFailed, .activityTaskScheduled,
            .activityTaskStarted, .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut,
            .activityTaskCancelRequested, .activityTaskCanceled, .timerStarted, .timerFired, .timerCanceled,
            .markerRecorded, .upsertWorkflowSearchAttributes, .workflowPropertiesModified, .childWorkflow,
            .externalWorkflow, .workflowExecutionUpdateAdmitted, .workflowExecutionUpdateAccepted,
            .workflowExecutionUpdateCompleted:
            []
        }
    }

    /// The event with links, if it is of a kind that can have them.
    func with(links: [Blob]) -> EventKind {
        if links.isEmpty { return self }
        if case .workflowExecutionStarted(var a) = self {
            a.links = links
            return .workflowExecutionStarted(a)
        }
        if case .workflowExecutionSignaled(var a) = self {
            a.links = links
            return .workflowExecutionSignaled(a)
        }
        if case .workflowExecutionCancelRequested(var a) = self {
            a.links = links
            return .workflowExecutionCancelRequested(a)
        }
        if case .workflowExecutionTerminated(var a) = self {
            a.links = links
            return .workflowExecutionTerminated(a)
        }
        if case .workflowExecutionOptionsUpdated(var a) = self {
            a.links = links
            return .workflowExecutionOptionsUpdated(a)
        }
        return self
    }
}
