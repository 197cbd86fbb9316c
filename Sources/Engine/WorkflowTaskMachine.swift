import History

/// The workflow task of a run: at most one is pending.
///
/// none → scheduled → started (a lease) → completed | failed | timed out. Attempt 1 is recorded when it is scheduled;
/// later attempts are *transient*: they have predicted ids and are recorded only when one completes. A *speculative* task
/// exists for updates alone: it is an attempt 1 that is recorded when something comes of it.
struct WorkflowTaskMachine: Hashable, Sendable {
    /// A poller holds the task. It is recorded with the task's end, or when something must be buffered.
    struct Lease: Hashable, Sendable {
        var startedEventID: EventID
        var time: Timestamp
        /// The poller loses the task then.
        var deadline: Timestamp
        var identity: String
        var requestID: RequestID
        var suggestReasons: ContinueAsNewReasons
        var historySizeBytes: Int64
        var isRecorded: Bool
    }

    struct Pending: Hashable, Sendable {
        var scheduledEventID: EventID
        /// `false`: transient or speculative.
        var isRecorded: Bool
        var attempt: Int32
        var scheduledTime: Timestamp
        /// Kept over the tasks of a workflow task heartbeat.
        var originalScheduledTime: Timestamp
        /// Where it is offered now; a recorded sticky task may have moved to the normal queue.
        var queue: TaskQueue
        /// Was it scheduled on the sticky queue? A failure there does not count (the worker's cache may be at fault).
        var wasSticky: Bool
        var timeout: TimeSpan
        /// Only on the sticky queue.
        var scheduleToStartTimeout: TimeSpan?
        var lease: Lease?

        var isTransient: Bool { !isRecorded && attempt > 1 }
        var isSpeculative: Bool { !isRecorded && attempt == 1 }
    }

    var pending: Pending?
    /// Something happened that the workflow must see, and no task was scheduled since.
    var isOwed = false
    var wasEverScheduled = false
    var lastCompletedStartedEventID: EventID = .none
    /// Moves whenever the offer for pollers changes.
    var stamp: Int32 = 0

    var isStarted: Bool { pending?.lease != nil }

    /// Folds event 5.
    mutating func schedule(_ event: WorkflowTaskScheduled, id: EventID, time: Timestamp) throws(Corruption) {
        isOwed = false
        wasEverScheduled = true
        if let task = pending {
            guard !task.isRecorded, task.scheduledEventID == id else {
                throw Corruption("event \(id): workflow task \(task.scheduledEventID) is still pending")
            }
            pending?.isRecorded = true
            pending?.attempt = event.attempt
            pending?.scheduledTime = time
            return
        }
        stamp &+= 1
        pending = Pending(
            scheduledEventID: id, isRecorded: true, attempt: event.attempt, scheduledTime: time,
            originalScheduledTime: time,
            queue: event.taskQueue, wasSticky: event.taskQueue.kind == .sticky, timeout: event.startToCloseTimeout,
            scheduleToStartTimeout: event.taskQueue.kind == .sticky ? Self.stickyTimeoutDefault : nil)
    }

    /// How long a task waits for the sticky queue's worker when nobody remembers what that worker asked for.
    static let stickyTimeoutDefault = TimeSpan.seconds(10)

    /// Folds event 6.
    mutating func start(_ event: WorkflowTaskStarted, id: EventID, time: Timestamp) throws(Corruption) {
        guard let task = pending, task.isRecorded, task.scheduledEventID == event.scheduledEventID else {
            throw Corruption("event \(id): workflow task \(event.scheduledEventID) is not scheduled")
        }
        if let lease = task.lease {
            guard lease.startedEventID == id, !lease.isRecorded else {
                throw Corruption("event \(id): workflow task \(event.scheduledEventID) is already started")
            }
            pending?.lease?.isRecorded = true
            return
        }
        pending?.lease = Lease(
            startedEventID: id, time: time, deadline: time.advanced(by: task.timeout), identity: event.identity,
            requestID: event.requestID, suggestReasons: event.suggestReasons,
            historySizeBytes: event.historySizeBytes, isRecorded: true)
    }

    /// Folds event 7.
    mutating func complete(_ event: WorkflowTaskCompleted, id: EventID) throws(Corruption) {
        try checkEnd(scheduled: event.scheduledEventID, started: event.startedEventID, id: id)
        pending = nil
        isOwed = false
        lastCompletedStartedEventID = event.startedEventID
    }

    /// Folds event 9.
    mutating func fail(_ event: WorkflowTaskFailed, id: EventID, time: Timestamp, normal: TaskQueue) throws(Corruption)
    {
        try checkEnd(scheduled: event.scheduledEventID, started: event.startedEventID, id: id)
        let countsAgain =
            event.cause == .unhandledCommand || event.cause == .forceCloseCommand || event.cause == .resetWorkflow
        endAttempt(at: id, time: time, normal: normal, counts: !countsAgain)
    }

    /// Folds event 8.
    mutating func timeOut(_ event: WorkflowTaskTimedOut, id: EventID, time: Timestamp, normal: TaskQueue)
        throws(Corruption)
    {
        try checkEnd(scheduled: event.scheduledEventID, started: event.startedEventID, id: id)
        endAttempt(at: id, time: time, normal: normal, counts: event.timeoutType == .startToClose)
    }

