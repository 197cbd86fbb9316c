import History

extension Run {
    static let staleWorkflowTask = Rejection.notFound("Workflow task not found.")

    /// Until when the first workflow task waits (start delay, cron, retry).
    var firstTaskTime: Timestamp {
        startTime.advanced(by: started?.firstWorkflowTaskBackoff ?? .zero)
    }

    /// The pending task as an offer, unless somebody holds it.
    var workflowTaskOffer: Effect? {
        guard let task = workflowTask.pending, task.lease == nil else { return nil }
        return .offerWorkflowTask(
            WorkflowTaskOffer(
                queue: task.queue, scheduledEventID: task.scheduledEventID, attempt: task.attempt,
                stamp: workflowTask.stamp,
                priority: priorityKey(priority)))
    }

    func priorityKey(_ priority: Priority?) -> Int32 {
        guard let key = priority?.key, key > 0 else { return 3 }
        return key
    }

    /// Schedules the workflow task that events have made necessary, unless one is pending or the first one has to wait.
    mutating func scheduleOwedTask(_ draft: inout Draft, heartbeatSince: Timestamp? = nil) {
        guard isOpen, !isHeld, workflowTask.isOwed, workflowTask.pending == nil else { return }
        if !workflowTask.wasEverScheduled, draft.now < firstTaskTime { return }
        let normal = normalQueue
        var queue = normal
        if let sticky { queue = TaskQueue(sticky.queue, kind: .sticky, normalName: normal.name) }
        let attributes = WorkflowTaskScheduled(
            taskQueue: queue,
            startToCloseTimeout: started?.workflowTaskTimeout ?? draft.limits.workflowTaskTimeoutDefault)
        emit(.workflowTaskScheduled(attributes), &draft)
        if let sticky, sticky.scheduleToStartTimeout.isPositive {
            workflowTask.pending?.scheduleToStartTimeout = sticky.scheduleToStartTimeout
        }
        if let heartbeatSince { workflowTask.pending?.originalScheduledTime = heartbeatSince }
    }

    /// A poller takes the task. Nothing is stored: a crash offers it again.
    mutating func startWorkflowTask(_ request: StartWorkflowTask, _ draft: inout Draft) throws(Rejection) {
        guard isOpen, let task = workflowTask.pending, task.scheduledEventID == request.scheduledEventID,
            workflowTask.stamp == request.stamp
        else { throw Self.staleWorkflowTask }
        if let lease = task.lease {
            guard lease.requestID == request.requestID else { throw Self.staleWorkflowTask }
            draft.reply = .workflowTask(leasedTask(task, lease))
            return
        }
        if !request.fromSticky { sticky = nil }
        guard let started = lease(identity: request.identity, requestID: request.requestID, draft) else {
            throw Self.staleWorkflowTask
        }
        draft.reply = .workflowTask(started)
    }

    /// Gives the scheduled task to `identity`.
    mutating func lease(identity: String, requestID: RequestID, _ draft: Draft) -> StartedWorkflowTask? {
        guard let task = workflowTask.pending else { return nil }
        var suggest: ContinueAsNewReasons = []
        if historySizeBytes >= Int64(draft.limits.suggestContinueAsNewBytes) { suggest.insert(.historySize) }
        if lastEventID.value >= Int64(draft.limits.suggestContinueAsNewEvents) { suggest.insert(.historyEvents) }
        if updates.count * 10 >= draft.limits.updatesPerRunMax * 9 { suggest.insert(.updates) }
        // No event can slip in between: while a task is started everything else is buffered.
        let lease = WorkflowTaskMachine.Lease(
            startedEventID: (task.isRecorded ? lastEventID : task.scheduledEventID).next, time: draft.now,
            deadline: draft.now.advanced(by: WorkflowTaskMachine.startToClose(task, limits: draft.limits, salt: salt)),
            identity: identity, requestID: requestID, suggestReasons: suggest, historySizeBytes: historySizeBytes,
            isRecorded: false)
        workflowTask.lease(lease)
        updates.send(in: lease.startedEventID, again: sticky == nil || task.attempt > 1)
        return leasedTask(task, lease)
    }

    func leasedTask(_ task: WorkflowTaskMachine.Pending, _ lease: WorkflowTaskMachine.Lease) -> StartedWorkflowTask {
        StartedWorkflowTask(
            token: WorkflowTaskToken(
                run: key, scheduledEventID: task.scheduledEventID, startedEventID: lease.startedEventID,
                attempt: task.attempt, requestID: lease.requestID),
            scheduledTime: task.scheduledTime, startedTime: lease.time,
            previousStartedEventID: workflowTask.lastCompletedStartedEventID, unrecorded: workflowTask.unrecorded,
            messages: updates.messages(in: lease.startedEventID))
    }

