public import Engine
public import History

public struct StoredRun: Sendable {
    public var summary: RunSummary
    public var version: Int64
    public var isCurrent: Bool
    public var snapshot: [UInt8]
    /// Hash of the last event, to go on with the chain.
    public var lastHash: [UInt8]

    public init(summary: RunSummary, version: Int64, isCurrent: Bool, snapshot: [UInt8], lastHash: [UInt8]) {
        self.summary = summary
        self.version = version
        self.isCurrent = isCurrent
        self.snapshot = snapshot
        self.lastHash = lastHash
    }
}

public struct WakeEntry: Sendable, Hashable {
    public var key: RunKey
    public var slot: Int16
    public var wakeAt: Timestamp
    public init(key: RunKey, slot: Int16, wakeAt: Timestamp) {
        self.key = key
        self.slot = slot
        self.wakeAt = wakeAt
    }
}

/// Runs and their events. Implemented by `Store` on Postgres and by `EngineTestKit` in memory; one conformance suite for both.
public protocol RunStore: RetentionStore {
    /// Stores a batch in one transaction. Returning means it is durable.
    /// - Throws: ``StoreError``; only ``StoreError/outcomeUnknown(_:)`` leaves open whether it happened.
    func commit(_ batch: CommitBatch) async throws(StoreError)

    /// `run == nil` means the current run of the workflow id.
    func loadRun(namespace: NamespaceID, workflow: WorkflowID, run: RunID?) async throws(StoreError) -> StoredRun?

    /// Events `first ... last` in order (or newest first), at most `limit`.
    func readEvents(_ run: RunKey, from first: EventID, through last: EventID, limit: Int, newestFirst: Bool)
        async throws(StoreError)
        -> [StoredEvent]

    /// Attempts of activities that left no event, oldest first.
    func readAttempts(_ run: RunKey, limit: Int) async throws(StoreError) -> [ActivityAttempt]

    /// Runs of these slots whose `wake_at` is at most `until`, ordered by it, after `cursor`.
    func runsToWake(slots: ClosedRange<Int16>, until: Timestamp, after cursor: WakeEntry?, limit: Int)
        async throws(StoreError)
        -> [WakeEntry]

    /// Newest first: open runs, then by close time; keyset paging by the last summary of the page before.
    func listRuns(_ query: VisibilityQuery) async throws(StoreError) -> [RunSummary]
    func countRuns(_ query: VisibilityQuery) async throws(StoreError) -> Int64
    /// How many runs have each status, in the order of the statuses' numbers; those without runs are left out.
    func countRunsByStatus(_ query: VisibilityQuery) async throws(StoreError) -> [StatusCount]
}

/// What a list asks for: the common conditions, which the store serves with prepared statements, and any other as a filter.
public struct VisibilityQuery: Sendable, Hashable {
    public var namespace: NamespaceID
    public var workflowID: WorkflowID?
    public var workflowIDPrefix: String?
    public var workflowType: String?
    public var status: WorkflowStatus?
    public var filter: VisibilityFilter?
    public var after: RunSummary?
    public var limit: Int

    public init(
        namespace: NamespaceID, workflowID: WorkflowID? = nil, workflowIDPrefix: String? = nil,
        workflowType: String? = nil,
        status: WorkflowStatus? = nil, filter: VisibilityFilter? = nil, after: RunSummary? = nil, limit: Int
    ) {
        self.namespace = namespace
        self.workflowID = workflowID
        self.workflowIDPrefix = workflowIDPrefix
        self.workflowType = workflowType
        self.status = status
        self.filter = filter
        self.after = after
        self.limit = limit
    }
}

public struct StatusCount: Sendable, Hashable {
    public var status: WorkflowStatus
    public var count: Int64
    public init(status: WorkflowStatus, count: Int64) {
        self.status = status
        self.count = count
    }
}

/// A stored idempotency key.
public struct StoredRequest: Sendable, Hashable {
    public var claim: RequestClaim
    public var run: RunKey?
    /// The stored answer, once there is one: replayed byte for byte.
    public var answer: StoredAnswer?
    public init(claim: RequestClaim, run: RunKey?, answer: StoredAnswer?) {
        self.claim = claim
        self.run = run
        self.answer = answer
    }
}

public struct StoredAnswer: Sendable, Hashable {
    public var status: Int
    public var headers: [String]
    public var body: [UInt8]
    public init(status: Int, headers: [String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

public protocol RequestStore: Sendable {
    func request(scope: String, key: String) async throws(StoreError) -> StoredRequest?
    /// Keeps the answer of a claimed request; the first one stays.
    func saveAnswer(scope: String, key: String, answer: StoredAnswer) async throws(StoreError)
    /// The operation behind `/v1/operations/{id}`.
    func operation(id: String) async throws(StoreError) -> StoredRequest?
}
