public import Engine
public import History

extension Host: OperatorBackend {
    public func refreshedNamespace(_ id: NamespaceID) async throws -> Namespace { try await directory.fresh(id) }

    public func addSearchAttributes(
        _ attributes: [String: SearchAttributeType], to namespace: NamespaceID
    ) async throws {
        try await stores.namespaces.addSearchAttributes(attributes, to: namespace)
        _ = try await directory.all()
    }

    public func removeSearchAttributes(_ names: [String], from namespace: NamespaceID) async throws {
        try await stores.namespaces.removeSearchAttributes(names, from: namespace)
        _ = try await directory.all()
    }

    public func recordWorker(_ worker: WorkerRecord, in namespace: NamespaceID) async throws {
        workerDirectory.record(worker, in: namespace)
    }

    public func workers(in namespace: NamespaceID) async throws -> [WorkerRecord] { workerDirectory.all(in: namespace) }

    public func operate(
        on activities: ActivitySelection, of target: RunTarget, _ operation: ActivityOperation, identity: String
    ) async throws -> ActivityTaskOptions? {
        let command = OperateActivities(selection: activities, operation: operation, identity: identity)
        return try await partition(target).operate(target, command)
    }

    public func updateOptions(
        of target: RunTarget, _ change: RunOptionsChange, identity: String
    ) async throws -> RunOptions {
        try await partition(target).updateOptions(target, UpdateRunOptions(change: change, identity: identity))
    }
}
