import History

/// A timer that was started and has neither fired nor been cancelled.
///
/// started → fired | fire buffered → fired | canceled. It fires at ``firesAt``, never earlier.
struct PendingTimer: Hashable, Sendable, Deadlined {
    var timerID: TimerID
    var startedEventID: EventID
    var firesAt: Timestamp
    /// It fired while a workflow task was started; the event waits in the buffer.
    var fireIsBuffered = false

    var deadline: Timestamp? { fireIsBuffered ? nil : firesAt }
}

/// The pending timers of a run.
struct TimerMachine: Hashable, Sendable {
    var table = EventTable<PendingTimer>()
    private var eventOf: [TimerID: EventID] = [:]

    func pending(_ timer: TimerID) -> PendingTimer? {
        guard let key = eventOf[timer] else { return nil }
        return table[key]
    }

    mutating func insert(_ timer: PendingTimer) {
        table.insert(timer, for: timer.startedEventID)
        eventOf[timer.timerID] = timer.startedEventID
    }

    mutating func fireWasBuffered(_ key: EventID) {
        table.update(key) { $0.fireIsBuffered = true }
    }

    /// Fired or cancelled.
    mutating func end(_ timerID: TimerID, startedEventID: EventID) throws(Corruption) {
        guard let timer = table[startedEventID], timer.timerID == timerID else {
            throw Corruption("no pending timer was started by event \(startedEventID)")
        }
        table.remove(startedEventID)
        eventOf[timerID] = nil
    }

    mutating func removeAll() {
        table.removeAll()
        eventOf = [:]
    }

    mutating func rollBack() {
        var index = eventOf
        table.rollBack { key, taken, restored in
            if let taken { index[taken.timerID] = nil }
            if let restored { index[restored.timerID] = key }
        }
        eventOf = index
    }

    static func == (left: TimerMachine, right: TimerMachine) -> Bool { left.table == right.table }
    func hash(into hasher: inout Hasher) { hasher.combine(table) }
}
