public import History

// The messages that a run sends and gets.
extension Run {
    /// What other runs have not confirmed yet, oldest first: the first message to each receiver.
    ///
    /// - Parameters:
    ///   - number: later ones are left out.
    ///   - isBusy: receivers that are left out.
    public func messages(
        through number: Int64 = .max, limit: Int = .max, except isBusy: (MessageTarget) -> Bool = { _ in false }
    ) -> [RunMessage] {
        var found: [RunMessage] = []
        var receivers: Set<MessageTarget> = []
        for entry in outgoing.entries where entry.number <= number && !isBusy(entry.target) {
            guard found.count < limit else { break }
            let receiver = MessageTarget(namespace: entry.target.namespace, workflow: entry.target.workflow)
            guard receivers.insert(receiver).inserted else { continue }
            found.append(
                RunMessage(id: MessageID(sender: key, number: entry.number), target: entry.target, body: entry.body))
        }
        return found
    }

    /// The chain of this open run, when a run of `parent`'s workflow began it.
    public func openChild(of parent: RunKey) -> RunID? {
        isOpen && isChild(of: parent) ? started?.firstExecutionRunID : nil
    }

    public var hasMessages: Bool { !outgoing.isEmpty }

    /// The number of the newest message that this run ever sent.
    public var lastMessageNumber: Int64 { outgoing.lastNumber }

    /// The messages that this run and those before it got; the run after it must know them too.
    public var deliveredMessages: [Delivery] { deliveries.inOrder }

    // MARK: Receiving

    /// Another run tells this one something. The reply is ``Reply/received(_:)``.
    mutating func receive(_ message: RunMessage, _ draft: inout Draft) throws(Rejection) {
        if deliveries.contains(message.id) {
            draft.reply = .received(.done)
            return
        }
        switch message.body {
        case .startChild:
            throw .invalid("a child is started by a start, not by a message to a run")
        case .releaseChild: release(&draft)
        case .closeChild(let policy): closeChild(policy, message.id.sender, &draft)
        case .signal(let signal): receive(signal, from: message.id.sender, &draft)
        case .requestCancel(let cancel): receive(cancel, from: message.id.sender, &draft)
        case .childClosed(let closed): childClosed(closed, message.id.sender.workflow, &draft)
        }
        if message.body.mustBeRemembered, !draft.events.isEmpty || draft.changedState {
            deliveries.remember(Delivery(sender: message.id.sender.run, number: message.id.number))
        }
        if case .done = draft.reply { draft.reply = .received(.done) }
    }

    private mutating func release(_ draft: inout Draft) {
        guard isHeld else { return }
        isHeld = false
        draft.changedState = true
    }

    private mutating func closeChild(_ policy: ParentClosePolicy, _ parent: RunKey, _ draft: inout Draft) {
        guard isOpen else { return }
        switch policy {
        case .abandon: return
        case .terminate:
            endStartedTaskByForce(&draft)
            emitTerminated(reason: "by parent close policy", &draft)
        case .requestCancel:
            guard !facts.cancelIsRequested, !cancelRequestIsBuffered else { return }
            let sender = WorkflowReference(workflow: parent.workflow, run: parent.run)
            record(
                .cancelRequested(
                    WorkflowExecutionCancelRequested(identity: Self.serverIdentity, external: sender)), &draft)
        }
    }

    private func isChild(of sender: RunKey) -> Bool {
        guard let parent = started?.parent else { return false }
        return parent.namespace.id == sender.namespace && parent.execution.workflow == sender.workflow
    }

    private mutating func receive(_ signal: ExternalSignal, from sender: RunKey, _ draft: inout Draft) {
        guard isOpen, !signal.childWorkflowOnly || isChild(of: sender) else {
            draft.reply = .received(.failed(.notFound))
            return
        }
        if requests.contains(signal.attributes.requestID) { return }
        guard facts.signalCount + eventBuffer.entries.count < draft.limits.signalsPerRunMax else {
            draft.reply = .received(.failed(.signalCountLimitExceeded))
            return
        }
        // While a workflow task is started the event waits: the next one with this id must be known before.
        requests.remember(signal.attributes.requestID)
        record(.signaled(signal.attributes), &draft)
    }

