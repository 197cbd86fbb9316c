import History

extension Run {
    /// Does this run, as it was carried on live or loaded from a snapshot, agree with `fold`, which its events rebuilt?
    ///
    /// - Returns: the first difference between the parts that the history determines; `nil` when there is none.
    public func agrees(withFoldOf fold: Run) -> String? {
        if started != fold.started { return "started attributes" }
        if startTime != fold.startTime { return "start time: \(startTime), folded \(fold.startTime)" }
        if facts.lastEventID != fold.facts.lastEventID {
            return "last event: \(facts.lastEventID), folded \(fold.facts.lastEventID)"
        }
        if facts.status != fold.facts.status {
            return
                "status: \(facts.status.map { "\($0)" } ?? "none"), folded \(fold.facts.status.map { "\($0)" } ?? "none")"
        }
        if facts != fold.facts { return "facts of the run" }
        if activities.table.all.map(\.recorded) != fold.activities.table.all.map(\.recorded) {
            return "pending activities"
        }
        let timersHere = timers.table.all.map {
            PendingTimer(timerID: $0.timerID, startedEventID: $0.startedEventID, firesAt: $0.firesAt)
        }
        if timersHere != fold.timers.table.all { return "pending timers" }
        if children.table.all.map(\.recorded) != fold.children.table.all.map(\.recorded) { return "pending children" }
        if externals.table.all.map(\.recorded) != fold.externals.table.all.map(\.recorded) {
            return "pending requests to other workflows"
        }
        if let unsent = missingMessage { return unsent }
        if updates.recorded != fold.updates.recorded { return "updates" }
        return workflowTask.differs(from: fold.workflowTask)
    }

    /// Would folding the history alone rebuild everything that matters? Then a store needs no snapshot.
    ///
    /// Left out of account: the sticky queue and the number of a transient attempt, which a crash may forget.
    public var isRebuiltByHistory: Bool {
        guard isOpen else { return outgoing.lastNumber == 0 && deliveries.isEmpty }
        // Receivers know messages by their numbers: those must go on.
        guard eventBuffer.isEmpty, outgoing.lastNumber == 0, deliveries.isEmpty, !isHeld,
            workflowTask.pending?.lease?.isRecorded != true
        else { return false }
        return activities.table.all.allSatisfy { $0.attempt == 1 && !$0.isStarted && !$0.endIsBuffered }
    }
}

extension Run {
    /// Whatever waits for another run's answer has a message under way, or the answer in the buffer.
    private var missingMessage: String? {
        var underWay: Set<EventID> = []
        for entry in outgoing.entries {
            switch entry.body {
            case .startChild(let child): underWay.insert(child.start.attributes.parent?.initiatedEventID ?? .none)
            case .signal(let signal): underWay.insert(signal.initiatedEventID)
            case .requestCancel(let cancel): underWay.insert(cancel.attributes.externalInitiatedEventID)
            case .releaseChild, .closeChild, .childClosed: break
            }
        }
        for child in children.table.all
        where !child.isStarted && !child.endIsBuffered && !underWay.contains(child.initiatedEventID) {
            return "no message starts child \(child.initiatedEventID)"
        }
        for pending in externals.table.all
        where !pending.answerIsBuffered && !underWay.contains(pending.initiatedEventID) {
            return "no message is under way for event \(pending.initiatedEventID)"
        }
        return nil
    }
}

extension WorkflowTaskMachine {
    /// The first difference in what the history says.
    fileprivate func differs(from fold: WorkflowTaskMachine) -> String? {
        if lastCompletedStartedEventID != fold.lastCompletedStartedEventID { return "last completed workflow task" }
        if wasEverScheduled != fold.wasEverScheduled || isOwed != fold.isOwed { return "owed workflow task" }
        // A speculative task is not in the history, and nothing is owed while it is there.
        switch (pending?.isSpeculative == true ? nil : pending, fold.pending) {
        case (nil, nil): return nil
        case (let task?, let other?):
            if task.scheduledEventID != other.scheduledEventID { return "scheduled event of the pending workflow task" }
            if task.isRecorded != other.isRecorded { return "pending workflow task: transient" }
            if task.isRecorded, task.attempt != other.attempt || task.scheduledTime != other.scheduledTime {
                return "pending workflow task: attempt or time"
            }
            let started = task.lease.flatMap { $0.isRecorded ? $0.startedEventID : nil }
            if started != other.lease?.startedEventID { return "start of the pending workflow task" }
            return nil
        case (_?, nil), (nil, _?): return "pending workflow task"
        }
    }
}
