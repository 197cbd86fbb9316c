public import History
public import Runtime

extension MemoryStore {
    public func addSearchAttributes(
        _ attributes: [String: SearchAttributeType], to namespace: NamespaceID
    ) async throws(StoreError) {
        try reading { state throws(StoreError) in
            state.namespaces[namespace]?.searchAttributes.merge(attributes) { first, _ in first }
        }
    }

    public func removeSearchAttributes(_ names: [String], from namespace: NamespaceID) async throws(StoreError) {
        try reading { state throws(StoreError) in
            for name in names { state.namespaces[namespace]?.searchAttributes[name] = nil }
        }
    }

    public func removeEmptyNamespace(_ namespace: NamespaceID) async throws(StoreError) {
        try reading { state throws(StoreError) in
            let hasRuns = state.rows.values.contains { $0.summary.key.namespace == namespace }
            if state.namespaces[namespace]?.state == Namespace.deleted, !hasRuns { state.namespaces[namespace] = nil }
        }
    }

    public func runs(
        of namespace: NamespaceID, slots: ClosedRange<Int16>, closedBefore moment: Timestamp?, limit: Int
    ) async throws(StoreError) -> [RunKey] {
        try reading { state throws(StoreError) in
            let found = state.rows.values.filter { row in
                guard row.summary.key.namespace == namespace, slots.contains(row.slot) else { return false }
                guard let moment else { return true }
                return row.summary.closeTime.map { $0 <= moment } ?? false
            }
            return found.map(\.summary).sorted {
                ($0.closeTime ?? .distantFuture, $0.key.run) < ($1.closeTime ?? .distantFuture, $1.key.run)
            }
            .prefix(limit).map(\.key)
        }
    }

    public func removeDeletedRun(_ run: RunKey) async throws(StoreError) { _ = try await forgetRuns([run]) }

    public func forgetRuns(_ runs: [RunKey]) async throws(StoreError) -> Int {
        try reading { state throws(StoreError) in
            var count = 0
            for key in runs {
                guard let row = state.rows[key.run] else { continue }
                let isDeleted = state.namespaces[key.namespace]?.state == Namespace.deleted
                guard row.summary.closeTime != nil || isDeleted else { continue }
                state.rows[key.run] = nil
                let name = WorkflowName(namespace: key.namespace, workflow: key.workflow)
                if state.currents[name] == key.run { state.currents[name] = nil }
                count += 1
            }
            return count
        }
    }
}
