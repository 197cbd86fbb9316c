public import History

/// What one command changed, for the shell to store, to answer and to act on.
public struct Transition: Hashable, Sendable {
    /// To be appended to the history, in this order.
    public var events: [Event]
    /// Finished attempts of activities that leave no event (retries), for the journal.
    public var attempts: [ActivityAttempt]
    /// What to do in the outside world after the commit.
    public var effects: [Effect]
    public var reply: Reply
    /// A run that must begin in the same transaction (continue-as-new, retry, cron); it follows this one.
    public var successor: StartRun?
    /// `false`: only a lease in memory changed; answer at once, store nothing.
    public var isDurable: Bool

    public init(
        events: [Event] = [], attempts: [ActivityAttempt] = [], effects: [Effect] = [], reply: Reply = .done,
        successor: StartRun? = nil, isDurable: Bool = true
    ) {
        self.events = events
        self.attempts = attempts
        self.effects = effects
        self.reply = reply
        self.successor = successor
        self.isDurable = isDurable
    }
}

/// A wish of the core. All of them can be derived again from the state with ``Run/outstandingOffers``, so a crash loses none.
public enum Effect: Hashable, Sendable {
    case offerWorkflowTask(WorkflowTaskOffer)
    case offerActivityTask(ActivityTaskOffer)
    /// Tells those who wait for an update.
    case updateMoved(UpdateID, UpdateStanding)
    /// The run is closed: wake result waiters, drop its timers.
    case closed(WorkflowStatus)
}

extension Effect {
    /// Does it still mean something when the run has ended?
    var outlivesRun: Bool {
        switch self {
        case .updateMoved: true
        case .offerWorkflowTask, .offerActivityTask, .closed: false
        }
    }
}

/// A scheduled workflow task that waits for a poller.
public struct WorkflowTaskOffer: Hashable, Sendable {
    public var queue: TaskQueue
    public var scheduledEventID: EventID
    public var attempt: Int32
    public var stamp: Int32
    public var priority: Int32
    public init(queue: TaskQueue, scheduledEventID: EventID, attempt: Int32, stamp: Int32, priority: Int32) {
        self.queue = queue
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
        self.stamp = stamp
        self.priority = priority
    }
}

/// An attempt of an activity that waits for a poller.
public struct ActivityTaskOffer: Hashable, Sendable {
    public var queue: TaskQueueName
    public var scheduledEventID: EventID
    public var attempt: Int32
    public var stamp: Int32
    public var priority: Int32
    public init(queue: TaskQueueName, scheduledEventID: EventID, attempt: Int32, stamp: Int32, priority: Int32) {
        self.queue = queue
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
        self.stamp = stamp
        self.priority = priority
    }
}

/// The journal's row for an attempt of an activity that ended without an event in the history.
public struct ActivityAttempt: Hashable, Sendable {
    public enum Outcome: UInt8, Hashable, Sendable { case failed = 1, timedOut = 2, canceled = 3, completed = 4 }
    public var scheduledEventID: EventID
    public var activityID: ActivityID
    public var attempt: Int32
    public var scheduledAt: Timestamp
    public var startedAt: Timestamp?
    public var endedAt: Timestamp
    public var identity: String
    public var outcome: Outcome
    public var failure: Failure?
    /// When the next attempt is due.
    public var retryAt: Timestamp?

    public init(
        scheduledEventID: EventID, activityID: ActivityID, attempt: Int32, scheduledAt: Timestamp,
        startedAt: Timestamp?,
        endedAt: Timestamp, identity: String, outcome: Outcome, failure: Failure?, retryAt: Timestamp?
    ) {
        self.scheduledEventID = scheduledEventID
        self.activityID = activityID
        self.attempt = attempt
        self.scheduledAt = scheduledAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.identity = identity
        self.outcome = outcome
        self.failure = failure
        self.retryAt = retryAt
    }
}

/// The answer to the one who sent the command.
public enum Reply: Hashable, Sendable {
    case done
    /// The request was seen before; nothing changed.
    case duplicate
    case started(eagerTask: StartedWorkflowTask?)
    case workflowTask(StartedWorkflowTask)
    /// `resetHistory`: the task was forgotten; the worker goes back to the task that started with this event.
    case workflowTaskCompleted(
        newTask: StartedWorkflowTask?, eagerActivities: [StartedActivity], resetHistory: EventID?)
    case update(UpdateStanding)
    case activity(StartedActivity)
    case heartbeat(cancelRequested: Bool, paused: Bool, reset: Bool)
    /// What another run's message came to.
    case received(MessageOutcome)
    /// The options of the first activity that an operator meant.
    case activityOptions(ActivityTaskOptions?)
    /// The run's options after a change of them.
    case runOptions(RunOptions)
    /// The command was recorded as a failure (a bad command, UnhandledCommand): store the events, then answer with this error.
    case rejected(Rejection)
}

/// A workflow task that a poller now holds.
public struct StartedWorkflowTask: Hashable, Sendable {
    public var token: WorkflowTaskToken
    public var scheduledTime: Timestamp
    public var startedTime: Timestamp
    /// The last event a sticky worker knows: its history part starts at the next one. `.none` on the first task.
    public var previousStartedEventID: EventID
    /// Events with predicted ids that are not stored yet (Started; Scheduled too when transient); they end the task's history.
    public var unrecorded: [Event]
    /// The updates that it brings.
    public var messages: [ProtocolMessage]

    public init(
        token: WorkflowTaskToken, scheduledTime: Timestamp, startedTime: Timestamp, previousStartedEventID: EventID,
        unrecorded: [Event], messages: [ProtocolMessage] = []
    ) {
        self.token = token
        self.scheduledTime = scheduledTime
        self.startedTime = startedTime
        self.previousStartedEventID = previousStartedEventID
        self.unrecorded = unrecorded
        self.messages = messages
    }
}

/// An attempt of an activity that a poller now holds.
public struct StartedActivity: Hashable, Sendable {
    public var token: ActivityTaskToken
    /// As scheduled; a long input is kept in the run only while the activity is pending.
    public var scheduled: ActivityTaskScheduled
    public var scheduledTime: Timestamp
    public var currentAttemptScheduledTime: Timestamp
    public var startedTime: Timestamp
    public var heartbeatDetails: Blob?
    public var workflowType: String

    public init(
        token: ActivityTaskToken, scheduled: ActivityTaskScheduled, scheduledTime: Timestamp,
        currentAttemptScheduledTime: Timestamp, startedTime: Timestamp, heartbeatDetails: Blob?, workflowType: String
    ) {
        self.token = token
        self.scheduled = scheduled
        self.scheduledTime = scheduledTime
        self.currentAttemptScheduledTime = currentAttemptScheduledTime
        self.startedTime = startedTime
        self.heartbeatDetails = heartbeatDetails
        self.workflowType = workflowType
    }
}
