public import History

/// Begins a run with the first part of another one's history (protocol.md 5.10).
public struct ResetRun: Hashable, Sendable {
    /// The new run.
    public var key: RunKey
    public var baseRun: RunID
    /// The base's events before the one to reset to.
    public var copied: [Event]
    /// What the base, and the runs that followed it, were told after that point.
    public var reapplied: [ReappliedFact]
    /// What the new run is told on top of that.
    public var operations: [PostResetOperation]
    public var reason: String
    public var identity: String
    public var requestID: RequestID
    public var namespaceName: String
    /// What the runs before this one got from other runs.
    public var deliveredMessages: [Delivery]

    public init(
        key: RunKey, baseRun: RunID, copied: [Event], reapplied: [ReappliedFact],
        operations: [PostResetOperation] = [], reason: String, identity: String,
        requestID: RequestID, namespaceName: String, deliveredMessages: [Delivery] = []
    ) {
        self.key = key
        self.baseRun = baseRun
        self.copied = copied
        self.reapplied = reapplied
        self.operations = operations
        self.reason = reason
        self.identity = identity
        self.requestID = requestID
        self.namespaceName = namespaceName
        self.deliveredMessages = deliveredMessages
    }
}

/// What a reset tells the new run after everything else.
public enum PostResetOperation: Hashable, Sendable {
    case signal(WorkflowExecutionSignaled)
    case updateOptions(RunOptionsChange)
}

/// Something that a run was told and that a reset tells the new run again.
public enum ReappliedFact: Hashable, Sendable {
    case signal(WorkflowExecutionSignaled)
    case cancelRequest(WorkflowExecutionCancelRequested)
    case update(WorkflowExecutionUpdateAdmitted)
    /// What became of a child that the base asked for before that point; it is not asked for again.
    case child(ChildWorkflowEvent)
}

/// What a reset does not tell the new run again.
public struct ReapplyExclusions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let signals = ReapplyExclusions(rawValue: 1)
    public static let updates = ReapplyExclusions(rawValue: 2)
    public static let cancelRequests = ReapplyExclusions(rawValue: 4)
    public static let everything: ReapplyExclusions = [.signals, .updates, .cancelRequests]
}

extension ReappliedFact {
    /// What of `event` is told again; nil for events that the workflow's own code or the server caused.
    ///
    /// - Parameter isOfBase: the event is the base's own, so that the events it names are there in the new run.
    public init?(_ event: Event, except exclusions: ReapplyExclusions, isOfBase: Bool) {
        if case .workflowExecutionSignaled(let signal) = event.kind, !exclusions.contains(.signals) {
            self = .signal(signal)
        } else if case .workflowExecutionCancelRequested(let request) = event.kind,
            !exclusions.contains(.cancelRequests)
        {
            self = .cancelRequest(request)
        } else if case .workflowExecutionUpdateAdmitted(let admitted) = event.kind, !exclusions.contains(.updates) {
            self = .update(admitted)
        } else if case .workflowExecutionUpdateAccepted(let accepted) = event.kind, let request = accepted.request,
            !exclusions.contains(.updates)
        {
            self = .update(WorkflowExecutionUpdateAdmitted(update: accepted.update, request: request))
        } else if case .childWorkflow(let child) = event.kind, isOfBase {
            self = .child(child)
        } else {
            return nil
        }
    }
}

extension Run {
    /// The request that began this run, when it came from a reset.
    public var resetRequest: RequestID { resetRequestID }

    /// When a reset made this run; nil when it was started.
    public var resetTime: Timestamp? { facts.resetTime }

    /// When this run began: its start, or the reset that made it.
    public var beginTime: Timestamp { facts.resetTime ?? startTime }

    /// Checks that the base may be reset to `finish`: the end of a workflow task, or its start.
    ///
    /// - Parameter events: the base's events around it, at least `finish` and the two before it.
    public static func checkResetPoint(_ finish: EventID, in events: [Event], last: EventID) throws(Rejection) {
        guard finish > .first, finish <= last else {
            throw .invalid("Workflow task finish ID must be > 1 && <= workflow last event ID.")
        }
        let atIt = events.first { $0.id == finish }?.kind
        let before = events.first { $0.id == finish.previous }?.kind
        if case .workflowTaskStarted? = atIt { return }
        if case .workflowTaskStarted? = before { return }
        throw .invalid(
            "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: \(finish)"
        )
    }

