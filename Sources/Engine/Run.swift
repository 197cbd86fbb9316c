public import History

/// One workflow run as the server knows it: what its history says, and the live part that histories do not keep
/// (attempts, leases, buffered events, the sticky queue).
///
/// A value: no clock, no randomness, no I/O. ``handle(_:at:limits:)`` decides and folds; ``fold(_:)`` rebuilds the
/// history's part from recorded events alone, with the same code (``apply(_:)``).
public struct Run: Hashable, Sendable {
    /// Whose run it is. Histories do not name the namespace: a fold is told.
    public internal(set) var key: RunKey

    // What the history says.

    /// Event 1; `nil` only for a run without any event.
    public internal(set) var started: WorkflowExecutionStarted?
    /// The time of event 1; zero for a run without any event.
    public internal(set) var startTime: Timestamp = .zero
    var facts = Facts()
    var workflowTask = WorkflowTaskMachine()
    var activities = ActivityMachine()
    var timers = TimerMachine()
    var children = ChildMachine()
    var externals = ExternalMachine()
    var updates = UpdateMachine()

    // The live part.

    var sticky: StickyAttributes?
    var eventBuffer = EventBuffer()
    var cancelRequestIsBuffered = false
    var requests = RememberedRequests()
    /// A child whose start the parent has not recorded yet: its first workflow task waits.
    var isHeld = false
    /// The request that began the run, when it came from a reset.
    var resetRequestID: RequestID = ""
    var outgoing = OutgoingMessages()
    /// Deleted: it is removed from the store once its messages are confirmed.
    public internal(set) var isDeleted = false
    /// Messages of other runs that were taken, by this run or by those before it.
    var deliveries = Deliveries()
    /// Bytes of the stored history, as the shell counts them.
    public internal(set) var historySizeBytes: Int64 = 0

    /// The small facts of a history: cheap to copy, so that a refused workflow task completion can be taken back.
    struct Facts: Hashable, Sendable {
        var status: WorkflowStatus?
        var closeTime: Timestamp?
        var lastEventID: EventID = .none
        var cancelIsRequested = false
        var signalCount = 0
        /// `nil` while it is as event 1 says.
        var memo: ChangedMap?
        var searchAttributes: ChangedMap?
        /// The run whose history this one began with, when it came from a reset.
        var resetFrom: RunID?
        var resetTime: Timestamp?
        /// `nil` while they are as event 1 says.
        var options: RunOptions?
        var attached: [AttachedRequest] = []
    }

    /// A map of payloads that was changed since event 1; `blob` is `nil` when nothing is left in it.
    struct ChangedMap: Hashable, Sendable {
        var blob: Blob?
    }

    /// Who the server is in events that it makes by itself.
    static let serverIdentity = "history-service"

    /// A run without any event.
    public init() {
        key = RunKey(namespace: "", workflow: "", run: "")
    }

    public var status: WorkflowStatus? { facts.status }
    public var lastEventID: EventID { facts.lastEventID }
    var isOpen: Bool { facts.status == .running }

    /// Decides what `command` changes and folds it in.
    ///
    /// - Parameter zones: those of ``cronZones(for:)`` that there are.
    /// - Returns: the events to store, the effects to run and the reply, once stored.
    /// - Throws: ``Rejection``; the run is unchanged then.
    public mutating func handle(
        _ command: RunCommand, at now: Timestamp, limits: Limits, zones: CronZones = .none
    ) throws(Rejection) -> Transition {
        var draft = Draft(now: now, limits: limits, zones: zones)
        let stamp = workflowTask.stamp
        switch command {
        case .start(let request): try start(request, &draft)
        case .reset(let request): try reset(request, &draft)
        case .signal(let request): try signal(request, &draft)
        case .requestCancel(let request): try requestCancel(request, &draft)
        case .terminate(let request): try terminate(request, &draft)
        case .update(let request): try update(request, &draft)
        case .startWorkflowTask(let request): try startWorkflowTask(request, &draft)
        case .completeWorkflowTask(let request): try completeWorkflowTask(request, &draft)
        case .failWorkflowTask(let request): try failWorkflowTask(request, &draft)
        case .startActivity(let request): try startActivity(request, &draft)
        case .completeActivity(let request): try completeActivity(request, &draft)
        case .failActivity(let request): try failActivity(request, &draft)
        case .cancelActivity(let request): try cancelActivity(request, &draft)
        case .heartbeatActivity(let request): try heartbeatActivity(request, &draft)
        case .operateActivities(let request): try operateActivities(request, &draft)
        case .wake: wake(&draft)
        case .updateOptions(let request): try updateOptions(request, &draft)
        case .resetSticky: resetSticky(&draft)
        case .delete(let identity): delete(by: identity, &draft)
        case .receive(let message): try receive(message, &draft)
        case .settleMessage(let request): settle(request, &draft)
        }
        settle(stampBefore: stamp, &draft)
        return draft.transition
    }

    /// Rebuilds the part of a run that its history determines.
    public static func fold(_ events: [Event]) throws(Corruption) -> Run {
        var run = Run()
        for event in events { try run.apply(event) }
        return run
    }

    /// Rebuilds the part of `key`'s run that its history determines.
    public static func fold(_ events: [Event], key: RunKey) throws(Corruption) -> Run {
        var run = try fold(events)
        run.key = key
        return run
    }

    /// Counts stored history; the shell knows how long an encoded event is.
    public mutating func addHistoryBytes(_ count: Int) { historySizeBytes += Int64(count) }

    /// What every transition ends with: a history that grew too long ends, an owed workflow task is scheduled, and what
    /// pollers may take is offered.
    private mutating func settle(stampBefore: Int32, _ draft: inout Draft) {
        if isOpen, !draft.events.isEmpty { endIfTooLong(&draft) }
        scheduleOwedTask(&draft)
        scheduleSpeculativeTask(&draft)
        if let status, !status.isOpen {
            if !draft.events.isEmpty { endUpdates(&draft) }
            draft.effects.removeAll { !$0.outlivesRun }
            if !draft.events.isEmpty { draft.effects.append(.closed(status)) }
            return
        }
        if workflowTask.stamp != stampBefore, let offer = workflowTaskOffer { draft.effects.insert(offer, at: 0) }
    }
}
