public import History

/// One run as its worker sees it: events go in and become what the workflow learns, the workflow's wishes go in and become
/// commands, and every command is held against the event that records it.
///
/// A round is ``begin(_:markers:answer:)`` (events of one workflow task → ``Activation``), then the wishes, then ``finish()``
/// (→ commands). Live tasks, replays of a whole history and continuations of a cached run take the same way; while replaying,
/// the commands of a round are only compared with the next events. A value type: copying it is a snapshot.
public struct ReplayMachine: Sendable {
    /// A wish of the current round that has not been answered.
    struct Wish: Sendable {
        enum Kind: Sendable {
            case scheduleActivity(FutureID)
            case cancelActivity(FutureID)
            case startTimer(FutureID)
            case cancelTimer(FutureID)
            case recordMarker(RecordMarker, meaning: MarkerMeaning?)
            case upsertSearchAttributes(Blob)
            case modifyProperties(Blob)
            case startChild(FutureID)
            case cancelChild(FutureID)
            case external(FutureID)
            case acceptUpdate(UpdateID)
            case completeUpdate(UpdateID)
            case close(WorkflowCommand.Kind)
        }
        var kind: Kind
        var userMetadata: Blob?
        var isDropped = false
    }

    /// The last event taken in.
    public internal(set) var lastEventID = EventID.none
    /// The start of the last workflow task taken in.
    public internal(set) var startedEventID = EventID.none
    /// The start event, once it was read.
    public internal(set) var started: WorkflowExecutionStarted?
    public internal(set) var startTime = Timestamp.zero
    /// The code has asked for the end of the run.
    public internal(set) var isClosing = false
    /// The history holds the end of the run.
    public internal(set) var recordedEnd: EventID?

    /// Events that a worker may pass over and that are left out of what it takes in.
    public var ignoredEvents: Set<EventID> = []

    var activities: [FutureID: ActivityMachine] = [:]
    var timers: [FutureID: TimerMachine] = [:]
    var activityByEvent: [EventID: FutureID] = [:]
    var timerByID: [TimerID: FutureID] = [:]
    var related = RelatedMachines()
    /// Those that have not ended, by number.
    var localActivities: [Int: FutureID] = [:]
    var wishes: [Wish] = []
    /// What is said of updates in this round.
    var messages: [ProtocolMessage] = []
    var expected: [Wish] = []
    var expectedHead = 0
    /// Belongs to a marker that the code went on without.
    var passedOver: EventID?
    private var lastFuture = 0
    private var lastActivity = 0
    private var lastTimer = 0

    public init() {}

    // MARK: Wishes

    /// Asks for an activity. An empty id becomes the next number of the run.
    public mutating func scheduleActivity(
        _ command: ScheduleActivityTask, cancellation: ActivityCancellation, userMetadata: Blob? = nil
    ) -> FutureID {
        var command = command
        let number = nextActivityNumber()
        if command.activityID.isEmpty { command.activityID = ActivityID("\(number)") }
        let future = nextFuture()
        activities[future] = ActivityMachine(command: command, cancellation: cancellation)
        wishes.append(Wish(kind: .scheduleActivity(future), userMetadata: userMetadata))
        return future
    }

    /// Asks for a timer.
    public mutating func startTimer(_ span: TimeSpan, userMetadata: Blob? = nil) -> FutureID {
        lastTimer += 1
        let command = StartTimer(timerID: TimerID("\(lastTimer)"), startToFireTimeout: span)
        let future = nextFuture()
        timers[future] = TimerMachine(command: command)
        timerByID[command.timerID] = future
        wishes.append(Wish(kind: .startTimer(future), userMetadata: userMetadata))
        return future
    }

    /// Nobody waits for this future any more. A future that has ended, or is unknown, is left alone.
    /// - Returns: What the waiter learns now; nil when it must wait on.
    public mutating func cancel(_ future: FutureID) -> Resolution? {
        if var timer = timers[future] {
            let answer = timer.cancel()
            timers[future] = timer
            switch answer {
            case .nothing: return nil
            case .dropCommand:
                drop(future)
                timers[future] = nil
                timerByID[timer.command.timerID] = nil
            case .emit: wishes.append(Wish(kind: .cancelTimer(future)))
            }
            return .timerCanceled
        }
        guard var activity = activities[future] else { return cancelRelated(future) }
        let answer = activity.cancel()
        activities[future] = activity
        switch answer {
        case .nothing: return nil
        case .dropCommandAndResolve:
            drop(future)
            activities[future] = nil
        case .emit:
            wishes.append(Wish(kind: .cancelActivity(future)))
            return nil
        case .emitAndResolve: wishes.append(Wish(kind: .cancelActivity(future)))
        case .resolve: break
        }
        return .activityCanceled(end(of: activity, scheduled: .none))
    }

