public import Engine
public import History

/// What operators ask for: search attributes, namespaces that go, workers, activities taken by the hand.
public protocol OperatorBackend: Sendable {
    /// The namespace as it is stored now, past what this node remembers.
    func refreshedNamespace(_ id: NamespaceID) async throws -> Namespace
    /// Defines search attributes; those that exist stay as they are.
    func addSearchAttributes(_ attributes: [String: SearchAttributeType], to namespace: NamespaceID) async throws
    func removeSearchAttributes(_ names: [String], from namespace: NamespaceID) async throws

    /// Keeps what a worker says of itself.
    func recordWorker(_ worker: WorkerRecord, in namespace: NamespaceID) async throws
    /// The workers that gave a sign of life lately, by their keys.
    func workers(in namespace: NamespaceID) async throws -> [WorkerRecord]

    /// Pauses, unpauses, resets or changes pending activities of a run.
    ///
    /// - Returns: the options of the first of them, as they are now.
    func operate(
        on activities: ActivitySelection, of target: RunTarget, _ operation: ActivityOperation, identity: String
    )
        async throws -> ActivityTaskOptions?

    /// Changes options of an open run.
    ///
    /// - Returns: all of them, as they are now.
    func updateOptions(of target: RunTarget, _ change: RunOptionsChange, identity: String) async throws -> RunOptions
}

/// A worker's newest heartbeat.
public struct WorkerRecord: Hashable, Sendable {
    public var instanceKey: String
    /// The encoded `temporal.api.worker.v1.WorkerHeartbeat`.
    public var heartbeat: Blob
    public var receivedAt: Timestamp
    public init(instanceKey: String, heartbeat: Blob, receivedAt: Timestamp) {
        self.instanceKey = instanceKey
        self.heartbeat = heartbeat
        self.receivedAt = receivedAt
    }
}
