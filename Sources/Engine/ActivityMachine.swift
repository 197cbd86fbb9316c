import History

/// An activity that was scheduled and has not ended.
///
/// scheduled (waits for its due time, then for a poller) → started → ended, or scheduled again with the next attempt.
/// The first group of fields follows from the history, the rest is live and kept by snapshots only.
struct PendingActivity: Hashable, Sendable, Deadlined {
    struct Start: Hashable, Sendable {
        var time: Timestamp
        var identity: String
        var requestID: RequestID
    }

    /// Somebody holds it: no further attempt begins.
    struct Pause: Hashable, Sendable {
        var time: Timestamp
        var identity: String
        var reason: String
        var requestID: RequestID
    }

    var scheduledEventID: EventID
    var scheduledTime: Timestamp
    /// With the options that hold now.
    var scheduled: ActivityTaskScheduled
    var cancelRequestedEventID: EventID = .none
    /// The recorded start; it stands in the history right before the end.
    var startedEventID: EventID = .none

    var attempt: Int32 = 1
    var stamp: Int32 = 1
    /// When this attempt may be handed out.
    var dueTime: Timestamp
    var isOffered = true
    var start: Start?
    var lastFailure: Failure?
    var lastWorkerIdentity = ""
    var heartbeatDetails: Blob?
    var lastHeartbeatTime: Timestamp?
    /// It ended while a workflow task was started; the events wait in the buffer.
    var endIsBuffered = false
    /// When a reset made it begin again.
    var restartedTime: Timestamp?
    var pause: Pause?
    /// The next attempt counts from 1 again.
    var isReset = false
    /// The next attempt begins without the details of this one's heartbeats.
    var forgetsHeartbeat = false
    /// The options it was scheduled with, when others hold now.
    var original: ActivityTaskOptions?

    init(scheduledEventID: EventID, scheduledTime: Timestamp, scheduled: ActivityTaskScheduled) {
        self.scheduledEventID = scheduledEventID
        self.scheduledTime = scheduledTime
        self.scheduled = scheduled
        self.dueTime = scheduledTime
    }

    var isCancelRequested: Bool { cancelRequestedEventID != .none }
    var isStarted: Bool { start != nil }

    /// No attempt may begin after this.
    var expiration: Timestamp? {
        guard scheduled.scheduleToCloseTimeout.isPositive else { return nil }
        return (restartedTime ?? scheduledTime).advanced(by: scheduled.scheduleToCloseTimeout)
    }

    /// What happens next by itself.
    enum Alarm: Hashable, Sendable {
        case offer
        case timeout(TimeoutType)
    }

    /// The next thing that happens by itself; of several at the same moment the first of this list.
    var alarm: (at: Timestamp, what: Alarm)? {
        if endIsBuffered { return nil }
        var next: (at: Timestamp, what: Alarm)?
        func consider(_ moment: Timestamp, _ what: Alarm) {
            if let found = next, found.at <= moment { return }
            next = (moment, what)
        }
        if let start {
            if scheduled.startToCloseTimeout.isPositive {
                consider(start.time.advanced(by: scheduled.startToCloseTimeout), .timeout(.startToClose))
            }
        } else {
            if scheduled.scheduleToStartTimeout.isPositive, pause == nil {
                consider(dueTime.advanced(by: scheduled.scheduleToStartTimeout), .timeout(.scheduleToStart))
            }
            if !isOffered, pause == nil { consider(dueTime, .offer) }
        }
        if let expiration { consider(expiration, .timeout(.scheduleToClose)) }
        if let start, scheduled.heartbeatTimeout.isPositive {
            let last = max(start.time, lastHeartbeatTime ?? start.time)
            consider(last.advanced(by: scheduled.heartbeatTimeout), .timeout(.heartbeat))
        }
        return next
    }

    var deadline: Timestamp? { alarm?.at }

    mutating func begin(_ start: Start) {
        self.start = start
        lastHeartbeatTime = nil
        lastWorkerIdentity = start.identity
    }

    /// A reset begins it again: attempt 1, now.
    mutating func restart(at now: Timestamp) {
        restartedTime = now
        dueTime = now
    }

    /// The attempt failed and is tried again at `dueTime`.
    mutating func tryAgain(at dueTime: Timestamp, after failure: Failure, now: Timestamp) {
        attempt = countedAttempt + 1
        isReset = false
        if forgetsHeartbeat { heartbeatDetails = nil }
        forgetsHeartbeat = false
        stamp += 1
        start = nil
        lastHeartbeatTime = nil
        lastFailure = failure
        self.dueTime = dueTime
        isOffered = pause == nil && dueTime <= now
    }

    /// The attempts that count against the policy: after a reset the one that runs does not.
    var countedAttempt: Int32 { isReset ? 0 : attempt }

    /// What the history says of it, without the live part.
    var recorded: PendingActivity {
        var copy = PendingActivity(
            scheduledEventID: scheduledEventID, scheduledTime: scheduledTime,
            scheduled: original.map { scheduled.with($0) } ?? scheduled)
        copy.cancelRequestedEventID = cancelRequestedEventID
        copy.startedEventID = startedEventID
        return copy
    }
}

/// The pending activities of a run.
struct ActivityMachine: Hashable, Sendable {
    var table = EventTable<PendingActivity>()
    private var eventOf: [ActivityID: EventID] = [:]

    func pending(_ activity: ActivityID) -> PendingActivity? {
        guard let key = eventOf[activity] else { return nil }
        return table[key]
    }

    mutating func insert(_ activity: PendingActivity) {
        table.insert(activity, for: activity.scheduledEventID)
        eventOf[activity.scheduled.activityID] = activity.scheduledEventID
    }

    /// Folds a recorded start: it only says what stands before the end.
    mutating func recordStart(_ key: EventID, startedEventID: EventID) throws(Corruption) {
        guard let activity = table[key], activity.startedEventID == .none else {
            throw Corruption("no activity scheduled by event \(key) waits for its start")
        }
        table.update(key) { $0.startedEventID = startedEventID }
    }

    mutating func requestCancel(_ key: EventID, requestedEventID: EventID) throws(Corruption) {
        guard table[key] != nil else { throw Corruption("no pending activity was scheduled by event \(key)") }
        table.update(key) { $0.cancelRequestedEventID = requestedEventID }
    }

    /// Completed, failed, timed out or cancelled.
    mutating func end(_ key: EventID, startedEventID: EventID) throws(Corruption) {
        guard let activity = table[key] else { throw Corruption("no pending activity was scheduled by event \(key)") }
        guard activity.startedEventID == startedEventID else {
            throw Corruption(
                "activity \(key): expected started event \(activity.startedEventID), got \(startedEventID)")
        }
        table.remove(key)
        eventOf[activity.scheduled.activityID] = nil
    }

    mutating func removeAll() {
        table.removeAll()
        eventOf = [:]
    }

    mutating func rollBack() {
        var index = eventOf
        table.rollBack { key, taken, restored in
            if let taken { index[taken.scheduled.activityID] = nil }
            if let restored { index[restored.scheduled.activityID] = key }
        }
        eventOf = index
    }

    static func == (left: ActivityMachine, right: ActivityMachine) -> Bool { left.table == right.table }
    func hash(into hasher: inout Hasher) { hasher.combine(table) }
}
