public import Engine
public import History

/// Which batch operation is meant.
public struct BatchKey: Hashable, Sendable, CustomStringConvertible {
    public var namespace: NamespaceID
    public var id: BatchJobID
    public init(namespace: NamespaceID, id: BatchJobID) {
        self.namespace = namespace
        self.id = id
    }

    public var description: String { id.value }

    /// A batch operation lives in a slot like a run does.
    public var slot: Int16 { Slots.slot(namespace: namespace, workflow: WorkflowID("temporal-sys-batcher:\(id)")) }
}

public struct StoredBatch: Sendable {
    public var key: BatchKey
    public var version: Int64
    public var snapshot: [UInt8]
    public init(key: BatchKey, version: Int64, snapshot: [UInt8]) {
        self.key = key
        self.version = version
        self.snapshot = snapshot
    }
}

/// A change of a batch operation, written under its lane's lease.
public struct BatchWrite: Sendable {
    public var lane: LaneEpoch
    public var key: BatchKey
    /// nil: it is new. Otherwise the version it must still have; it becomes one more.
    public var expectedVersion: Int64?
    public var operation: BatchOperation
    public var newTargets: [BatchTarget]

    public init(
        lane: LaneEpoch, key: BatchKey, expectedVersion: Int64?, operation: BatchOperation,
        newTargets: [BatchTarget] = []
    ) {
        self.lane = lane
        self.key = key
        self.expectedVersion = expectedVersion
        self.operation = operation
        self.newTargets = newTargets
    }
}

/// Batch operations and the runs that the open ones go through.
public protocol BatchStore: Sendable {
    /// Stores the operation and the new targets together; those that it has already are passed over. Closed, it loses all.
    ///
    /// - Throws: as ``ScheduleStore/commitSchedules(_:)``; ``StoreError/alreadyExists(_:)`` also when another operation of the
    ///   namespace is open.
    func commitBatch(_ write: BatchWrite) async throws(StoreError)
    func loadBatch(_ key: BatchKey) async throws(StoreError) -> StoredBatch?
    /// The open operations of these slots.
    func openBatches(slots: ClosedRange<Int16>) async throws(StoreError) -> [StoredBatch]
    func batchTargets(_ key: BatchKey, after ordinal: Int64, limit: Int) async throws(StoreError) -> [BatchTarget]
    func countBatchTargets(_ key: BatchKey) async throws(StoreError) -> Int64
    /// Newest first.
    func listBatches(namespace: NamespaceID, after: BatchListPosition?, limit: Int) async throws(StoreError)
        -> [StoredBatch]
}

/// The place of an operation in a list.
public struct BatchListPosition: Sendable, Hashable {
    public var startTime: Timestamp
    public var id: BatchJobID
    public init(startTime: Timestamp, id: BatchJobID) {
        self.startTime = startTime
        self.id = id
    }
}

public struct StartBatchRequest: Sendable {
    public var key: BatchKey
    public var action: BatchAction
    public var reason: String
    /// Empty when the runs are named.
    public var query: String
    public var executions: [(workflow: WorkflowID, run: RunID?)]
    public var operationsPerSecond: Double

    public init(
        key: BatchKey, action: BatchAction, reason: String, query: String,
        executions: [(workflow: WorkflowID, run: RunID?)], operationsPerSecond: Double
    ) {
        self.key = key
        self.action = action
        self.reason = reason
        self.query = query
        self.executions = executions
        self.operationsPerSecond = operationsPerSecond
    }
}

/// The part of ``Backend`` that is about batch operations.
public protocol BatchBackend: Sendable {
    func startBatch(_ request: StartBatchRequest) async throws
    func stopBatch(_ key: BatchKey, identity: String, reason: String) async throws
    func describeBatch(_ key: BatchKey) async throws -> BatchOperation
    func listBatches(namespace: NamespaceID, after: BatchListPosition?, limit: Int) async throws -> [BatchOperation]
}
