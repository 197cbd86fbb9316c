public import History

/// A transition's events, waiting for the feed.
public struct OutboxEntry: Sendable, Hashable {
    public var lane: Int16
    public var sequence: Int64
    public var run: RunKey
    public var workflowType: String
    public var events: [StoredEvent]
    /// What `events` say, decoded: as many as there are events, or none, when they come from the store.
    public var kinds: [EventKind]

    public init(
        lane: Int16, sequence: Int64, run: RunKey, workflowType: String, events: [StoredEvent], kinds: [EventKind] = []
    ) {
        self.lane = lane
        self.sequence = sequence
        self.run = run
        self.workflowType = workflowType
        self.events = events
        self.kinds = kinds
    }
}

/// A business event a family wrote in its own transaction through `outbox.publish`.
public struct DomainEvent: Sendable, Hashable {
    /// UUIDv7; the message id on the feed.
    public var id: String
    /// Position in commit order, for the relay's mark.
    public var sequence: Int64
    public var namespace: String
    public var family: String
    public var type: String
    public var tenant: String
    public var source: String
    public var subject: String
    /// Gapless within (family, subject).
    public var subjectSequence: Int64
    public var operationID: String
    public var time: Timestamp
    /// JSON.
    public var data: [UInt8]
    public init(
        id: String, sequence: Int64, namespace: String, family: String, type: String, tenant: String, source: String,
        subject: String, subjectSequence: Int64, operationID: String, time: Timestamp, data: [UInt8]
    ) {
        self.id = id
        self.sequence = sequence
        self.namespace = namespace
        self.family = family
        self.type = type
        self.tenant = tenant
        self.source = source
        self.subject = subject
        self.subjectSequence = subjectSequence
        self.operationID = operationID
        self.time = time
        self.data = data
    }
}

/// How far a lane's events are known to be on the stream. Old marks are kept, so that a stream that lost its tail can be repaired.
public struct RelayMark: Sendable, Hashable {
    /// The lane; ``RelayMark/domainLane`` for business events.
    public var lane: Int16
    public var sequence: Int64
    /// Where the last message landed on the stream, and which stream that was.
    public var streamSequence: UInt64
    public var streamCreated: Int64
    public var messageID: String
    public static let domainLane: Int16 = -1
    public init(lane: Int16, sequence: Int64, streamSequence: UInt64, streamCreated: Int64, messageID: String) {
        self.lane = lane
        self.sequence = sequence
        self.streamSequence = streamSequence
        self.streamCreated = streamCreated
        self.messageID = messageID
    }
}

public protocol OutboxStore: Sendable {
    /// Entries of a lane after `sequence`, in order, with their events.
    func outboxEntries(lane: Int16, after sequence: Int64, limit: Int) async throws(StoreError) -> [OutboxEntry]
    /// Business events after `sequence` in commit order; only such that nothing earlier can still appear.
    func domainEvents(after sequence: Int64, limit: Int) async throws(StoreError) -> [DomainEvent]
    /// Yields whenever business events may have been committed.
    func domainEventSignals() -> AsyncStream<Void>
    func saveMarks(_ marks: [RelayMark]) async throws(StoreError)
    /// The newest mark of every lane.
    func latestMarks() async throws(StoreError) -> [RelayMark]
    /// The newest mark of every lane that lies at or before `streamSequence` of the stream created at `streamCreated`.
    func marks(atOrBefore streamSequence: UInt64, streamCreated: Int64) async throws(StoreError) -> [RelayMark]
}
