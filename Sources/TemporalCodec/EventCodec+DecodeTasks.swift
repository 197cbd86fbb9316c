import History
import TemporalAPI

extension WorkflowTaskScheduled {
    init(_ a: Temporal_Api_History_V1_WorkflowTaskScheduledEventAttributes) {
        self.init(
            taskQueue: TaskQueue(a.taskQueue), startToCloseTimeout: TimeSpan(a.startToCloseTimeout), attempt: a.attempt)
    }
}

extension WorkflowTaskStarted {
    init(_ a: Temporal_Api_History_V1_WorkflowTaskStartedEventAttributes) {
        self.init(
            scheduledEventID: EventID(a.scheduledEventID), identity: a.identity, requestID: RequestID(a.requestID),
            suggestContinueAsNew: a.suggestContinueAsNew,
            suggestReasons: a.suggestContinueAsNewReasons.reduce(into: []) { found, reason in
                guard (1...3).contains(reason.rawValue) else { return }
                found.insert(ContinueAsNewReasons(rawValue: 1 << Int32(reason.rawValue)))
            },
            historySizeBytes: a.historySizeBytes,
            workerVersion: Blob(a.workerVersion, isSet: a.hasWorkerVersion))
    }
}

extension WorkflowTaskCompleted {
    init(_ a: Temporal_Api_History_V1_WorkflowTaskCompletedEventAttributes) {
        self.init(
            scheduledEventID: EventID(a.scheduledEventID), startedEventID: EventID(a.startedEventID),
            identity: a.identity, binaryChecksum: a.binaryChecksum,
            workerVersion: Blob(a.workerVersion, isSet: a.hasWorkerVersion),
            sdkMetadata: Blob(a.sdkMetadata, isSet: a.hasSdkMetadata),
            meteringMetadata: Blob(a.meteringMetadata, isSet: a.hasMeteringMetadata),
            versioningBehavior: Int32(truncatingIfNeeded: a.versioningBehavior.rawValue),
            workerDeploymentName: a.workerDeploymentName,
            deploymentVersion: Blob(a.deploymentVersion, isSet: a.hasDeploymentVersion))
    }
}

extension WorkflowTaskTimedOut {
    init(_ a: Temporal_Api_History_V1_WorkflowTaskTimedOutEventAttributes) {
        self.init(
            scheduledEventID: EventID(a.scheduledEventID), startedEventID: EventID(a.startedEventID),
            timeoutType: TimeoutType(a.timeoutType) ?? .startToClose)
    }
}

extension WorkflowTaskFailed {
    init(_ a: Temporal_Api_History_V1_WorkflowTaskFailedEventAttributes) {
        self.init(
            scheduledEventID: EventID(a.scheduledEventID), startedEventID: EventID(a.startedEventID),
            cause: WorkflowTaskFailedCause(a.cause), failure: Failure(a.failure, isSet: a.hasFailure),
            identity: a.identity, baseRunID: RunID(nonEmpty: a.baseRunID), newRunID: RunID(nonEmpty: a.newRunID),
            binaryChecksum: a.binaryChecksum)
    }
}

extension ActivityTaskScheduled {
    init(_ a: Temporal_Api_History_V1_ActivityTaskScheduledEventAttributes) {
        self.init(
            activityID: ActivityID(a.activityID), activityType: a.activityType.name, taskQueue: TaskQueue(a.taskQueue),
            header: Blob(a.header, isSet: a.hasHeader), input: Blob(a.input, isSet: a.hasInput),
            scheduleToCloseTimeout: TimeSpan(a.scheduleToCloseTimeout),
            scheduleToStartTimeout: TimeSpan(a.scheduleToStartTimeout),
            startToCloseTimeout: TimeSpan(a.startToCloseTimeout), heartbeatTimeout: TimeSpan(a.heartbeatTimeout),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID),
            retryPolicy: RetryPolicy(a.retryPolicy), priority: a.hasPriority ? Priority(a.priority) : nil,
            useWorkflowBuildID: a.useWorkflowBuildID)
    }
}

extension ActivityTaskStarted {
    init(_ a: Temporal_Api_History_V1_ActivityTaskStartedEventAttributes) {
        self.init(
            scheduledEventID: EventID(a.scheduledEventID), identity: a.identity, requestID: RequestID(a.requestID),
            attempt: a.attempt, lastFailure: Failure(a.lastFailure, isSet: a.hasLastFailure))
    }
}

extension ActivityTaskCompleted {
    init(_ a: Temporal_Api_History_V1_ActivityTaskCompletedEventAttributes) {
        self.init(
            result: Blob(a.result, isSet: a.hasResult), scheduledEventID: EventID(a.scheduledEventID),
            startedEventID: EventID(a.startedEventID), identity: a.identity)
    }
}

extension ActivityTaskFailed {
    init(_ a: Temporal_Api_History_V1_ActivityTaskFailedEventAttributes) {
        self.init(
            failure: Failure(a.failure), scheduledEventID: EventID(a.scheduledEventID),
            startedEventID: EventID(a.startedEventID), identity: a.identity,
            retryState: RetryState(orUnknown: a.retryState))
    }
}

extension ActivityTaskTimedOut {
    init(_ a: Temporal_Api_History_V1_ActivityTaskTimedOutEventAttributes) {
        self.init(
            failure: Failure(a.failure), scheduledEventID: EventID(a.scheduledEventID),
            startedEventID: EventID(a.startedEventID), retryState: RetryState(orUnknown: a.retryState))
    }
}

extension ActivityTaskCancelRequested {
    init(_ a: Temporal_Api_History_V1_ActivityTaskCancelRequestedEventAttributes) {
        self.init(
            scheduledEventID: EventID(a.scheduledEventID),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension ActivityTaskCanceled {
    init(_ a: Temporal_Api_History_V1_ActivityTaskCanceledEventAttributes) {
        self.init(
            details: Blob(a.details, isSet: a.hasDetails),
            latestCancelRequestedEventID: EventID(a.latestCancelRequestedEventID),
            scheduledEventID: EventID(a.scheduledEventID), startedEventID: EventID(a.startedEventID),
            identity: a.identity)
    }
}

extension TimerStarted {
    init(_ a: Temporal_Api_History_V1_TimerStartedEventAttributes) {
        self.init(
            timerID: TimerID(a.timerID), startToFireTimeout: TimeSpan(a.startToFireTimeout),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID))
    }
}

extension TimerFired {
    init(_ a: Temporal_Api_History_V1_TimerFiredEventAttributes) {
        self.init(timerID: TimerID(a.timerID), startedEventID: EventID(a.startedEventID))
    }
}

extension TimerCanceled {
    init(_ a: Temporal_Api_History_V1_TimerCanceledEventAttributes) {
        self.init(
            timerID: TimerID(a.timerID), startedEventID: EventID(a.startedEventID),
            workflowTaskCompletedEventID: EventID(a.workflowTaskCompletedEventID), identity: a.identity)
    }
}