    private mutating func receive(_ cancel: ExternalCancel, from sender: RunKey, _ draft: inout Draft) {
        guard isOpen, !cancel.childWorkflowOnly || isChild(of: sender) else {
            draft.reply = .received(.failed(.notFound))
            return
        }
        guard !facts.cancelIsRequested, !cancelRequestIsBuffered else { return }
        record(.cancelRequested(cancel.attributes), &draft)
    }

    /// Is a child with this first run pending here?
    public func awaitsChild(_ workflow: WorkflowID, firstRun: RunID) -> Bool {
        isOpen && pendingChild(workflow, firstRun: firstRun, hint: .none) != nil
    }

    private func pendingChild(_ workflow: WorkflowID, firstRun: RunID, hint: EventID) -> PendingChild? {
        func isMeant(_ child: PendingChild) -> Bool {
            child.workflowID == workflow && !child.endIsBuffered
                && (child.run ?? child.bufferedRun ?? childRunID(initiatedBy: child.initiatedEventID)) == firstRun
        }
        if let child = children.table[hint], isMeant(child) { return child }
        return children.table.all.first(where: isMeant)
    }

    private mutating func childClosed(_ closed: ChildClosed, _ workflow: WorkflowID, _ draft: inout Draft) {
        guard isOpen,
            let child = pendingChild(workflow, firstRun: closed.firstRun, hint: closed.initiatedEventID)
        else { return }
        // The news of its start may still be under way.
        if !child.isStarted { recordStart(of: child, run: closed.firstRun, header: nil, &draft) }
        let attributes = ChildWorkflowEnded(
            end: closed.end, namespace: child.namespace,
            execution: WorkflowReference(workflow: workflow, run: closed.run), workflowType: child.workflowType,
            initiatedEventID: child.initiatedEventID)
        record(.related(.childEnded(attributes)), &draft)
    }

    private mutating func recordStart(of child: PendingChild, run: RunID, header: Blob?, _ draft: inout Draft) {
        let attributes = ChildWorkflowStarted(
            namespace: child.namespace, initiatedEventID: child.initiatedEventID,
            execution: WorkflowReference(workflow: child.workflowID, run: run), workflowType: child.workflowType,
            header: header)
        record(.related(.childStarted(attributes)), &draft)
    }

    // MARK: Confirmation

    /// The receiver has stored what a message means, or there is no receiver.
    mutating func settle(_ request: SettleMessage, _ draft: inout Draft) {
        guard let entry = outgoing.take(request.number) else {
            draft.reply = .duplicate
            return
        }
        draft.changedState = true
        switch entry.body {
        case .startChild(let child): settle(child, entry.target, request.outcome, &draft)
        case .signal(let signal): answer(signal.initiatedEventID, request.outcome, &draft)
        case .requestCancel(let cancel):
            answer(cancel.attributes.externalInitiatedEventID, request.outcome, &draft)
        case .releaseChild, .closeChild, .childClosed: break
        }
    }

    private mutating func settle(
        _ child: ChildStart, _ target: MessageTarget, _ outcome: MessageOutcome, _ draft: inout Draft
    ) {
        let initiated = child.start.attributes.parent?.initiatedEventID ?? .none
        let pending = isOpen ? children.table[initiated] : nil
        switch outcome {
        case .childStarted(let run):
            outgoing.append(
                .releaseChild,
                to: MessageTarget(namespace: target.namespace, workflow: target.workflow, firstRun: run))
            if let pending, !pending.isStarted {
                recordStart(of: pending, run: run, header: child.start.attributes.header, &draft)
            }
        case .childRefused(let cause):
            guard let pending, !pending.isStarted, !pending.endIsBuffered else { return }
            let attributes = StartChildWorkflowFailed(
                namespace: pending.namespace, workflowID: pending.workflowID, workflowType: pending.workflowType,
                cause: cause, control: pending.control, initiatedEventID: initiated,
                workflowTaskCompletedEventID: .none)
            record(.related(.childStartFailed(attributes)), &draft)
        case .done, .failed: break
        }
    }