    private func checkEnd(scheduled: EventID, started: EventID, id: EventID) throws(Corruption) {
        guard let task = pending, task.isRecorded, task.scheduledEventID == scheduled else {
            throw Corruption("event \(id): workflow task \(scheduled) is not pending")
        }
        guard (task.lease?.startedEventID ?? .none) == started, task.lease?.isRecorded != false else {
            throw Corruption("event \(id): workflow task \(scheduled) was not started by event \(started)")
        }
    }

    /// A recorded attempt ended badly: the next one is transient, or recorded anew when this one does not count.
    private mutating func endAttempt(at id: EventID, time: Timestamp, normal: TaskQueue, counts: Bool) {
        guard let task = pending, counts, !task.wasSticky else {
            pending = nil
            isOwed = true
            return
        }
        makeTransient(attempt: task.attempt + 1, after: id, time: time, normal: normal, task: task)
    }

    /// A transient attempt ended badly; nothing is recorded.
    mutating func retryTransient(at now: Timestamp, after last: EventID, normal: TaskQueue) {
        guard let task = pending, task.isTransient else { return }
        makeTransient(attempt: task.attempt + 1, after: last, time: now, normal: normal, task: task)
    }

    private mutating func makeTransient(
        attempt: Int32, after last: EventID, time: Timestamp, normal: TaskQueue, task: Pending
    ) {
        stamp &+= 1
        pending = Pending(
            scheduledEventID: last.next, isRecorded: false, attempt: attempt, scheduledTime: time,
            originalScheduledTime: time,
            queue: normal, wasSticky: false, timeout: task.timeout)
        isOwed = false
    }

    /// Something the workflow must see was recorded.
    mutating func owe() { isOwed = true }

    /// A task for updates, which nothing is owed.
    mutating func speculate(
        after last: EventID, at now: Timestamp, queue: TaskQueue, timeout: TimeSpan, scheduleToStart: TimeSpan?
    ) {
        stamp &+= 1
        pending = Pending(
            scheduledEventID: last.next, isRecorded: false, attempt: 1, scheduledTime: now, originalScheduledTime: now,
            queue: queue, wasSticky: queue.kind == .sticky, timeout: timeout, scheduleToStartTimeout: scheduleToStart)
    }

    /// A recorded event took the id that a transient task had predicted: the next task is recorded again, as attempt 1.
    mutating func dropTransient() {
        guard let task = pending, !task.isRecorded else { return }
        pending = nil
        isOwed = true
    }

    /// The lease in memory; nothing is recorded yet.
    mutating func lease(_ lease: Lease) { pending?.lease = lease }

    /// What waits for a poller is offered anew.
    mutating func offerAgain() {
        guard let task = pending, task.lease == nil else { return }
        stamp &+= 1
    }

    /// A scheduled task leaves the sticky queue.
    mutating func moveToNormalQueue(_ normal: TaskQueue) {
        guard let task = pending, task.lease == nil, task.queue.kind == .sticky else { return }
        pending?.queue = normal
        pending?.scheduleToStartTimeout = nil
        // The event will name the queue it has by then.
        if task.isSpeculative { pending?.wasSticky = false }
        stamp &+= 1
    }

    /// The events of this task that are not stored yet, with the ids they will have.
    var unrecorded: [Event] {
        guard let task = pending else { return [] }
        var events: [Event] = []
        if !task.isRecorded {
            let scheduled = WorkflowTaskScheduled(
                taskQueue: task.queue, startToCloseTimeout: task.timeout, attempt: task.attempt)
            events.append(
                Event(id: task.scheduledEventID, time: task.scheduledTime, kind: .workflowTaskScheduled(scheduled)))
        }
        if let lease = task.lease, !lease.isRecorded {
            let started = WorkflowTaskStarted(
                scheduledEventID: task.scheduledEventID, identity: lease.identity, requestID: lease.requestID,
                suggestContinueAsNew: !lease.suggestReasons.isEmpty, suggestReasons: lease.suggestReasons,
                historySizeBytes: lease.historySizeBytes)
            events.append(Event(id: lease.startedEventID, time: lease.time, kind: .workflowTaskStarted(started)))
        }
        return events
    }

    /// How long a poller may hold this attempt: later attempts get more and more time, which paces them.
    static func startToClose(_ task: Pending, limits: Limits, salt: @autoclosure () -> UInt64) -> TimeSpan {
        guard task.attempt > 3 else { return task.timeout }
        let doublings = Int64(min(task.attempt - 4, 20))
        let extra = min(limits.workflowTaskRetryBase.nanoseconds << doublings, limits.workflowTaskRetryMax.nanoseconds)
        let permille =
            800 + Int64((salt() &+ UInt64(UInt32(bitPattern: task.attempt)) &* 0x9E37_79B9_7F4A_7C15) >> 33) % 200
        return TimeSpan(nanoseconds: task.timeout.nanoseconds + extra / 1000 * permille)
    }
}
