import History

extension Run {
    /// `Payloads` with the JSON text "ACTIVITY_ID_NOT_STARTED": why a cancelled activity has no result.
    static let notStartedDetails: Blob = {
        let encoding = field(1, Array("encoding".utf8)) + field(2, Array("json/plain".utf8))
        let payload = field(1, encoding) + field(2, Array("\"ACTIVITY_ID_NOT_STARTED\"".utf8))
        return Blob(field(1, payload))
    }()

    /// A length-delimited protobuf field of fewer than 128 bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    mutating func scheduleActivity(
        _ wish: ScheduleActivityTask, _ metadata: Blob?, _ context: inout CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        try check(wish, draft)
        let attributes = try normalised(wish, completedEventID: context.completedEventID)
        emit(.activityTaskScheduled(attributes), &draft, userMetadata: metadata)
        let key = lastEventID
        if wish.requestEagerExecution, attributes.taskQueue.name == started?.taskQueue.name,
            let requestID = context.eagerRequestIDs.popFirst()
        {
            let start = PendingActivity.Start(time: draft.now, identity: context.identity, requestID: requestID)
            activities.table.update(key) { $0.begin(start) }
            if let activity = activities.table[key] { context.eagerActivities.append(handedOut(activity, start)) }
            return
        }
        if let activity = activities.table[key] { draft.effects.append(offer(activity)) }
    }

    private func check(_ wish: ScheduleActivityTask, _ draft: Draft) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badScheduleActivityAttributes
        func bad(_ message: String) -> BadCommand { BadCommand(cause: cause, message: message) }
        let longest = draft.limits.identifierBytesMax
        if wish.activityID.isEmpty { throw bad("ActivityId is not set on ScheduleActivityTaskCommand.") }
        if wish.activityType.isEmpty { throw bad("ActivityType is not set on ScheduleActivityTaskCommand.") }
        if wish.activityID.value.utf8.count > longest {
            throw bad("ActivityId on ScheduleActivityTaskCommand exceeds length limit.")
        }
        if wish.activityType.utf8.count > longest {
            throw bad("ActivityType on ScheduleActivityTaskCommand exceeds length limit.")
        }
        if let queue = wish.taskQueue, queue.value.utf8.count > longest {
            throw bad("TaskQueue on ScheduleActivityTaskCommand exceeds length limit.")
        }
        for text in [wish.activityID.value, wish.activityType, wish.taskQueue?.value ?? ""] where text.utf8.contains(0)
        {
            throw bad("A name on ScheduleActivityTaskCommand contains a NUL character.")
        }
        if let queue = wish.taskQueue, queue.value.hasPrefix("/_sys/") {
            throw bad("task queue name cannot start with reserved prefix /_sys/")
        }
        let spans = [
            wish.scheduleToCloseTimeout, wish.scheduleToStartTimeout, wish.startToCloseTimeout, wish.heartbeatTimeout,
        ]
        if spans.contains(where: { $0 < .zero }) {
            throw bad("A negative timeout is set on ScheduleActivityTaskCommand.")
        }
        if !wish.scheduleToCloseTimeout.isPositive, !wish.startToCloseTimeout.isPositive {
            throw bad("A valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand.")
        }
        if let policy = wish.retryPolicy, let fault = policy.fault { throw bad(fault) }
        if activities.pending(wish.activityID) != nil {
            throw BadCommand(
                cause: .scheduleActivityDuplicateID, message: "Activity \(wish.activityID) is already pending.")
        }
        if activities.table.count >= draft.limits.pendingActivitiesMax {
            throw BadCommand(
                cause: .pendingActivitiesLimitExceeded,
                message:
                    "the number of pending activities, \(activities.table.count), has reached the per-workflow limit of "
                    + "\(draft.limits.pendingActivitiesMax)")
        }
        let size = (wish.input?.count ?? 0) + (wish.header?.count ?? 0)
        try checkSize(size, of: "ScheduleActivityTaskCommandAttributes.Input", cause, draft)
    }

    /// The event: timeouts made consistent, policy and queue filled in (protocol.md section 4).
    private func normalised(
        _ wish: ScheduleActivityTask, completedEventID: EventID
    ) throws(BadCommand) -> ActivityTaskScheduled {
        var toClose = wish.scheduleToCloseTimeout
        var toStart = wish.scheduleToStartTimeout
        var running = wish.startToCloseTimeout
        let runTimeout = started?.workflowRunTimeout ?? .zero
        if toClose.isPositive {
            toStart = toStart.isPositive ? min(toStart, toClose) : toClose
            running = running.isPositive ? min(running, toClose) : toClose
        } else {
            toClose = runTimeout
            if !toStart.isPositive { toStart = runTimeout }
        }
        if runTimeout.isPositive {
            toClose = min(toClose, runTimeout)
            toStart = min(toStart, runTimeout)
            running = min(running, runTimeout)
        }
        let queue = wish.taskQueue.flatMap { $0.isEmpty ? nil : $0 } ?? normalQueue.name
        return ActivityTaskScheduled(
            activityID: wish.activityID, activityType: wish.activityType, taskQueue: TaskQueue(queue),
            header: wish.header,
            input: wish.input, scheduleToCloseTimeout: toClose, scheduleToStartTimeout: toStart,
            startToCloseTimeout: running,
            heartbeatTimeout: min(wish.heartbeatTimeout, running), workflowTaskCompletedEventID: completedEventID,
            retryPolicy: (wish.retryPolicy ?? RetryPolicy()).filled,
            priority: wish.priority?.filled(from: priority) ?? priority,
            useWorkflowBuildID: wish.useWorkflowBuildID)
    }

    mutating func requestCancelActivity(
        _ key: EventID, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badRequestCancelActivityAttributes
        guard let activity = activities.table[key] else {
            // The worker could not know that it ended, unless it never was.
            throw BadCommand(cause: cause, message: "no pending activity was scheduled by event \(key)")
        }
        if activity.isCancelRequested {
            throw BadCommand(
                cause: cause, message: "cancellation of the activity scheduled by event \(key) was already requested")
        }
        let requested = ActivityTaskCancelRequested(
            scheduledEventID: key, workflowTaskCompletedEventID: context.completedEventID)
        emit(.activityTaskCancelRequested(requested), &draft, userMetadata: metadata)
        if activity.isStarted || activity.endIsBuffered { return }
        // It may have been scheduled by the same completion.
        draft.effects.removeAll { effect in
            if case .offerActivityTask(let offer) = effect { return offer.scheduledEventID == key }
            return false
        }
        let canceled = ActivityTaskCanceled(
            details: Self.notStartedDetails, latestCancelRequestedEventID: lastEventID, scheduledEventID: key,
            identity: context.identity)
        emit(.activityTaskCanceled(canceled), &draft)
    }
}
