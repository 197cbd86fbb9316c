public import History

extension Run {
    /// The earliest moment at which ``RunCommand/wake`` would change something.
    public var nextDeadline: Timestamp? {
        guard isOpen else { return nil }
        var next = Timestamp.distantFuture
        if let moment = expirationTime { next = min(next, moment) }
        if let moment = workflowTaskDeadline { next = min(next, moment) }
        if let moment = activities.table.deadline { next = min(next, moment) }
        if let moment = timers.table.deadline { next = min(next, moment) }
        return next == .distantFuture ? nil : next
    }

    /// One thing that happens can make another one due at the same moment, but never a third time.
    private static let wakePassesMax = 4

    /// Time has passed: everything due at `now` happens, in order, and nothing before it is due.
    mutating func wake(_ draft: inout Draft) {
        for _ in 0..<Self.wakePassesMax {
            guard let next = nextDeadline, next <= draft.now else { return }
            wakeOnce(&draft)
        }
    }

    private mutating func wakeOnce(_ draft: inout Draft) {
        if let expiration = expirationTime, expiration <= draft.now {
            timeOutRun(&draft)
            return
        }
        if let task = workflowTask.pending, let moment = workflowTaskDeadline, moment <= draft.now {
            if task.lease != nil { timeOutStartedTask(&draft) } else { timeOutStickyTask(&draft) }
        }
        // An owed first task needs nothing here: every transition ends with scheduling it.
        var due = timers.table.due(at: draft.now).map { (at: $0.at, key: $0.key, isTimer: true) }
        due += activities.table.due(at: draft.now).map { (at: $0.at, key: $0.key, isTimer: false) }
        due.sort { ($0.at, $0.key) < ($1.at, $1.key) }
        for item in due {
            if item.isTimer { fireTimer(item.key, &draft) } else { activityAlarm(item.key, &draft) }
        }
    }

    private mutating func fireTimer(_ key: EventID, _ draft: inout Draft) {
        guard let timer = timers.table[key], !timer.fireIsBuffered, timer.firesAt <= draft.now else { return }
        record(.timerFired(TimerFired(timerID: timer.timerID, startedEventID: key)), &draft)
    }

    /// The tasks that wait for a poller now; what must be offered again after a load.
    public var outstandingOffers: [Effect] {
        guard isOpen else { return [] }
        var offers: [Effect] = []
        if let task = workflowTaskOffer { offers.append(task) }
        for activity in activities.table.all where !activity.isStarted && activity.isOffered && !activity.endIsBuffered
        {
            offers.append(offer(activity))
        }
        return offers
    }

    /// Events that readers of the open history see although they are not stored yet: a started workflow task, and both
    /// events of a transient one.
    public var unrecordedEvents: [Event] { isOpen ? workflowTask.unrecorded : [] }

    /// Is there anything that only a loaded run can go on with: an offer, a lease, a running activity, a message?
    var isBusy: Bool {
        workflowTask.pending.map { !$0.isSpeculative } ?? false || !activities.table.isEmpty || !eventBuffer.isEmpty
            || !outgoing.isEmpty
    }

    /// What a store keeps as the moment at which the run must be loaded at the latest.
    ///
    /// - Returns: zero for a run that has an outstanding offer, a started task or activity, or a deadline before
    ///   `now` + `horizon`; else its next deadline; `nil` for a run that waits for somebody else, or is closed
    ///   and has told everybody.
    public func wakeHint(at now: Timestamp, horizon: TimeSpan) -> Timestamp? {
        guard isOpen else { return outgoing.isEmpty && !isDeleted ? nil : .zero }
        if isBusy { return .zero }
        guard let next = nextDeadline else { return nil }
        return next <= now.advanced(by: horizon) ? .zero : next
    }
}
