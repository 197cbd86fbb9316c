public import History

/// Updates (protocol.md 1.9, 2.8): admitted in memory, carried by the next workflow task, recorded when they are accepted.
extension Run {
    /// From this attempt on, a workflow task counts as failing: it takes no updates.
    private static let failingAttempt: Int32 = 3

    /// How far an update has come; `nil` for one that the run does not know.
    public func standing(of update: UpdateID) -> UpdateStanding? {
        if let known = updates.recorded(update) {
            if known.completedEventID != .none { return .completed(.recorded(known.completedEventID)) }
            if known.acceptedEventID != .none { return isOpen ? .accepted : .completed(.outlivedRun) }
            return isOpen ? .admitted : nil
        }
        return updates.waiting(update) == nil ? nil : .admitted
    }

    /// Is there anything that leaving memory would forget?
    public var hasWaitingUpdates: Bool { !updates.waiting.isEmpty }

    /// Admits an update, or says how far the one with this id has come. Nothing is stored.
    mutating func update(_ request: UpdateRun, _ draft: inout Draft) throws(Rejection) {
        if let standing = standing(of: request.id) {
            draft.reply = .update(standing)
            return
        }
        guard isOpen else { throw .notFound("workflow execution already completed") }
        if workflowTaskAttempt >= Self.failingAttempt { throw .updateOfFailing }
        if updates.closeWasAttempted, workflowTask.isStarted { throw .runIsClosing }
        let limits = draft.limits
        if updates.inFlight >= limits.updatesInFlightMax { throw .updatesInFlight(limits.updatesInFlightMax) }
        if updates.count >= limits.updatesPerRunMax { throw .updatesPerRun(limits.updatesPerRunMax) }
        if updates.waitingBytes + request.request.count >= limits.updateBytesInFlightMax {
            throw .updateBytesInFlight(limits.updateBytesInFlightMax)
        }
        updates.wait(WaitingUpdate(id: request.id, request: request.request))
        draft.reply = .update(.admitted)
    }

    /// Makes a workflow task for updates that no pending task will carry. It is *speculative*: it has predicted ids, and is
    /// recorded only when something comes of it.
    mutating func scheduleSpeculativeTask(_ draft: inout Draft) {
        guard isOpen, workflowTask.pending == nil, !workflowTask.isOwed, workflowTask.wasEverScheduled,
            updates.hasUnsent
        else { return }
        let normal = normalQueue
        var queue = normal
        if let sticky { queue = TaskQueue(sticky.queue, kind: .sticky, normalName: normal.name) }
        workflowTask.speculate(
            after: lastEventID, at: draft.now, queue: queue,
            timeout: started?.workflowTaskTimeout ?? draft.limits.workflowTaskTimeoutDefault,
            scheduleToStart: sticky.flatMap { $0.scheduleToStartTimeout.isPositive ? $0.scheduleToStartTimeout : nil })
    }

    // MARK: What workers say

    /// Does what one message of a completion says.
    mutating func handle(
        _ message: ProtocolMessage, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        switch message.body {
        case .acceptance(let requestMessageID, let sequencingEventID, let request):
            try accept(message.update, requestMessageID, sequencingEventID, request, &draft)
        case .response(let identity, let outcome): try complete(message.update, identity, outcome, &draft)
        case .rejection(let failure, let request): try reject(message.update, failure, request, &draft)
        case .request, .unknown:
            throw Self.bad("message \(message.id) is neither an acceptance nor a rejection nor a response")
        }
    }

    private static func bad(_ message: String, endsRun: Bool = false) -> BadCommand {
        BadCommand(cause: .badUpdateWorkflowExecutionMessage, message: message, endsRun: endsRun)
    }

    private static func unknown(_ update: UpdateID) -> BadCommand {
        bad(
            "update \(update) wasn't found on the server. This is most likely a transient error which will be resolved "
                + "automatically by retries")
    }

    private func outOfOrder(_ update: UpdateID, _ kind: String) -> BadCommand {
        let known = updates.recorded(update)
        let state = known?.completedEventID != EventID.none ? "Completed" : "Accepted"
        return Self.bad(
            "invalid state transition attempted for Update \(update): received *update.\(kind) message while in state "
                + (known == nil || known?.acceptedEventID == EventID.none ? "Admitted" : state))
    }