    /// Begins a fresh run with the copied history, the mark of the reset and what is told again.
    mutating func reset(_ request: ResetRun, _ draft: inout Draft) throws(Rejection) {
        guard started == nil else { throw .invalid("only a fresh run takes a reset") }
        key = request.key
        for event in request.copied {
            do { try apply(event) } catch { throw .invalid("the history cannot be reset: \(error.reason)") }
            draft.events.append(event)
        }
        guard isOpen, let task = workflowTask.pending else {
            throw .invalid("Workflow task finish ID must be the end of a workflow task.")
        }
        for message in request.deliveredMessages { deliveries.remember(message) }
        resetRequestID = request.requestID
        if task.lease == nil { _ = lease(identity: request.identity, requestID: request.requestID, draft) }
        recordUnrecorded(&draft)
        guard let open = workflowTask.pending, let lease = open.lease else { return }
        let failed = WorkflowTaskFailed(
            scheduledEventID: open.scheduledEventID, startedEventID: lease.startedEventID, cause: .resetWorkflow,
            failure: .reset(message: request.reason), identity: request.identity, baseRunID: request.baseRun,
            newRunID: request.key.run)
        emit(.workflowTaskFailed(failed), &draft)
        restartActivities(request.reason, &draft)
        for fact in request.reapplied { reapply(fact, &draft) }
        resend(request, &draft)
        for operation in request.operations { perform(operation, by: request.identity, &draft) }
        draft.reply = .started(eagerTask: nil)
    }

    /// Attempts that were under way belong to the base: what is pending begins again, now.
    private mutating func restartActivities(_ reason: String, _ draft: inout Draft) {
        for activity in activities.table.all {
            guard activity.startedEventID == .none else {
                let failed = ActivityTaskFailed(
                    failure: .reset(message: reason), scheduledEventID: activity.scheduledEventID,
                    startedEventID: activity.startedEventID, retryState: .nonRetryableFailure)
                emit(.activityTaskFailed(failed), &draft)
                continue
            }
            activities.table.update(activity.scheduledEventID) { $0.restart(at: draft.now) }
            if let restarted = activities.table[activity.scheduledEventID] { draft.effects.append(offer(restarted)) }
        }
    }

    /// Whatever the copied history asked of other workflows and has no answer is asked again; they know a repeated one.
    private mutating func resend(_ request: ResetRun, _ draft: inout Draft) {
        // A history that came from resets holds the codes of several runs, in pieces.
        let resets = request.copied.compactMap { event -> (at: EventID, base: RunID?)? in
            guard case .workflowTaskFailed(let failed) = event.kind, failed.cause == .resetWorkflow else { return nil }
            return (event.id, failed.baseRunID)
        }
        for event in request.copied {
            if case .childWorkflow(.initiated(let attributes)) = event.kind {
                guard let child = children.table[event.id], child.run == nil else { continue }
                sendStart(
                    of: attributes, initiatedBy: event.id, userMetadata: event.userMetadata,
                    namespaceName: request.namespaceName)
            }
            guard externals.table[event.id] != nil else { continue }
            if case .externalWorkflow(.signalInitiated(let attributes)) = event.kind {
                let sender = resets.first { $0.at > event.id }?.base ?? request.baseRun
                send(attributes, initiatedBy: event.id, run: sender)
            } else if case .externalWorkflow(.cancelInitiated(let attributes)) = event.kind {
                send(attributes, initiatedBy: event.id)
            }
        }
    }

    private mutating func perform(_ operation: PostResetOperation, by identity: String, _ draft: inout Draft) {
        switch operation {
        case .signal(let attributes): emit(.workflowExecutionSignaled(attributes), &draft)
        case .updateOptions(let change):
            let request = UpdateRunOptions(change: change, identity: identity)
            if let event = changeOptions(request) { emit(.workflowExecutionOptionsUpdated(event), &draft) }
        }
    }

    private mutating func reapply(_ fact: ReappliedFact, _ draft: inout Draft) {
        switch fact {
        case .signal(let attributes): emit(.workflowExecutionSignaled(attributes), &draft)
        case .cancelRequest(let attributes):
            if !facts.cancelIsRequested { emit(.workflowExecutionCancelRequested(attributes), &draft) }
        case .update(let attributes):
            if updates.recorded(attributes.update) == nil { emit(.workflowExecutionUpdateAdmitted(attributes), &draft) }
        case .child(let event): reapply(event, &draft)
        }
    }

    /// What became of a child that is pending here: nobody will tell it a second time.
    private mutating func reapply(_ event: ChildWorkflowEvent, _ draft: inout Draft) {
        switch event {
        case .initiated: return
        case .startFailed(let attributes):
            guard let child = children.table[attributes.initiatedEventID], child.run == nil else { return }
            emit(.childWorkflow(.startFailed(attributes)), &draft)
        case .started(let attributes):
            guard let child = children.table[attributes.initiatedEventID], child.run == nil else { return }
            emit(.childWorkflow(.started(attributes)), &draft)
        case .ended(var attributes):
            guard let child = children.table[attributes.initiatedEventID], child.run != nil else { return }
            attributes.startedEventID = child.startedEventID
            emit(.childWorkflow(.ended(attributes)), &draft)
        }
    }
}
