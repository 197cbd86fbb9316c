public import History

/// A pending activity as status pages show it.
public struct PendingActivityDescription: Hashable, Sendable {
    public enum State: Int32, Hashable, Sendable {
        case scheduled = 1
        case started = 2
        case cancelRequested = 3
        case paused = 4
        /// The attempt that runs has not heard of the pause yet, or goes on.
        case pauseRequested = 5
    }

    /// Who holds it, and why.
    public struct Pause: Hashable, Sendable {
        public var time: Timestamp
        public var identity: String
        public var reason: String
    }
    public var scheduledEventID: EventID
    public var activityID: ActivityID
    public var activityType: String
    public var taskQueue: TaskQueueName
    public var state: State
    public var attempt: Int32
    /// 0 means without limit.
    public var maximumAttempts: Int32
    public var heartbeatDetails: Blob?
    public var lastHeartbeatTime: Timestamp?
    public var lastStartedTime: Timestamp?
    /// When this attempt was or will be handed out.
    public var scheduledTime: Timestamp
    /// When the activity was asked for.
    public var firstScheduledTime: Timestamp
    public var expirationTime: Timestamp?
    /// Set while a failed attempt waits for its back-off.
    public var nextAttemptScheduledTime: Timestamp?
    public var lastFailure: Failure?
    public var lastWorkerIdentity: String
    public var priority: Priority?
    public var retryPolicy: RetryPolicy
    public var pause: Pause?
    public var options: ActivityTaskOptions
}

/// The pending workflow task as status pages show it.
public struct PendingWorkflowTaskDescription: Hashable, Sendable {
    public var isStarted: Bool
    public var scheduledTime: Timestamp
    public var originalScheduledTime: Timestamp
    public var startedTime: Timestamp?
    public var attempt: Int32
    public var scheduledEventID: EventID
    public var isTransient: Bool
    /// It exists for updates alone and is not recorded.
    public var isSpeculative: Bool
}

extension Run {
    public var closeTime: Timestamp? { facts.closeTime }
    /// When the workflow may begin: its start and the back-off of its first workflow task.
    public var executionTime: Timestamp { facts.resetTime ?? firstTaskTime }
    /// When this run times out.
    public var runExpirationTime: Timestamp? { expirationTime }
    public var cancelRequested: Bool { facts.cancelIsRequested || cancelRequestIsBuffered }
    public var taskQueue: TaskQueueName { started?.taskQueue.name ?? "" }
    public var stickyQueue: TaskQueueName? { sticky?.queue }
    public var stickyAttributes: StickyAttributes? { sticky }
    public var hasCompletedWorkflowTask: Bool { workflowTask.lastCompletedStartedEventID != .none }
    public var lastCompletedStartedEventID: EventID { workflowTask.lastCompletedStartedEventID }
    public var workflowTaskAttempt: Int32 { workflowTask.pending?.attempt ?? 1 }
    public var bufferedEventCount: Int { eventBuffer.entries.count }
    public var pendingTimerCount: Int { timers.table.count }
    /// In the order in which they were started.
    public var pendingTimerIDs: [TimerID] { timers.table.all.map(\.timerID) }

    /// The memo with all its changes; an encoded `Memo`.
    public var memo: Blob? {
        if let changed = facts.memo { return changed.blob }
        return started?.memo
    }

    /// The search attributes with all their changes; an encoded `SearchAttributes`.
    public var searchAttributes: Blob? {
        if let changed = facts.searchAttributes { return changed.blob }
        return started?.searchAttributes
    }

    public var pendingWorkflowTask: PendingWorkflowTaskDescription? {
        guard isOpen, let task = workflowTask.pending else { return nil }
        return PendingWorkflowTaskDescription(
            isStarted: task.lease != nil, scheduledTime: task.scheduledTime,
            originalScheduledTime: task.originalScheduledTime,
            startedTime: task.lease?.time, attempt: task.attempt, scheduledEventID: task.scheduledEventID,
            isTransient: task.isTransient, isSpeculative: task.isSpeculative)
    }

    /// In the order in which they were scheduled.
    public var pendingActivities: [PendingActivityDescription] {
        activities.table.all.filter { !$0.endIsBuffered }.map { activity in
            return PendingActivityDescription(
                scheduledEventID: activity.scheduledEventID, activityID: activity.scheduled.activityID,
                activityType: activity.scheduled.activityType, taskQueue: activity.scheduled.taskQueue.name,
                state: activity.describedState, attempt: activity.attempt,
                maximumAttempts: activity.scheduled.retryPolicy.maximumAttempts,
                heartbeatDetails: activity.heartbeatDetails, lastHeartbeatTime: activity.lastHeartbeatTime,
                lastStartedTime: activity.start?.time, scheduledTime: activity.dueTime,
                firstScheduledTime: activity.scheduledTime, expirationTime: activity.expiration,
                nextAttemptScheduledTime: activity.isOffered || activity.pause != nil ? nil : activity.dueTime,
                lastFailure: activity.lastFailure,
                lastWorkerIdentity: activity.lastWorkerIdentity, priority: activity.scheduled.priority,
                retryPolicy: activity.scheduled.retryPolicy,
                pause: activity.pause.map { .init(time: $0.time, identity: $0.identity, reason: $0.reason) },
                options: ActivityTaskOptions(activity.scheduled))
        }
    }

    /// The first workflow task while the answer to an eager start may still be repeated: started with the run, its first attempt
    /// still under way.
    public var startedEagerly: StartedWorkflowTask? {
        guard started?.eagerExecutionAccepted == true, !hasCompletedWorkflowTask, workflowTaskAttempt == 1 else {
            return nil
        }
        return startedWorkflowTask
    }

    /// What the workflow task that is started now looks like to its worker; `nil` when none is.
    public var startedWorkflowTask: StartedWorkflowTask? {
        guard isOpen, let task = workflowTask.pending, let lease = task.lease else { return nil }
        return leasedTask(task, lease)
    }
}

extension PendingActivity {
    fileprivate var describedState: PendingActivityDescription.State {
        if pause != nil { return isStarted ? .pauseRequested : .paused }
        return isCancelRequested ? .cancelRequested : isStarted ? .started : .scheduled
    }
}
