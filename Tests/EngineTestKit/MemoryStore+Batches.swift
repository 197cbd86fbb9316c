public import Engine
public import History
public import Runtime
import Synchronization

extension MemoryStore {
    struct BatchRow {
        var version: Int64
        var snapshot: [UInt8]
        var isOpen: Bool
        var startTime: Timestamp
        var targets: [BatchTarget]
    }
}

extension MemoryStore: BatchStore {
    public func commitBatch(_ write: BatchWrite) async throws(StoreError) {
        let now = clock.now()
        try reading { state throws(StoreError) in
            guard let lane = state.lanes[write.lane.lane], lane.owner != nil, lane.epoch == write.lane.epoch,
                now < lane.expiresAt
            else { throw .notOwner(slots: [write.key.slot]) }
            let row = state.batches[write.key]
            if let expected = write.expectedVersion {
                guard row?.version == expected else { throw .conflict([]) }
            } else {
                let isTaken = state.batches.contains { $0.key.namespace == write.key.namespace && $0.value.isOpen }
                guard row == nil, !isTaken else { throw .alreadyExists([]) }
            }
            var targets = row?.targets ?? []
            for target in write.newTargets
            where !targets.contains(where: { $0.workflow == target.workflow && $0.run == target.run }) {
                targets.append(target)
            }
            let isOpen = write.operation.isOpen
            state.batches[write.key] = BatchRow(
                version: (write.expectedVersion ?? 0) + 1, snapshot: write.operation.snapshot(), isOpen: isOpen,
                startTime: write.operation.startTime, targets: isOpen ? targets : [])
        }
    }

    public func loadBatch(_ key: BatchKey) async throws(StoreError) -> StoredBatch? {
        try reading { state throws(StoreError) in state.batches[key].map { Self.stored(key, $0) } }
    }

    private static func stored(_ key: BatchKey, _ row: BatchRow) -> StoredBatch {
        StoredBatch(key: key, version: row.version, snapshot: row.snapshot)
    }

    public func openBatches(slots: ClosedRange<Int16>) async throws(StoreError) -> [StoredBatch] {
        try reading { state throws(StoreError) in
            state.batches.filter { $0.value.isOpen && slots.contains($0.key.slot) }.map {
                Self.stored($0.key, $0.value)
            }
        }
    }

    public func batchTargets(
        _ key: BatchKey, after ordinal: Int64, limit: Int
    ) async throws(StoreError) -> [BatchTarget] {
        try reading { state throws(StoreError) in
            Array((state.batches[key]?.targets ?? []).filter { $0.ordinal > ordinal }.prefix(limit))
        }
    }

    public func countBatchTargets(_ key: BatchKey) async throws(StoreError) -> Int64 {
        try reading { state throws(StoreError) in Int64(state.batches[key]?.targets.count ?? 0) }
    }

    public func listBatches(
        namespace: NamespaceID, after: BatchListPosition?, limit: Int
    ) async throws(StoreError) -> [StoredBatch] {
        func place(_ position: BatchListPosition) -> (Int64, String) {
            (-position.startTime.nanoseconds, position.id.value)
        }
        return try reading { state throws(StoreError) in
            let found = state.batches.filter { $0.key.namespace == namespace }
                .map { (BatchListPosition(startTime: $0.value.startTime, id: $0.key.id), $0) }
                .sorted { place($0.0) < place($1.0) }
                .filter { row in after.map { place($0) < place(row.0) } ?? true }
            return found.prefix(limit).map { Self.stored($0.1.key, $0.1.value) }
        }
    }
}
