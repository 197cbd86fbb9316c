import History

/// What the commands of one completion share.
struct CommandContext {
    let completedEventID: EventID
    let identity: String
    let newRunID: RunID
    var eagerRequestIDs: ArraySlice<RequestID>
    /// Those that no command has named yet.
    var messages: [ProtocolMessage] = []
    var eagerActivities: [StartedActivity] = []
    /// The name of the run's own namespace.
    var namespaceName = ""
    /// The children that this completion asked for.
    var initiatedChildren: Set<WorkflowID> = []
}

/// What a refused completion is taken back to.
private struct Checkpoint {
    let facts: Run.Facts
    let workflowTask: WorkflowTaskMachine
    let eventBuffer: EventBuffer
    let outgoing: OutgoingMessages
    let updates: UpdateMachine
    let draft: Draft

    init(_ run: inout Run, _ draft: Draft) {
        facts = run.facts
        workflowTask = run.workflowTask
        eventBuffer = run.eventBuffer
        outgoing = run.outgoing
        updates = run.updates
        self.draft = draft
        run.activities.table.trackChanges()
        run.timers.table.trackChanges()
        run.children.table.trackChanges()
        run.externals.table.trackChanges()
    }

    func restore(_ run: inout Run, _ draft: inout Draft) {
        run.facts = facts
        run.workflowTask = workflowTask
        run.eventBuffer = eventBuffer
        run.outgoing = outgoing
        run.updates = updates
        draft = self.draft
        run.activities.rollBack()
        run.timers.rollBack()
        run.children.rollBack()
        run.externals.rollBack()
    }
}

extension Run {
    /// One after the other tasks of a workflow task heartbeat may take this long together.
    static let heartbeatTimeMax = TimeSpan.minutes(30)

    /// The worker's answer to a workflow task: all of it is one change, or none of it happens (protocol.md 2.4).
    mutating func completeWorkflowTask(_ request: CompleteWorkflowTask, _ draft: inout Draft) throws(Rejection) {
        let task = try startedTask(request.token)
        try Self.checkSequence(request.commands)
        if request.forceNewTask, request.commands.isEmpty,
            task.originalScheduledTime.advanced(by: Self.heartbeatTimeMax) < draft.now
        {
            timeOutStartedTask(&draft)
            draft.reply = .rejected(.notFound("workflow task heartbeat timeout"))
            return
        }
        let checkpoint = Checkpoint(&self, draft)
        if isDiscardable(request, task) {
            try discard(request, task, checkpoint, &draft)
            return
        }
        recordUnrecorded(&draft)
        var completed = request.completed
        completed.scheduledEventID = request.token.scheduledEventID
        completed.startedEventID = request.token.startedEventID
        emit(.workflowTaskCompleted(completed), &draft)
        var context = CommandContext(
            completedEventID: lastEventID, identity: completed.identity, newRunID: request.newRunID,
            eagerRequestIDs: request.eagerRequestIDs.prefix(draft.limits.eagerActivitiesMax),
            messages: request.messages, namespaceName: request.namespaceName)
        do {
            for command in request.commands { try perform(command, &context, &draft) }
            for message in context.messages { try handle(message, context, &draft) }
        } catch {
            checkpoint.restore(&self, &draft)
            try refuse(error, task, identity: completed.identity, &draft)
            return
        }
        activities.table.keepChanges()
        timers.table.keepChanges()
        children.table.keepChanges()
        externals.table.keepChanges()
        if !request.forceNewTask, isOpen { rejectUnprocessedUpdates(&draft) }
        updates.closeWasAttempted = false
        finish(request, task, context, &draft)
    }

    /// A task that was only for updates, all of which were rejected: nothing of it is recorded.
    private mutating func discard(
        _ request: CompleteWorkflowTask, _ task: WorkflowTaskMachine.Pending, _ checkpoint: Checkpoint,
        _ draft: inout Draft
    ) throws(Rejection) {
        let identity = request.completed.identity
        let context = CommandContext(
            completedEventID: .none, identity: identity, newRunID: request.newRunID, eagerRequestIDs: [])
        do {
            try discardSpeculativeTask(request, context, &draft)
        } catch {
            checkpoint.restore(&self, &draft)
            try refuse(error, task, identity: identity, &draft)
            return
        }
        activities.table.keepChanges()
        timers.table.keepChanges()
        children.table.keepChanges()
        externals.table.keepChanges()
        scheduleSpeculativeTask(&draft)
        draft.reply = .workflowTaskCompleted(
            newTask: newTask(request, identity, draft), eagerActivities: [],
            resetHistory: workflowTask.lastCompletedStartedEventID)
    }

