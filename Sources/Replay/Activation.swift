public import History

/// Something a workflow waits for: an activity, a timer, a child, an answer of another workflow. Numbered in the order in which the code asked.
public struct FutureID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: Int
    public init(_ value: Int) { self.value = value }
    public var description: String { "\(value)" }
    public static func < (left: FutureID, right: FutureID) -> Bool { left.value < right.value }
}

/// How an activity without a result ended.
public struct ActivityEnd: Hashable, Sendable {
    public var activityID: ActivityID
    public var activityType: String
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var identity: String
    public var retryState: RetryState?
    /// nil when it was cancelled.
    public var failure: Failure?
    /// What the activity said when it was cancelled.
    public var details: Blob?
}

/// What a future became.
public enum Resolution: Hashable, Sendable {
    case activityCompleted(result: Blob?)
    case activityFailed(ActivityEnd)
    case activityTimedOut(ActivityEnd)
    case activityCanceled(ActivityEnd)
    case timerFired
    case timerCanceled
    case childStarted(RunID)
    case childStartFailed(StartChildWorkflowFailed)
    case childEnded(ChildOutcome)
    case externalTold
    case externalFailed(ExternalFailedCause)
    /// The wish was taken back before it was sent.
    case externalCanceled
    case localActivity(LocalActivityMark)
}

/// An update that reaches the workflow.
public struct UpdateArrival: Hashable, Sendable {
    public var id: UpdateID
    /// The message that asked for it.
    public var messageID: String
    public var sequencingEventID: EventID
    /// An encoded `update.v1.Request`.
    public var request: Blob
    /// The history says that it was accepted: its validator does not run again.
    public var wasAccepted: Bool

    public init(id: UpdateID, messageID: String, sequencingEventID: EventID, request: Blob, wasAccepted: Bool) {
        self.id = id
        self.messageID = messageID
        self.sequencingEventID = sequencingEventID
        self.request = request
        self.wasAccepted = wasAccepted
    }

    /// The update that a message of a workflow task asks for; nil for any other message.
    public init?(_ message: ProtocolMessage) {
        guard case .request(let request) = message.body else { return nil }
        self.init(
            id: message.update, messageID: message.id, sequencingEventID: message.eventID, request: request,
            wasAccepted: false)
    }

    /// The updates that the answer to a workflow task accepted. (Those that event 47 brought arrived with it.)
    public static func accepted(in answer: ArraySlice<Event>) -> [UpdateArrival] {
        answer.compactMap { event in
            guard case .workflowExecutionUpdateAccepted(let accepted) = event.kind, let request = accepted.request
            else { return nil }
            return UpdateArrival(
                id: accepted.update, messageID: accepted.requestMessageID,
                sequencingEventID: accepted.sequencingEventID, request: request, wasAccepted: true)
        }
    }
}

/// One thing that a workflow learns.
public enum Job: Hashable, Sendable {
    case start(WorkflowExecutionStarted)
    case signal(WorkflowExecutionSignaled)
    case requestCancel(cause: String)
    case resolve(FutureID, Resolution)
    case update(UpdateArrival)
}

/// What a workflow learns in one workflow task, in the order of the history.
public struct Activation: Hashable, Sendable {
    public var jobs: [Job]
    /// The workflow's "now": the time at which the task was started.
    public var now: Timestamp
    /// False for the one task that nobody has completed yet.
    public var isReplaying: Bool
    /// The `WorkflowTaskStarted` event; also the length of the history.
    public var startedEventID: EventID
    public var historyBytes: Int64
    public var suggestContinueAsNew: Bool
    /// A new seed for the workflow's randomness, after a start or a reset.
    public var seed: RunID?
    /// The markers with which this task was answered when it ran first, in their order.
    public var answeredMarkers: [MarkerMeaning]
}