    /// An update that a crash has forgotten comes back with the worker's answer, which repeats the request.
    private mutating func accept(
        _ update: UpdateID, _ requestMessageID: String, _ sequencingEventID: EventID, _ repeated: Blob?,
        _ draft: inout Draft
    ) throws(BadCommand) {
        guard isOpen else { return }
        let known = updates.recorded(update)
        if let known, known.acceptedEventID != .none { throw outOfOrder(update, "Acceptance") }
        var request = updates.waiting(update)?.request
        if known == nil, request == nil {
            guard let repeated else { throw Self.unknown(update) }
            if updates.count >= draft.limits.updatesPerRunMax {
                throw Self.bad(Rejection.updatesPerRun(draft.limits.updatesPerRunMax).message)
            }
            request = repeated
        }
        try checkSize(request?.count ?? 0, of: "Message type *update.Acceptance", Self.cause, draft)
        let accepted = WorkflowExecutionUpdateAccepted(
            update: update, requestMessageID: requestMessageID, sequencingEventID: sequencingEventID, request: request)
        emit(.workflowExecutionUpdateAccepted(accepted), &draft)
        draft.effects.append(.updateMoved(update, .accepted))
    }

    private mutating func complete(
        _ update: UpdateID, _ identity: String, _ outcome: Blob?, _ draft: inout Draft
    ) throws(BadCommand) {
        guard isOpen else { return }
        guard let known = updates.recorded(update) else {
            throw updates.waiting(update) == nil ? Self.unknown(update) : outOfOrder(update, "Response")
        }
        guard known.isRunning else { throw outOfOrder(update, "Response") }
        guard let outcome else { throw Self.bad("invalid *update.Response: outcome is not set") }
        try checkSize(outcome.count, of: "Message type *update.Response", Self.cause, draft)
        let completed = WorkflowExecutionUpdateCompleted(
            update: update, identity: identity, acceptedEventID: known.acceptedEventID, outcome: outcome)
        emit(.workflowExecutionUpdateCompleted(completed), &draft)
        draft.effects.append(.updateMoved(update, .completed(.outcome(outcome))))
    }

    /// Nothing is recorded: the same id may be tried again.
    private mutating func reject(
        _ update: UpdateID, _ failure: Blob?, _ repeated: Blob?, _ draft: inout Draft
    ) throws(BadCommand) {
        let known = updates.recorded(update)
        if let known, known.acceptedEventID != .none { throw outOfOrder(update, "Rejection") }
        if known == nil, updates.waiting(update) == nil, repeated == nil { throw Self.unknown(update) }
        updates.remove(update)
        draft.effects.append(.updateMoved(update, .completed(.rejected(failure: failure))))
    }

    private static let cause = WorkflowTaskFailedCause.badUpdateWorkflowExecutionMessage

    // MARK: What becomes of those who wait

    /// The completed task carried updates that the worker did not answer.
    mutating func rejectUnprocessedUpdates(_ draft: inout Draft) {
        for update in updates.removeSent() {
            draft.effects.append(.updateMoved(update.id, .completed(.unprocessed)))
        }
    }

    /// The server refused the worker's answer: what the worker has seen is not tried again.
    mutating func abortSentUpdates(_ draft: inout Draft) {
        for update in updates.removeSent() {
            draft.effects.append(.updateMoved(update.id, .aborted(.updateTaskFailed)))
        }
    }

    /// The task failed or timed out: the next one carries its updates, unless the tasks keep failing.
    mutating func takeUpdatesBack(_ draft: inout Draft) {
        updates.takeBack()
        guard workflowTaskAttempt >= Self.failingAttempt else { return }
        for update in updates.removeAllWaiting() {
            draft.effects.append(.updateMoved(update.id, .aborted(.updateOfFailing)))
        }
    }

    /// The run has ended: nobody waits any longer.
    mutating func endUpdates(_ draft: inout Draft) {
        let reason = draft.successor == nil ? Rejection.updateOutlivedRun : .runIsClosing
        for update in updates.removeAllWaiting() {
            draft.effects.append(.updateMoved(update.id, .aborted(reason)))
        }
        for update in updates.recorded where update.completedEventID == .none {
            let standing: UpdateStanding = update.isRunning ? .completed(.outlivedRun) : .aborted(reason)
            draft.effects.append(.updateMoved(update.id, standing))
        }
    }

    // MARK: Speculative tasks

    /// May the speculative task be forgotten, as if it had never been? Only if the worker asks for nothing, accepts nothing,
    /// and has learnt little that it would have to forget with it.
    func isDiscardable(_ request: CompleteWorkflowTask, _ task: WorkflowTaskMachine.Pending) -> Bool {
        guard task.isSpeculative, request.commands.isEmpty, !request.forceNewTask else { return false }
        for message in request.messages {
            guard case .rejection = message.body else { return false }
        }
        let shipped = task.scheduledEventID.value - 1 - workflowTask.lastCompletedStartedEventID.value
        return shipped <= (request.discardsEvents ? Int64(Self.discardedEventsMax) : 1)
    }

    private static let discardedEventsMax = 10

    /// Takes the worker's rejections and forgets the task.
    mutating func discardSpeculativeTask(
        _ request: CompleteWorkflowTask, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        for message in request.messages { try handle(message, context, &draft) }
        rejectUnprocessedUpdates(&draft)
        workflowTask.pending = nil
        sticky = request.sticky
    }
}
