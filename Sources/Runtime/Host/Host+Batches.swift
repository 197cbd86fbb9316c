public import Engine
public import History
import Logging

extension Host {
    private func batchKeeper() throws(Rejection) -> BatchKeeper {
        guard let batches else { throw Rejection(.unimplemented, "this server keeps no batch operations") }
        return batches
    }

    /// Gives batch operations what they need of the rest of the server; until then none of them goes on.
    public func connectBatches(_ services: BatchServices) async { await batches?.use(services) }

    public func startBatch(_ request: StartBatchRequest) async throws { try await batchKeeper().start(request) }

    public func stopBatch(_ key: BatchKey, identity: String, reason: String) async throws {
        services.logger.notice(
            "batch operation stopped", metadata: ["job": "\(key)", "by": "\(identity)", "why": "\(reason)"])
        try await batchKeeper().stop(key)
    }

    public func describeBatch(_ key: BatchKey) async throws -> BatchOperation { try await batchKeeper().describe(key) }

    public func listBatches(
        namespace: NamespaceID, after: BatchListPosition?, limit: Int
    ) async throws -> [BatchOperation] {
        try await batchKeeper().list(namespace: namespace, after: after, limit: limit)
    }
}