    private mutating func answer(_ initiated: EventID, _ outcome: MessageOutcome, _ draft: inout Draft) {
        guard isOpen, let pending = externals.table[initiated], !pending.answerIsBuffered else { return }
        var failure: ExternalFailedCause?
        switch outcome {
        case .done: break
        case .failed(let cause): failure = cause
        case .childStarted, .childRefused: failure = .notFound
        }
        guard let cause = failure else {
            let told = ExternalTold(
                namespace: pending.namespace, execution: pending.execution, initiatedEventID: initiated,
                control: pending.kind == .signal ? pending.control : "")
            record(.related(pending.kind == .signal ? .signaled(told) : .cancelRequested(told)), &draft)
            return
        }
        let failed = ExternalFailed(
            cause: cause, namespace: pending.namespace, execution: pending.execution, initiatedEventID: initiated,
            control: pending.control, workflowTaskCompletedEventID: .none)
        record(.related(pending.kind == .signal ? .signalFailed(failed) : .cancelFailed(failed)), &draft)
    }

    // MARK: Closing

    /// Before the event that closes the run: its parent hears of the end of the chain, its children of their policy.
    mutating func sendClosing(_ kind: EventKind, _ draft: Draft) {
        if draft.successor == nil, !draft.leavesChildren, let parent = started?.parent, let end = ChildEnd(kind) {
            let closed = ChildClosed(
                end: end, run: key.run, firstRun: started?.firstExecutionRunID ?? key.run,
                initiatedEventID: parent.initiatedEventID)
            outgoing.append(
                .childClosed(closed),
                to: MessageTarget(
                    namespace: parent.namespace.id, workflow: parent.execution.workflow, run: parent.execution.run))
        }
        guard !draft.leavesChildren else { return }
        for child in children.table.all where !child.endIsBuffered {
            guard child.parentClosePolicy != .abandon else { continue }
            let run = child.run ?? child.bufferedRun
            if run == nil { outgoing.removeAll { $0.starts(child.initiatedEventID) } }
            outgoing.append(
                .closeChild(child.parentClosePolicy),
                to: MessageTarget(
                    namespace: child.namespace.id, workflow: child.workflowID,
                    firstRun: run ?? childRunID(initiatedBy: child.initiatedEventID)))
        }
    }
}

extension OutgoingMessages.Entry {
    /// Is it the start of the child that this event asked for?
    func starts(_ initiated: EventID) -> Bool {
        guard case .startChild(let child) = body else { return false }
        return child.start.attributes.parent?.initiatedEventID == initiated
    }
}

extension ChildEnd {
    /// What a parent hears of a run that closes with this event; nil when the run goes on in another one.
    init?(_ kind: EventKind) {
        switch kind {
        case .workflowExecutionCompleted(let attributes): self = .completed(result: attributes.result)
        case .workflowExecutionFailed(let attributes): self = .failed(attributes.failure, attributes.retryState)
        case .workflowExecutionCanceled(let attributes): self = .canceled(details: attributes.details)
        case .workflowExecutionTimedOut(let attributes): self = .timedOut(attributes.retryState)
        case .workflowExecutionTerminated: self = .terminated
        case .workflowExecutionStarted, .workflowExecutionContinuedAsNew, .workflowExecutionSignaled,
            .workflowExecutionCancelRequested, .workflowTaskScheduled, .workflowTaskStarted, .workflowTaskCompleted,
            .workflowTaskTimedOut, .workflowTaskFailed, .activityTaskScheduled, .activityTaskStarted,
            .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCancelRequested,
            .activityTaskCanceled, .timerStarted, .timerFired, .timerCanceled, .markerRecorded,
            .upsertWorkflowSearchAttributes, .workflowPropertiesModified, .childWorkflow, .externalWorkflow,
            .workflowExecutionUpdateAdmitted, .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted,
            .workflowExecutionOptionsUpdated:
            return nil
        }
    }
}