    public mutating func recordMarker(_ marker: RecordMarker, meaning: MarkerMeaning? = nil) {
        wishes.append(Wish(kind: .recordMarker(marker, meaning: meaning)))
    }

    public mutating func upsertSearchAttributes(_ attributes: Blob) {
        wishes.append(Wish(kind: .upsertSearchAttributes(attributes)))
    }

    public mutating func modifyProperties(upsertedMemo: Blob) {
        wishes.append(Wish(kind: .modifyProperties(upsertedMemo)))
    }

    public mutating func complete(result: Blob?) { close(.completeWorkflowExecution(result: result)) }
    public mutating func fail(_ failure: Failure) { close(.failWorkflowExecution(failure: failure)) }
    public mutating func cancelRun(details: Blob?) { close(.cancelWorkflowExecution(details: details)) }
    public mutating func continueAsNew(_ request: ContinueAsNew) { close(.continueAsNewWorkflowExecution(request)) }

    private mutating func close(_ command: WorkflowCommand.Kind) {
        guard !isClosing else { return }
        wishes.append(Wish(kind: .close(command)))
        isClosing = true
    }

    mutating func nextFuture() -> FutureID {
        lastFuture += 1
        return FutureID(lastFuture)
    }

    mutating func nextActivityNumber() -> Int {
        lastActivity += 1
        return lastActivity
    }

    /// Takes back the wish for a future that was cancelled before anybody heard of it.
    mutating func drop(_ future: FutureID) {
        let index = wishes.lastIndex { wish in
            switch wish.kind {
            case .scheduleActivity(let candidate), .startTimer(let candidate), .startChild(let candidate),
                .external(let candidate):
                candidate == future
            case .cancelActivity, .cancelTimer, .recordMarker, .upsertSearchAttributes, .modifyProperties,
                .cancelChild, .acceptUpdate, .completeUpdate, .close:
                false
            }
        }
        if let index { wishes[index].isDropped = true }
    }

    // MARK: The end of a round

    /// Ends the round: the wishes become commands, in their order, and wait for the events that record them.
    public mutating func finish() -> [WorkflowCommand] {
        var commands: [WorkflowCommand] = []
        commands.reserveCapacity(wishes.count)
        if expectedHead == expected.count {
            expected.removeAll(keepingCapacity: true)
            expectedHead = 0
        }
        for wish in wishes where !wish.isDropped {
            commands.append(WorkflowCommand(command(for: wish.kind), userMetadata: wish.userMetadata))
            expected.append(wish)
        }
        wishes.removeAll(keepingCapacity: true)
        return commands
    }

    private mutating func command(for kind: Wish.Kind) -> WorkflowCommand.Kind {
        switch kind {
        case .scheduleActivity(let future):
            guard var activity = activities[future] else { preconditionFailure("activity \(future) is unknown") }
            activity.answered()
            activities[future] = activity
            return .scheduleActivityTask(activity.command)
        case .cancelActivity(let future):
            return .requestCancelActivityTask(scheduledEventID: scheduledEvent(of: future))
        case .startTimer(let future):
            guard var timer = timers[future] else { preconditionFailure("timer \(future) is unknown") }
            timer.answered()
            timers[future] = timer
            return .startTimer(timer.command)
        case .cancelTimer(let future):
            guard let timer = timers[future] else { preconditionFailure("timer \(future) is unknown") }
            return .cancelTimer(timer.command.timerID)
        case .recordMarker(let marker, _): return .recordMarker(marker)
        case .upsertSearchAttributes(let attributes): return .upsertWorkflowSearchAttributes(attributes)
        case .modifyProperties(let memo): return .modifyWorkflowProperties(upsertedMemo: memo)
        case .startChild(let future): return childCommand(future)
        case .cancelChild(let future): return childCancelCommand(future)
        case .external(let future): return externalCommand(future)
        case .acceptUpdate(let update): return .protocolMessage(messageID: Self.acceptanceID(update))
        case .completeUpdate(let update): return .protocolMessage(messageID: Self.completionID(update))
        case .close(let command): return command
        }
    }

    func scheduledEvent(of future: FutureID) -> EventID {
        switch activities[future]?.phase {
        case .scheduled(let event), .stopping(let event), .abandoned(let event): event
        case .created, .requested, .closed, nil: .none
        }
    }

    func end(of activity: ActivityMachine, scheduled: EventID) -> ActivityEnd {
        ActivityEnd(
            activityID: activity.command.activityID, activityType: activity.command.activityType,
            scheduledEventID: scheduled, startedEventID: .none, identity: "", retryState: nil, failure: nil,
            details: nil)
    }
}
