import History

/// What may happen outside of the workflow while a workflow task is started.
enum BufferedFact: Hashable, Sendable {
    case signaled(WorkflowExecutionSignaled)
    case cancelRequested(WorkflowExecutionCancelRequested)
    case timerFired(TimerFired)
    case activityStarted(ActivityTaskStarted)
    case activityCompleted(ActivityTaskCompleted)
    case activityFailed(ActivityTaskFailed)
    case activityTimedOut(ActivityTaskTimedOut)
    case activityCanceled(ActivityTaskCanceled)
    case optionsUpdated(WorkflowExecutionOptionsUpdated)
    /// What another run told.
    case related(RelatedFact)

    /// Ends move behind everything else, so that a start precedes its end.
    var isEnd: Bool {
        switch self {
        case .signaled, .cancelRequested, .timerFired, .activityStarted, .optionsUpdated: false
        case .activityCompleted, .activityFailed, .activityTimedOut, .activityCanceled: true
        case .related(let fact): fact.isEnd
        }
    }

    /// The activity whose end this is.
    var endedActivity: EventID? {
        switch self {
        case .signaled, .cancelRequested, .timerFired, .activityStarted, .optionsUpdated, .related: nil
        case .activityCompleted(let end): end.scheduledEventID
        case .activityFailed(let end): end.scheduledEventID
        case .activityTimedOut(let end): end.scheduledEventID
        case .activityCanceled(let end): end.scheduledEventID
        }
    }

    /// The event, once it is known which event recorded the start of an activity or a child.
    func event(startedEventID: EventID) -> EventKind {
        switch self {
        case .signaled(let attributes): return .workflowExecutionSignaled(attributes)
        case .cancelRequested(let attributes): return .workflowExecutionCancelRequested(attributes)
        case .timerFired(let attributes): return .timerFired(attributes)
        case .optionsUpdated(let attributes): return .workflowExecutionOptionsUpdated(attributes)
        case .activityStarted(let attributes): return .activityTaskStarted(attributes)
        case .activityCompleted(var end):
            end.startedEventID = startedEventID
            return .activityTaskCompleted(end)
        case .activityFailed(var end):
            end.startedEventID = startedEventID
            return .activityTaskFailed(end)
        case .activityTimedOut(var end):
            end.startedEventID = startedEventID
            return .activityTaskTimedOut(end)
        case .activityCanceled(var end):
            end.startedEventID = startedEventID
            return .activityTaskCanceled(end)
        case .related(let fact): return fact.event(childStarted: startedEventID)
        }
    }

    /// About how much it holds, for the bound of the buffer.
    var bytes: Int {
        switch self {
        case .signaled(let attributes): 64 + (attributes.input?.count ?? 0) + (attributes.header?.count ?? 0)
        case .cancelRequested, .timerFired: 64
        case .optionsUpdated(let attributes): 64 + (attributes.versioningOverride?.count ?? 0)
        case .activityStarted(let attributes): 64 + (attributes.lastFailure?.bytes ?? 0)
        case .activityCompleted(let end): 64 + (end.result?.count ?? 0)
        case .activityFailed(let end): 64 + end.failure.bytes
        case .activityTimedOut(let end): 64 + end.failure.bytes
        case .activityCanceled(let end): 64 + (end.details?.count ?? 0)
        case .related(let fact): fact.bytes
        }
    }
}

/// Events that wait for the end of the started workflow task; they have no ids and nobody sees them yet.
struct EventBuffer: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var time: Timestamp
        var fact: BufferedFact
    }

    var entries: [Entry] = []
    var bytes = 0

    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ fact: BufferedFact, at time: Timestamp) {
        entries.append(Entry(time: time, fact: fact))
        bytes += fact.bytes
    }

    /// Takes the timer's firing out again, if it waits here.
    mutating func removeFiring(of timer: TimerID, startedEventID: EventID) {
        let firing = BufferedFact.timerFired(TimerFired(timerID: timer, startedEventID: startedEventID))
        entries.removeAll { $0.fact == firing }
        bytes = entries.reduce(0) { $0 + $1.fact.bytes }
    }

    /// Everything in the order in which it is recorded (protocol.md 2.3); the buffer is empty afterwards.
    mutating func drain() -> [Entry] {
        let ordered = entries.filter { !$0.fact.isEnd } + entries.filter { $0.fact.isEnd }
        entries = []
        bytes = 0
        return ordered
    }
}

extension Failure {
    /// About how much it holds.
    var bytes: Int {
        switch self {
        case .opaque(let blob, _): blob.count
        case .timeout(let message, _, let details, let cause):
            message.utf8.count + (details?.count ?? 0) + (cause?.bytes ?? 0)
        case .server(let message, _), .reset(let message): message.utf8.count
        }
    }
}

extension Run {
    /// Keeps `fact` until the started workflow task ends. A full buffer ends the task by force.
    mutating func buffer(_ fact: BufferedFact, _ draft: inout Draft, at time: Timestamp?) {
        recordLease(&draft)
        draft.changedState = true
        switch fact {
        case .signaled, .activityStarted, .optionsUpdated: break
        case .cancelRequested: cancelRequestIsBuffered = true
        case .timerFired(let fired): timers.fireWasBuffered(fired.startedEventID)
        case .activityCompleted, .activityFailed, .activityTimedOut, .activityCanceled:
            if let key = fact.endedActivity { activities.table.update(key) { $0.endIsBuffered = true } }
        case .related(let related): noteBuffered(related)
        }
        eventBuffer.append(fact, at: time ?? draft.now)
        let isFull =
            eventBuffer.entries.count > draft.limits.bufferedEventsMax
            || eventBuffer.bytes > draft.limits.bufferedEventBytesMax
        // The start of an activity never stands alone: its end follows in the same transition.
        if case .activityStarted = fact { return }
        if isFull { failStartedTask(cause: .forceCloseCommand, failure: nil, identity: Self.serverIdentity, &draft) }
    }

    /// Records what was buffered; the workflow task must have ended.
    mutating func flushBuffer(_ draft: inout Draft) {
        guard !eventBuffer.isEmpty else { return }
        cancelRequestIsBuffered = false
        for entry in eventBuffer.drain() { emit(entry.fact, &draft, at: entry.time) }
    }
}
