import History

/// The fields of the events about workflow tasks, activities and timers. Numbers are those of `temporal/history.proto`.
extension ProtobufWriter {
    mutating func fields(_ a: WorkflowTaskScheduled) {
        taskQueue(1, a.taskQueue)
        span(2, a.startToCloseTimeout)
        integer(3, a.attempt)
    }

    mutating func fields(_ a: WorkflowTaskStarted) {
        eventID(1, a.scheduledEventID)
        text(2, a.identity)
        text(3, a.requestID)
        flag(4, a.suggestContinueAsNew)
        integer(5, a.historySizeBytes)
        blob(6, a.workerVersion)
        for number in Int32(1)...3 where a.suggestReasons.contains(ContinueAsNewReasons(rawValue: 1 << number)) {
            integer(8, number)
        }
    }

    mutating func fields(_ a: WorkflowTaskCompleted) {
        eventID(1, a.scheduledEventID)
        eventID(2, a.startedEventID)
        text(3, a.identity)
        text(4, a.binaryChecksum)
        blob(5, a.workerVersion)
        blob(6, a.sdkMetadata)
        integer(8, a.versioningBehavior)
        text(10, a.workerDeploymentName)
        blob(11, a.deploymentVersion)
        blob(13, a.meteringMetadata)
    }

    mutating func fields(_ a: WorkflowTaskTimedOut) {
        eventID(1, a.scheduledEventID)
        eventID(2, a.startedEventID)
        integer(3, a.timeoutType.rawValue)
    }

    mutating func fields(_ a: WorkflowTaskFailed) {
        eventID(1, a.scheduledEventID)
        eventID(2, a.startedEventID)
        integer(3, a.cause.rawValue)
        failure(4, a.failure)
        text(5, a.identity)
        text(6, a.baseRunID)
        text(7, a.newRunID)
        text(9, a.binaryChecksum)
    }

    mutating func fields(_ a: ActivityTaskScheduled) {
        text(1, a.activityID)
        named(2, a.activityType)
        taskQueue(4, a.taskQueue)
        blob(5, a.header)
        blob(6, a.input)
        span(7, a.scheduleToCloseTimeout)
        span(8, a.scheduleToStartTimeout)
        span(9, a.startToCloseTimeout)
        span(10, a.heartbeatTimeout)
        eventID(11, a.workflowTaskCompletedEventID)
        retryPolicy(12, a.retryPolicy)
        flag(13, a.useWorkflowBuildID)
        if let priority = a.priority { self.priority(14, priority) }
    }

    mutating func fields(_ a: ActivityTaskStarted) {
        eventID(1, a.scheduledEventID)
        text(2, a.identity)
        text(3, a.requestID)
        integer(4, a.attempt)
        failure(5, a.lastFailure)
    }

    mutating func fields(_ a: ActivityTaskCompleted) {
        blob(1, a.result)
        eventID(2, a.scheduledEventID)
        eventID(3, a.startedEventID)
        text(4, a.identity)
    }

    mutating func fields(_ a: ActivityTaskFailed) {
        failure(1, a.failure)
        eventID(2, a.scheduledEventID)
        eventID(3, a.startedEventID)
        text(4, a.identity)
        integer(5, a.retryState.rawValue)
    }

    mutating func fields(_ a: ActivityTaskTimedOut) {
        failure(1, a.failure)
        eventID(2, a.scheduledEventID)
        eventID(3, a.startedEventID)
        integer(4, a.retryState.rawValue)
    }

    mutating func fields(_ a: ActivityTaskCancelRequested) {
        eventID(1, a.scheduledEventID)
        eventID(2, a.workflowTaskCompletedEventID)
    }

    mutating func fields(_ a: ActivityTaskCanceled) {
        blob(1, a.details)
        eventID(2, a.latestCancelRequestedEventID)
        eventID(3, a.scheduledEventID)
        eventID(4, a.startedEventID)
        text(5, a.identity)
    }

    mutating func fields(_ a: TimerStarted) {
        text(1, a.timerID)
        span(2, a.startToFireTimeout)
        eventID(3, a.workflowTaskCompletedEventID)
    }

    mutating func fields(_ a: TimerFired) {
        text(1, a.timerID)
        eventID(2, a.startedEventID)
    }

    mutating func fields(_ a: TimerCanceled) {
        text(1, a.timerID)
        eventID(2, a.startedEventID)
        eventID(3, a.workflowTaskCompletedEventID)
        text(4, a.identity)
    }
}
