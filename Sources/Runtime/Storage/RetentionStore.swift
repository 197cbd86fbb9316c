public import History

/// Taking runs out of the store for good: the end of their retention, or of their namespace.
public protocol RetentionStore: Sendable {
    /// Runs of the namespace that lie in `slots` and closed before `moment`, the oldest first; nil asks for every run, open or
    /// closed.
    func runs(of namespace: NamespaceID, slots: ClosedRange<Int16>, closedBefore moment: Timestamp?, limit: Int)
        async throws(StoreError) -> [RunKey]

    /// Removes closed runs, and all runs of deleted namespaces, with their histories. Others among them stay.
    ///
    /// - Returns: how many were removed.
    func forgetRuns(_ runs: [RunKey]) async throws(StoreError) -> Int

    /// Removes a closed run with its history, although its row says that it must be loaded after a crash.
    func removeDeletedRun(_ run: RunKey) async throws(StoreError)
}
