import History

/// A transition while it is being decided.
struct Draft {
    let now: Timestamp
    let limits: Limits
    let zones: CronZones
    var events: [Event] = []
    var attempts: [ActivityAttempt] = []
    var effects: [Effect] = []
    var reply: Reply = .done
    var successor: StartRun?
    /// Something changed that must survive a crash, although no event says so.
    var changedState = false
    /// The run is closed to make room for a reset: its children go on.
    var leavesChildren = false

    init(now: Timestamp, limits: Limits, zones: CronZones) {
        self.now = now
        self.limits = limits
        self.zones = zones
    }

    var transition: Transition {
        Transition(
            events: events, attempts: attempts, effects: effects, reply: reply, successor: successor,
            isDurable: changedState || !events.isEmpty || !attempts.isEmpty)
    }
}

extension Run {
    /// Records one event: folds it with the code that replay uses, and hands it to the transition.
    mutating func emit(
        _ kind: EventKind, _ draft: inout Draft, at time: Timestamp? = nil, userMetadata: Blob? = nil
    ) {
        if kind.closesRun != nil { sendClosing(kind, draft) }
        let event = Event(
            id: lastEventID.next, time: time ?? draft.now, kind: kind, userMetadata: userMetadata,
            workerMayIgnore: kind.workerMayIgnore)
        do {
            try apply(event)
        } catch {
            preconditionFailure("run \(key) decided an event it cannot fold: \(error)")
        }
        draft.events.append(event)
    }

    /// Records something that happened outside of the workflow: at once, or after the workflow task that is started now.
    mutating func record(_ fact: BufferedFact, _ draft: inout Draft, at time: Timestamp? = nil) {
        guard workflowTask.isStarted else {
            // A task for updates alone becomes one that the history knows.
            if workflowTask.pending?.isSpeculative == true { recordUnrecorded(&draft) }
            emit(fact, &draft, at: time)
            return
        }
        buffer(fact, &draft, at: time)
    }

    /// Records `fact`; the end of an activity or a child names the event that recorded its start.
    mutating func emit(_ fact: BufferedFact, _ draft: inout Draft, at time: Timestamp?) {
        var startedEventID = EventID.none
        if let key = fact.endedActivity { startedEventID = activities.table[key]?.startedEventID ?? .none }
        if case .related(let related) = fact, let key = related.child {
            startedEventID = children.table[key]?.startedEventID ?? .none
        }
        emit(fact.event(startedEventID: startedEventID), &draft, at: time)
    }
}
