import History

extension WorkflowExecutionStarted {
    /// What reading begins with.
    static var blank: WorkflowExecutionStarted {
        WorkflowExecutionStarted(
            workflowType: "", workflowID: "", taskQueue: TaskQueue(""), originalExecutionRunID: "",
            firstExecutionRunID: "")
    }
}

extension ActivityTaskScheduled {
    /// What reading begins with.
    static var blank: ActivityTaskScheduled {
        ActivityTaskScheduled(
            activityID: "", activityType: "", taskQueue: TaskQueue(""), workflowTaskCompletedEventID: .none,
            retryPolicy: RetryPolicy())
    }
}

extension SnapshotCoder {
    mutating func code(_ value: inout WorkflowExecutionStarted) throws(Corruption) {
        try code(&value.workflowType)
        try code(&value.workflowID)
        try code(&value.taskQueue)
        try code(&value.input)
        try code(&value.header)
        try code(&value.workflowExecutionTimeout)
        try code(&value.workflowRunTimeout)
        try code(&value.workflowTaskTimeout)
        try code(&value.workflowExecutionExpirationTime)
        try code(&value.originalExecutionRunID)
        try code(&value.firstExecutionRunID)
        try code(&value.continuedExecutionRunID)
        try code(&value.initiator, .workflow) { coder, initiator throws(Corruption) in try coder.code(&initiator) }
        try code(&value.continuedFailure)
        try code(&value.lastCompletionResult)
        try code(&value.identity)
        try code(&value.retryPolicy, RetryPolicy()) { coder, policy throws(Corruption) in try coder.code(&policy) }
        try code(&value.attempt)
        try code(&value.cronSchedule)
        try code(&value.firstWorkflowTaskBackoff)
        try code(&value.memo)
        try code(&value.searchAttributes)
        try code(&value.priority)
        try code(&value.eagerExecutionAccepted)
        try code(&value.completionCallbacks)
        try code(&value.versioningOverride)
        try code(&value.requestID)
        try code(&value.parent)
        try code(&value.root)
        try code(&value.links)
    }

    mutating func code(_ value: inout ActivityTaskScheduled) throws(Corruption) {
        try code(&value.activityID)
        try code(&value.activityType)
        try code(&value.taskQueue)
        try code(&value.header)
        try code(&value.input)
        try code(&value.scheduleToCloseTimeout)
        try code(&value.scheduleToStartTimeout)
        try code(&value.startToCloseTimeout)
        try code(&value.heartbeatTimeout)
        try code(&value.workflowTaskCompletedEventID)
        try code(&value.retryPolicy)
        try code(&value.priority)
        try code(&value.useWorkflowBuildID)
    }

    mutating func code(_ value: inout ActivityTaskStarted) throws(Corruption) {
        try code(&value.scheduledEventID)
        try code(&value.identity)
        try code(&value.requestID)
        try code(&value.attempt)
        try code(&value.lastFailure)
    }

    mutating func code(_ value: inout WorkflowExecutionSignaled) throws(Corruption) {
        try code(&value.signalName)
        try code(&value.input)
        try code(&value.header)
        try code(&value.identity)
        try code(&value.requestID)
        try code(&value.external)
        try code(&value.links)
    }

    mutating func code(_ value: inout WorkflowExecutionCancelRequested) throws(Corruption) {
        try code(&value.cause)
        try code(&value.identity)
        try code(&value.external)
        try code(&value.externalInitiatedEventID)
        try code(&value.links)
    }

    mutating func code(_ value: inout ActivityTaskCanceled) throws(Corruption) {
        try code(&value.details)
        try code(&value.latestCancelRequestedEventID)
        try code(&value.scheduledEventID)
        try code(&value.startedEventID)
        try code(&value.identity)
    }

    mutating func code(_ value: inout WorkflowExecutionOptionsUpdated) throws(Corruption) {
        try code(&value.versioningOverride)
        try code(&value.unsetVersioningOverride)
        try code(&value.attachedRequestID)
        try code(&value.identity)
        try code(&value.priority)
        try code(&value.links)
    }

