import History
import Logging

/// Removes what its namespace keeps no longer.
extension Host {
    /// Runs removed in one transaction.
    static let forgottenAtOnceMax = 200

    /// Looks through this node's lanes again and again, until it is cancelled.
    func runRetention() async {
        while !Task.isCancelled {
            await clock.sleep(until: clock.now().advanced(by: configuration.retentionInterval))
            guard !Task.isCancelled else { return }
            do {
                try await removeExpiredRuns()
            } catch {
                services.logger.warning("retention not enforced", metadata: ["why": "\(error)"])
            }
        }
    }

    /// One look through all namespaces. Returns how many runs were removed.
    @discardableResult
    func removeExpiredRuns() async throws -> Int {
        var removed = 0
        for namespace in try await directory.all() {
            let isDeleted = namespace.state == Namespace.deleted
            guard isDeleted || namespace.retention.isPositive else { continue }
            let moment =
                isDeleted ? nil : clock.now().advanced(by: TimeSpan(nanoseconds: -namespace.retention.nanoseconds))
            for partition in partitions {
                for slots in await partition.ownedSlots {
                    removed += try await removeRuns(of: namespace.id, slots, closedBefore: moment, partition)
                }
            }
            if isDeleted { try await stores.namespaces.removeEmptyNamespace(namespace.id) }
        }
        return removed
    }

    private func removeRuns(
        of namespace: NamespaceID, _ slots: ClosedRange<Int16>, closedBefore moment: Timestamp?, _ partition: Partition
    ) async throws -> Int {
        var removed = 0
        while !Task.isCancelled {
            let runs = try await stores.runs.runs(
                of: namespace, slots: slots, closedBefore: moment, limit: Self.forgottenAtOnceMax)
            guard !runs.isEmpty else { return removed }
            let count = try await stores.runs.forgetRuns(runs)
            await partition.dropForgotten(runs)
            removed += count
            // What cannot be removed would come again for ever.
            if count == 0 || runs.count < Self.forgottenAtOnceMax { return removed }
        }
        return removed
    }
}
