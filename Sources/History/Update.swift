/// A message that travels beside commands in a workflow task (`temporal.api.protocol.v1.Message`); all of them are about
/// updates (protocol.md 2.8).
public struct ProtocolMessage: Hashable, Sendable {
    public enum Body: Hashable, Sendable {
        /// To the worker: please do this; an encoded `update.v1.Request`.
        case request(Blob)
        /// From the worker: begun. `request` repeats what was asked for, an encoded `update.v1.Request`.
        case acceptance(requestMessageID: String, sequencingEventID: EventID, request: Blob?)
        /// From the worker: the validator said no. An encoded `Failure`.
        case rejection(failure: Blob?, request: Blob?)
        /// From the worker: ended. `outcome` is an encoded `update.v1.Outcome`.
        case response(identity: String, outcome: Blob?)
        /// Nothing that this program knows.
        case unknown(type: String)
    }
    public var id: String
    /// Which update it is about.
    public var update: UpdateID
    /// A request counts after this event and before the next one.
    public var eventID: EventID
    public var body: Body

    public init(id: String, update: UpdateID, eventID: EventID = .none, body: Body) {
        self.id = id
        self.update = update
        self.eventID = eventID
        self.body = body
    }

    /// The id of the message that asks a worker for an update.
    public static func requestID(of update: UpdateID) -> String { "\(update)/request" }
}

/// Event 47: a reset carried an update over to the new run, whose worker shall see it.
public struct WorkflowExecutionUpdateAdmitted: Hashable, Sendable {
    public var update: UpdateID
    /// An encoded `update.v1.Request`.
    public var request: Blob
    /// `UpdateAdmittedEventOrigin`; 1 is "reapplied".
    public var origin: Int32

    public init(update: UpdateID, request: Blob, origin: Int32 = 1) {
        self.update = update
        self.request = request
        self.origin = origin
    }
}

/// Event 41: the workflow's handler of an update has begun.
public struct WorkflowExecutionUpdateAccepted: Hashable, Sendable {
    public var update: UpdateID
    public var requestMessageID: String
    /// The update was handled after this event.
    public var sequencingEventID: EventID
    /// An encoded `update.v1.Request`; nil where event 47 holds it.
    public var request: Blob?

    public init(update: UpdateID, requestMessageID: String, sequencingEventID: EventID, request: Blob?) {
        self.update = update
        self.requestMessageID = requestMessageID
        self.sequencingEventID = sequencingEventID
        self.request = request
    }
}

/// Event 43: the workflow's handler of an update has ended.
public struct WorkflowExecutionUpdateCompleted: Hashable, Sendable {
    public var update: UpdateID
    public var identity: String
    public var acceptedEventID: EventID
    /// An encoded `update.v1.Outcome`: a result, or a failure.
    public var outcome: Blob

    public init(update: UpdateID, identity: String = "", acceptedEventID: EventID, outcome: Blob) {
        self.update = update
        self.identity = identity
        self.acceptedEventID = acceptedEventID
        self.outcome = outcome
    }
}