    /// The next task for the same worker, if it asked for it.
    private mutating func newTask(
        _ request: CompleteWorkflowTask, _ identity: String, _ draft: Draft
    ) -> StartedWorkflowTask? {
        guard let requestID = request.returnNewTask, let pending = workflowTask.pending, pending.lease == nil else {
            return nil
        }
        return lease(identity: identity, requestID: requestID, draft)
    }

    /// After the commands: sticky queue, buffered events, the next task.
    private mutating func finish(
        _ request: CompleteWorkflowTask, _ task: WorkflowTaskMachine.Pending, _ context: CommandContext,
        _ draft: inout Draft
    ) {
        guard isOpen else {
            draft.reply = .workflowTaskCompleted(newTask: nil, eagerActivities: [], resetHistory: nil)
            return
        }
        sticky = request.sticky
        flushBuffer(&draft)
        var heartbeatSince: Timestamp?
        if request.forceNewTask {
            workflowTask.owe()
            if request.commands.isEmpty { heartbeatSince = task.originalScheduledTime }
        }
        scheduleOwedTask(&draft, heartbeatSince: heartbeatSince)
        scheduleSpeculativeTask(&draft)
        draft.reply = .workflowTaskCompleted(
            newTask: newTask(request, context.identity, draft), eagerActivities: context.eagerActivities,
            resetHistory: nil)
    }

    /// A bad command, or a close that overlooks buffered events: the task fails instead.
    private mutating func refuse(
        _ bad: BadCommand, _ task: WorkflowTaskMachine.Pending, identity: String, _ draft: inout Draft
    ) throws(Rejection) {
        let rejection = Rejection.invalid(bad.text)
        abortSentUpdates(&draft)
        // A later attempt is only answered; its timeout paces the next one.
        if task.isTransient, bad.cause != .unhandledCommand, !bad.endsRun {
            guard !draft.effects.isEmpty else { throw rejection }
            draft.reply = .rejected(rejection)
            return
        }
        updates.closeWasAttempted = bad.cause == .unhandledCommand
        failStartedTask(
            cause: bad.cause, failure: .server(message: bad.text, nonRetryable: false), identity: identity, &draft)
        if bad.endsRun { emitTerminated(reason: bad.text, &draft) }
        draft.reply = .rejected(rejection)
    }

    /// A closing command stands at the end or not at all.
    private static func checkSequence(_ commands: [WorkflowCommand]) throws(Rejection) {
        for command in commands.dropLast() where command.kind.closesRun {
            throw .invalid("invalid command sequence: \(command.kind.name) must be the last command")
        }
    }
}

extension WorkflowCommand.Kind {
    /// Does the run end with this command?
    var closesRun: Bool {
        switch self {
        case .completeWorkflowExecution, .failWorkflowExecution, .cancelWorkflowExecution,
            .continueAsNewWorkflowExecution:
            true
        case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer, .recordMarker,
            .upsertWorkflowSearchAttributes, .modifyWorkflowProperties, .startChildWorkflow,
            .requestCancelExternalWorkflow, .signalExternalWorkflow, .protocolMessage, .unsupported, .refused:
            false
        }
    }

    var name: String {
        switch self {
        case .scheduleActivityTask: "ScheduleActivityTask"
        case .requestCancelActivityTask: "RequestCancelActivityTask"
        case .startTimer: "StartTimer"
        case .cancelTimer: "CancelTimer"
        case .completeWorkflowExecution: "CompleteWorkflowExecution"
        case .failWorkflowExecution: "FailWorkflowExecution"
        case .cancelWorkflowExecution: "CancelWorkflowExecution"
        case .continueAsNewWorkflowExecution: "ContinueAsNewWorkflowExecution"
        case .recordMarker: "RecordMarker"
        case .upsertWorkflowSearchAttributes: "UpsertWorkflowSearchAttributes"
        case .modifyWorkflowProperties: "ModifyWorkflowProperties"
        case .startChildWorkflow: "StartChildWorkflowExecution"
        case .requestCancelExternalWorkflow: "RequestCancelExternalWorkflowExecution"
        case .signalExternalWorkflow: "SignalExternalWorkflowExecution"
        case .protocolMessage: "ProtocolMessage"
        case .unsupported(let type): "command of type \(type)"
        case .refused(let cause, _): "command refused as \(cause.shortName)"
        }
    }
}
