public import Engine
public import History

/// An event as it is stored: encoded once, hashed once, served as it is.
public struct StoredEvent: Hashable, Sendable {
    public var id: EventID
    public var type: Int32
    public var time: Timestamp
    /// Who caused it (identity or authenticated principal); not part of the encoded event.
    public var actor: String
    /// The encoded `temporal.api.history.v1.HistoryEvent`.
    public var body: [UInt8]
    /// `h(n)` of the run's hash chain.
    public var hash: [UInt8]

    public init(id: EventID, type: Int32, time: Timestamp, actor: String, body: [UInt8], hash: [UInt8]) {
        self.id = id
        self.type = type
        self.time = time
        self.actor = actor
        self.body = body
        self.hash = hash
    }
}

/// The columns of a run's row that lists and look-ups read.
public struct RunSummary: Hashable, Sendable {
    public var key: RunKey
    public var firstRunID: RunID
    public var workflowType: String
    public var taskQueue: TaskQueueName
    public var status: WorkflowStatus
    public var startTime: Timestamp
    public var executionTime: Timestamp
    public var closeTime: Timestamp?
    public var historyLength: Int64
    public var historySizeBytes: Int64
    /// The request id of the start, for recognising its repetition.
    public var startRequestID: RequestID
    public var memo: Blob?
    public var searchAttributes: Blob?
    /// Who started a child.
    public var parent: WorkflowReference?
    /// The run above all parents of a child; nil when it is this one.
    public var root: WorkflowReference?
    /// How often it was written; the store counts.
    public var transitionCount: Int64

    public init(
        key: RunKey, firstRunID: RunID, workflowType: String, taskQueue: TaskQueueName, status: WorkflowStatus,
        startTime: Timestamp, executionTime: Timestamp, closeTime: Timestamp?, historyLength: Int64,
        historySizeBytes: Int64,
        startRequestID: RequestID, memo: Blob?, searchAttributes: Blob?, parent: WorkflowReference? = nil,
        root: WorkflowReference? = nil, transitionCount: Int64 = 1
    ) {
        self.key = key
        self.firstRunID = firstRunID
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.status = status
        self.startTime = startTime
        self.executionTime = executionTime
        self.closeTime = closeTime
        self.historyLength = historyLength
        self.historySizeBytes = historySizeBytes
        self.startRequestID = startRequestID
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.parent = parent
        self.root = root
        self.transitionCount = transitionCount
    }
}

/// Claims an idempotency key in the transaction of the start that it guards, and names the operation it made.
public struct RequestClaim: Hashable, Sendable {
    /// Who may repeat it: principal, method and path template, joined by the gateway.
    public var scope: String
    public var key: String
    /// SHA-256 of method, path and canonical body.
    public var fingerprint: [UInt8]
    public var operationID: String
    public var operationKind: String
    public var createdAt: Timestamp
    public var expiresAt: Timestamp

    public init(
        scope: String, key: String, fingerprint: [UInt8], operationID: String, operationKind: String,
        createdAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.scope = scope
        self.key = key
        self.fingerprint = fingerprint
        self.operationID = operationID
        self.operationKind = operationKind
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// One run's part of a commit.
public struct RunWrite: Sendable {
    public var slot: Int16
    /// The lane of the slot: one of those whose leases the batch names.
    public var lane: Int16
    /// `nil`: the run is new. Otherwise the version it must still have; it becomes one more.
    public var expectedVersion: Int64?
    public var summary: RunSummary
    public var snapshot: [UInt8]
    /// ``Run/wakeHint``: zero = load me after a crash; a moment = my next deadline; nil = nothing will happen by itself.
    public var wakeAt: Timestamp?
    public var events: [StoredEvent]
    public var attempts: [ActivityAttempt]
    /// The run that was current for this workflow id until this commit (a new run takes over from it).
    public var supersedes: RunID?
    /// The position of this write's events in the outbox lane; nil when there are none.
    public var outboxSequence: Int64?
    public var claim: RequestClaim?
    /// The status it is counted under until this commit; nil for a new run.
    public var previousStatus: WorkflowStatus?
    /// What the run is found by from now on; nil leaves that as it is.
    public var searchValues: [SearchValue]?

    public init(
        slot: Int16, lane: Int16, expectedVersion: Int64?, summary: RunSummary, snapshot: [UInt8], wakeAt: Timestamp?,
        events: [StoredEvent], attempts: [ActivityAttempt] = [], supersedes: RunID? = nil, outboxSequence: Int64? = nil,
        claim: RequestClaim? = nil, previousStatus: WorkflowStatus? = nil, searchValues: [SearchValue]? = nil
    ) {
        self.slot = slot
        self.lane = lane
        self.expectedVersion = expectedVersion
        self.summary = summary
        self.snapshot = snapshot
        self.wakeAt = wakeAt
        self.events = events
        self.attempts = attempts
        self.supersedes = supersedes
        self.outboxSequence = outboxSequence
        self.claim = claim
        self.previousStatus = previousStatus
        self.searchValues = searchValues
    }
}

/// The lease that a lane is written under.
public struct LaneEpoch: Hashable, Sendable {
    public var lane: Int16
    /// The store refuses the batch when the epoch has moved on.
    public var epoch: Int64

    public init(lane: Int16, epoch: Int64) {
        self.lane = lane
        self.epoch = epoch
    }
}

/// Many runs' transitions, stored together or not at all. A run appears at most once.
public struct CommitBatch: Sendable {
    /// Every lane that a write belongs to, once, in order of the lanes.
    public var lanes: [LaneEpoch]
    public var writes: [RunWrite]

    public init(lanes: [LaneEpoch], writes: [RunWrite]) {
        self.lanes = lanes
        self.writes = writes
    }
}