    mutating func code(_ value: inout EventBuffer.Entry) throws(Corruption) {
        try code(&value.time)
        if isReading { value.fact = try readFact() } else { try write(value.fact) }
    }

    private mutating func write(_ fact: BufferedFact) throws(Corruption) {
        var tag: UInt8
        switch fact {
        case .signaled(var attributes):
            tag = 1
            try code(&tag)
            try code(&attributes)
        case .cancelRequested(var attributes):
            tag = 2
            try code(&tag)
            try code(&attributes)
        case .timerFired(var attributes):
            tag = 3
            try code(&tag)
            try code(&attributes.timerID)
            try code(&attributes.startedEventID)
        case .activityStarted(var attributes):
            tag = 4
            try code(&tag)
            try code(&attributes)
        case .activityCompleted(var end):
            tag = 5
            try code(&tag)
            try code(&end.result)
            try code(&end.scheduledEventID)
            try code(&end.identity)
        case .activityFailed(var end):
            tag = 6
            try code(&tag)
            try code(&end.failure)
            try code(&end.scheduledEventID)
            try code(&end.identity)
            try code(&end.retryState)
        case .activityTimedOut(var end):
            tag = 7
            try code(&tag)
            try code(&end.failure)
            try code(&end.scheduledEventID)
            try code(&end.retryState)
        case .activityCanceled(var end):
            tag = 8
            try code(&tag)
            try code(&end)
        case .related(let fact):
            tag = 9
            try code(&tag)
            try write(fact)
        case .optionsUpdated(var attributes):
            tag = 10
            try code(&tag)
            try code(&attributes)
        }
    }

    private mutating func readFact() throws(Corruption) -> BufferedFact {
        var tag: UInt8 = 0
        try code(&tag)
        switch tag {
        case 1:
            var attributes = WorkflowExecutionSignaled(signalName: "")
            try code(&attributes)
            return .signaled(attributes)
        case 2:
            var attributes = WorkflowExecutionCancelRequested()
            try code(&attributes)
            return .cancelRequested(attributes)
        case 3:
            var attributes = TimerFired(timerID: "", startedEventID: .none)
            try code(&attributes.timerID)
            try code(&attributes.startedEventID)
            return .timerFired(attributes)
        case 4:
            var attributes = ActivityTaskStarted(scheduledEventID: .none, attempt: 1)
            try code(&attributes)
            return .activityStarted(attributes)
        case 5...8: return try readEnd(tag)
        case 9: return .related(try readRelatedFact())
        case 10:
            var attributes = WorkflowExecutionOptionsUpdated()
            try code(&attributes)
            return .optionsUpdated(attributes)
        case let other: throw Corruption("snapshot: \(other) is not a kind of buffered event")
        }
    }

    private mutating func readEnd(_ tag: UInt8) throws(Corruption) -> BufferedFact {
        var failure = Failure.reset(message: "")
        switch tag {
        case 5:
            var end = ActivityTaskCompleted(scheduledEventID: .none, startedEventID: .none)
            try code(&end.result)
            try code(&end.scheduledEventID)
            try code(&end.identity)
            return .activityCompleted(end)
        case 6:
            try code(&failure)
            var end = ActivityTaskFailed(
                failure: failure, scheduledEventID: .none, startedEventID: .none, retryState: .timeout)
            try code(&end.scheduledEventID)
            try code(&end.identity)
            try code(&end.retryState)
            return .activityFailed(end)
        case 7:
            try code(&failure)
            var end = ActivityTaskTimedOut(failure: failure, scheduledEventID: .none, retryState: .timeout)
            try code(&end.scheduledEventID)
            try code(&end.retryState)
            return .activityTimedOut(end)
        default:
            var end = ActivityTaskCanceled(latestCancelRequestedEventID: .none, scheduledEventID: .none)
            try code(&end)
            return .activityCanceled(end)
        }
    }
}