    /// The started task that `token` is for.
    func startedTask(_ token: WorkflowTaskToken) throws(Rejection) -> WorkflowTaskMachine.Pending {
        guard isOpen, token.run == key, let task = workflowTask.pending, let lease = task.lease,
            task.scheduledEventID == token.scheduledEventID, lease.startedEventID == token.startedEventID,
            task.attempt == token.attempt, lease.requestID == token.requestID
        else { throw Self.staleWorkflowTask }
        return task
    }

    /// Records the start of the leased task, unless it is transient (then only its completion is recorded).
    mutating func recordLease(_ draft: inout Draft) {
        guard let task = workflowTask.pending, !task.isTransient else { return }
        recordUnrecorded(&draft)
    }

    /// Records what is still missing of the started task: its start, and when it is transient its scheduling too.
    mutating func recordUnrecorded(_ draft: inout Draft) {
        for event in workflowTask.unrecorded { emit(event.kind, &draft, at: event.time) }
    }

    mutating func failWorkflowTask(_ request: FailWorkflowTask, _ draft: inout Draft) throws(Rejection) {
        let task = try startedTask(request.token)
        if request.cause == .grpcMessageTooLarge {
            failStartedTask(cause: request.cause, failure: request.failure, identity: request.identity, &draft)
            emitTerminated(reason: "WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE", &draft)
            return
        }
        // Later attempts are paced by their timeout; a worker that reports them is not heard.
        guard task.attempt == 1 else { return }
        failStartedTask(
            cause: request.cause, failure: request.failure, identity: request.identity,
            checksum: request.binaryChecksum, &draft)
    }

    /// Ends the started task without success: recorded for attempt 1, silent for a transient one. Then the buffer flows.
    mutating func failStartedTask(
        cause: WorkflowTaskFailedCause, failure: Failure?, identity: String, checksum: String = "", _ draft: inout Draft
    ) {
        guard let task = workflowTask.pending, let lease = task.lease else { return }
        sticky = nil
        if task.isTransient {
            draft.changedState = true
            if cause == .unhandledCommand || cause == .forceCloseCommand {
                workflowTask.dropTransient()
            } else {
                workflowTask.retryTransient(at: draft.now, after: lastEventID, normal: normalQueue)
            }
        } else {
            recordLease(&draft)
            emit(
                .workflowTaskFailed(
                    WorkflowTaskFailed(
                        scheduledEventID: task.scheduledEventID, startedEventID: lease.startedEventID, cause: cause,
                        failure: failure, identity: identity, binaryChecksum: checksum)), &draft)
        }
        takeUpdatesBack(&draft)
        flushBuffer(&draft)
    }

    /// The started task took too long.
    mutating func timeOutStartedTask(_ draft: inout Draft) {
        guard let task = workflowTask.pending, let lease = task.lease else { return }
        sticky = nil
        if task.isTransient {
            draft.changedState = true
            workflowTask.retryTransient(at: draft.now, after: lastEventID, normal: normalQueue)
        } else {
            recordLease(&draft)
            emit(
                .workflowTaskTimedOut(
                    WorkflowTaskTimedOut(
                        scheduledEventID: task.scheduledEventID, startedEventID: lease.startedEventID,
                        timeoutType: .startToClose)), &draft)
        }
        takeUpdatesBack(&draft)
        flushBuffer(&draft)
    }

    /// No worker of the sticky queue came in time.
    mutating func timeOutStickyTask(_ draft: inout Draft) {
        guard let task = workflowTask.pending, task.lease == nil, !task.isTransient else { return }
        sticky = nil
        if task.isSpeculative {
            workflowTask.moveToNormalQueue(normalQueue)
            return
        }
        emit(
            .workflowTaskTimedOut(
                WorkflowTaskTimedOut(scheduledEventID: task.scheduledEventID, timeoutType: .scheduleToStart)), &draft)
    }

    mutating func resetSticky(_ draft: inout Draft) {
        guard isOpen else { return }
        sticky = nil
        workflowTask.moveToNormalQueue(normalQueue)
    }

    /// When something happens to the workflow task by itself.
    var workflowTaskDeadline: Timestamp? {
        guard let task = workflowTask.pending else {
            return workflowTask.isOwed && !isHeld ? (workflowTask.wasEverScheduled ? startTime : firstTaskTime) : nil
        }
        if let lease = task.lease { return lease.deadline }
        return task.scheduleToStartTimeout.map { task.scheduledTime.advanced(by: $0) }
    }

    /// A number that differs between runs, so that what they repeat does not happen at the same moment.
    var salt: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.run.value.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }
}
