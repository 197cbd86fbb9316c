import History

/// The fields of the events about a run itself. Numbers are those of `temporal/history.proto`.
extension ProtobufWriter {
    mutating func fields(_ a: WorkflowExecutionStarted) {
        named(1, a.workflowType)
        if let parent = a.parent {
            text(2, parent.namespace.name)
            execution(3, parent.execution)
            eventID(4, parent.initiatedEventID)
        }
        taskQueue(5, a.taskQueue)
        blob(6, a.input)
        span(7, a.workflowExecutionTimeout)
        span(8, a.workflowRunTimeout)
        span(9, a.workflowTaskTimeout)
        text(10, a.continuedExecutionRunID)
        integer(11, a.initiator?.rawValue ?? 0)
        failure(12, a.continuedFailure)
        blob(13, a.lastCompletionResult)
        text(14, a.originalExecutionRunID)
        text(15, a.identity)
        text(16, a.firstExecutionRunID)
        if let policy = a.retryPolicy { retryPolicy(17, policy) }
        integer(18, a.attempt)
        if let expiration = a.workflowExecutionExpirationTime { timestamp(19, expiration) }
        text(20, a.cronSchedule)
        span(21, a.firstWorkflowTaskBackoff)
        blob(22, a.memo)
        blob(23, a.searchAttributes)
        blob(25, a.header)
        if let parent = a.parent { text(27, parent.namespace.id) }
        text(28, a.workflowID)
        for callback in a.completionCallbacks { encoded(30, callback.bytes) }
        if let root = a.root { execution(31, root) }
        blob(33, a.versioningOverride)
        if let priority = a.priority { self.priority(35, priority) }
        flag(38, a.eagerExecutionAccepted)
        text(1000, a.requestID)
    }

    mutating func fields(_ a: WorkflowExecutionCompleted) {
        blob(1, a.result)
        eventID(2, a.workflowTaskCompletedEventID)
        text(3, a.newExecutionRunID)
    }

    mutating func fields(_ a: WorkflowExecutionFailed) {
        failure(1, a.failure)
        integer(2, a.retryState.rawValue)
        eventID(3, a.workflowTaskCompletedEventID)
        text(4, a.newExecutionRunID)
    }

    mutating func fields(_ a: WorkflowExecutionTimedOut) {
        integer(1, a.retryState.rawValue)
        text(2, a.newExecutionRunID)
    }

    mutating func fields(_ a: WorkflowExecutionCancelRequested) {
        text(1, a.cause)
        eventID(2, a.externalInitiatedEventID)
        if let external = a.external { execution(3, external) }
        text(4, a.identity)
    }

    mutating func fields(_ a: WorkflowExecutionCanceled) {
        eventID(1, a.workflowTaskCompletedEventID)
        blob(2, a.details)
    }

    mutating func fields(_ a: WorkflowExecutionSignaled) {
        text(1, a.signalName)
        blob(2, a.input)
        text(3, a.identity)
        blob(4, a.header)
        if let external = a.external { execution(6, external) }
        text(7, a.requestID)
    }

    mutating func fields(_ a: WorkflowExecutionTerminated) {
        text(1, a.reason)
        blob(2, a.details)
        text(3, a.identity)
    }

    mutating func fields(_ a: WorkflowExecutionContinuedAsNew) {
        text(1, a.newExecutionRunID)
        named(2, a.workflowType)
        taskQueue(3, a.taskQueue)
        blob(4, a.input)
        span(5, a.workflowRunTimeout)
        span(6, a.workflowTaskTimeout)
        eventID(7, a.workflowTaskCompletedEventID)
        span(8, a.backoffStartInterval)
        integer(9, a.initiator?.rawValue ?? 0)
        failure(10, a.failure)
        blob(11, a.lastCompletionResult)
        blob(12, a.header)
        blob(13, a.memo)
        blob(14, a.searchAttributes)
    }

    mutating func fields(_ a: UpsertWorkflowSearchAttributes) {
        eventID(1, a.workflowTaskCompletedEventID)
        blob(2, a.searchAttributes)
    }

    mutating func fields(_ a: WorkflowPropertiesModified) {
        eventID(1, a.workflowTaskCompletedEventID)
        blob(2, a.upsertedMemo)
    }

    mutating func fields(_ a: WorkflowExecutionOptionsUpdated) {
        blob(1, a.versioningOverride)
        flag(2, a.unsetVersioningOverride)
        text(3, a.attachedRequestID)
        text(5, a.identity)
        if let priority = a.priority { self.priority(6, priority) }
    }

    mutating func fields(_ a: MarkerRecorded) {
        text(1, a.markerName)
        for detail in a.details { entry(2, detail) }
        eventID(3, a.workflowTaskCompletedEventID)
        blob(4, a.header)
        failure(5, a.failure)
    }
}
