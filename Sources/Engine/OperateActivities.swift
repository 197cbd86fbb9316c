public import History

/// Which pending activities of a run an operator means.
public enum ActivitySelection: Hashable, Sendable {
    case id(ActivityID)
    case type(String)
    case all
}

/// What an operator does to pending activities; none of it leaves an event (protocol.md section 4).
public enum ActivityOperation: Hashable, Sendable {
    /// No further attempt begins; one that runs is told with its next heartbeat.
    case pause(reason: String, requestID: RequestID)
    /// The attempt that waits is due at once, or after `delay`.
    case unpause(resetAttempts: Bool, resetHeartbeat: Bool, delay: TimeSpan)
    /// Attempts count from 1 again; the one that waits is due at once, or after `delay`.
    case reset(resetHeartbeat: Bool, keepPaused: Bool, restoreOriginal: Bool, delay: TimeSpan)
    case change(ActivityTaskOptionsChange)
    /// Back to the options it was scheduled with.
    case restoreOptions
}

public struct OperateActivities: Hashable, Sendable {
    public var selection: ActivitySelection
    public var operation: ActivityOperation
    public var identity: String
    public init(selection: ActivitySelection, operation: ActivityOperation, identity: String) {
        self.selection = selection
        self.operation = operation
        self.identity = identity
    }
}

extension Run {
    mutating func operateActivities(_ request: OperateActivities, _ draft: inout Draft) throws(Rejection) {
        guard isOpen else { throw .notFound("workflow execution already completed") }
        let chosen = activities.table.all.filter { !$0.endIsBuffered && request.selection.includes($0) }
        guard !chosen.isEmpty else {
            throw .notFound(
                "Can't find pending activity with such ID. Invalid activityID or activity already completed")
        }
        // All or none: whatever is refused is found before anything changes.
        var changed: [PendingActivity] = []
        for activity in chosen { changed.append(try operated(activity, request, at: draft.now)) }
        for (before, after) in zip(chosen, changed) where before != after { put(after, &draft) }
        draft.reply = .activityOptions(changed.first.map { ActivityTaskOptions($0.scheduled) })
    }

    private func operated(
        _ activity: PendingActivity, _ request: OperateActivities, at now: Timestamp
    ) throws(Rejection) -> PendingActivity {
        var after = activity
        switch request.operation {
        case .pause(let reason, let requestID):
            if let pause = activity.pause {
                guard pause.requestID == requestID else {
                    throw Rejection(.failedPrecondition, "activity is already paused")
                }
                return activity
            }
            after.pause = PendingActivity.Pause(
                time: now, identity: request.identity, reason: reason, requestID: requestID)
            if !activity.isStarted { after.withdraw() }
        case .unpause(let resetAttempts, let resetHeartbeat, let delay):
            guard activity.pause != nil else { return activity }
            after.pause = nil
            if resetAttempts { after.resetAttempts() }
            if resetHeartbeat { after.resetHeartbeat() }
            if !activity.isStarted { after.becomeDue(at: now.advanced(by: delay), now: now) }
        case .reset(let resetHeartbeat, let keepPaused, let restoreOriginal, let delay):
            if !keepPaused { after.pause = nil }
            if restoreOriginal { after.restoreOptions() }
            after.resetAttempts()
            if resetHeartbeat { after.resetHeartbeat() }
            if !activity.isStarted { after.becomeDue(at: now.advanced(by: delay), now: now) }
        case .change(let change):
            let options = ActivityTaskOptions(activity.scheduled)
            let new = try change.applied(to: options, runTimeout: started?.workflowRunTimeout ?? .zero)
            guard new != options else { return activity }
            after.original = activity.original ?? options
            after.scheduled = activity.scheduled.with(new)
            if !activity.isStarted { after.offerAgain() }
        case .restoreOptions:
            guard activity.original != nil else { return activity }
            after.restoreOptions()
            if !activity.isStarted { after.offerAgain() }
        }
        return after
    }

    private mutating func put(_ activity: PendingActivity, _ draft: inout Draft) {
        let stamp = activities.table[activity.scheduledEventID]?.stamp
        activities.table.update(activity.scheduledEventID) { $0 = activity }
        draft.changedState = true
        if activity.stamp != stamp, activity.isOffered { draft.effects.append(offer(activity)) }
    }
}

extension ActivitySelection {
    func includes(_ activity: PendingActivity) -> Bool {
        switch self {
        case .id(let id): activity.scheduled.activityID == id
        case .type(let type): activity.scheduled.activityType == type
        case .all: true
        }
    }
}

extension PendingActivity {
    /// The offer that waits in a queue, or the back-off that runs, counts no more.
    mutating func withdraw() {
        stamp += 1
        isOffered = false
    }

    /// The attempt that waits is handed out at `moment`; not while the activity is paused.
    mutating func becomeDue(at moment: Timestamp, now: Timestamp) {
        stamp += 1
        dueTime = moment
        isOffered = pause == nil && moment <= now
    }

    /// The same attempt under its new options.
    mutating func offerAgain() { stamp += 1 }

    /// Attempts count from 1 again; one that runs ends first.
    mutating func resetAttempts() {
        if isStarted { isReset = true } else { attempt = 1 }
    }

    mutating func resetHeartbeat() {
        if isStarted { forgetsHeartbeat = true } else { heartbeatDetails = nil }
    }

    mutating func restoreOptions() {
        guard let original else { return }
        scheduled = scheduled.with(original)
        self.original = nil
    }
}
