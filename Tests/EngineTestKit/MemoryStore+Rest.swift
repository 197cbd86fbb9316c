import History
public import Runtime
import Synchronization

extension MemoryStore: LeaseStore {
    public func acquireLanes(node: String, address: String, limit: Int, seconds: Int) async throws(StoreError)
        -> [LaneLease]
    {
        let now = clock.now()
        return try reading { state throws(StoreError) in
            var leases: [LaneLease] = []
            for number in state.lanes.keys.sorted() where leases.count < limit {
                guard var lane = state.lanes[number], lane.owner == nil || lane.expiresAt <= now else { continue }
                lane.owner = node
                lane.epoch += 1
                lane.expiresAt = now.advanced(by: .seconds(Int64(seconds)))
                state.lanes[number] = lane
                leases.append(Self.lease(number, lane))
            }
            return leases
        }
    }

    public func renewLanes(node: String, seconds: Int) async throws(StoreError) -> [LaneLease] {
        let now = clock.now()
        return try reading { state throws(StoreError) in
            var leases: [LaneLease] = []
            for number in state.lanes.keys.sorted() {
                guard var lane = state.lanes[number], lane.owner == node else { continue }
                lane.expiresAt = now.advanced(by: .seconds(Int64(seconds)))
                state.lanes[number] = lane
                leases.append(Self.lease(number, lane))
            }
            return leases
        }
    }

    public func releaseLanes(node: String) async throws(StoreError) {
        try reading { state throws(StoreError) in
            for (number, lane) in state.lanes where lane.owner == node {
                state.lanes[number]?.owner = nil
                state.lanes[number]?.epoch += 1
            }
        }
    }

    public func laneOwners() async throws(StoreError) -> [Int16: String] {
        let now = clock.now()
        return try reading { state throws(StoreError) in
            state.lanes.compactMapValues { $0.expiresAt > now ? $0.owner : nil }
        }
    }

    public func laneAddresses() async throws(StoreError) -> [Int16: String] { try await laneOwners() }

    /// Takes every lane away from its owner, as if its lease had run out.
    public func expireLeases() {
        state.withLock { state in
            for number in state.lanes.keys { state.lanes[number]?.expiresAt = .zero }
        }
    }

    /// Gives lanes to a node that comes later.
    public func reserve(lanes: [Int16], for node: String) {
        state.withLock { state in
            for number in lanes {
                state.lanes[number]?.owner = node
                state.lanes[number]?.expiresAt = .distantFuture
            }
        }
    }

    private static func lease(_ number: Int16, _ lane: Lane) -> LaneLease {
        LaneLease(lane: number, epoch: lane.epoch, expiresAt: lane.expiresAt, lastOutboxSequence: lane.lastSequence)
    }
}

extension MemoryStore: RequestStore {
    public func request(scope: String, key: String) async throws(StoreError) -> StoredRequest? {
        try reading { state throws(StoreError) in state.requests["\(scope)\n\(key)"] }
    }

    public func saveAnswer(scope: String, key: String, answer: StoredAnswer) async throws(StoreError) {
        try reading { state throws(StoreError) in
            guard let request = state.requests["\(scope)\n\(key)"], request.answer == nil else { return }
            state.requests["\(scope)\n\(key)"]?.answer = answer
        }
    }

    public func operation(id: String) async throws(StoreError) -> StoredRequest? {
        try reading { state throws(StoreError) in state.requests.values.first { $0.claim.operationID == id } }
    }
}

extension MemoryStore: NamespaceStore {
    public func insertNamespace(_ namespace: Namespace) async throws(StoreError) {
        try reading { state throws(StoreError) in
            guard !state.namespaces.values.contains(where: { $0.name == namespace.name }) else {
                throw .alreadyExists([])
            }
            state.namespaces[namespace.id] = namespace
        }
    }

    public func updateNamespace(_ namespace: Namespace) async throws(StoreError) {
        try reading { state throws(StoreError) in state.namespaces[namespace.id] = namespace }
    }

    public func namespaces() async throws(StoreError) -> [Namespace] {
        try reading { state throws(StoreError) in state.namespaces.values.sorted { $0.name < $1.name } }
    }
}

extension MemoryStore: OutboxStore {
    public func outboxEntries(lane: Int16, after sequence: Int64, limit: Int) async throws(StoreError) -> [OutboxEntry]
    {
        try reading { state throws(StoreError) in
            Array((state.outbox[lane] ?? []).filter { $0.sequence > sequence }.prefix(limit))
        }
    }

    public func domainEvents(after sequence: Int64, limit: Int) async throws(StoreError) -> [DomainEvent] {
        try reading { state throws(StoreError) in Array(state.domain.filter { $0.sequence > sequence }.prefix(limit)) }
    }

    public func domainEventSignals() -> AsyncStream<Void> { AsyncStream { _ in } }

    public func saveMarks(_ marks: [RelayMark]) async throws(StoreError) {
        try reading { state throws(StoreError) in state.marks += marks }
    }

    public func latestMarks() async throws(StoreError) -> [RelayMark] {
        try reading { state throws(StoreError) in Self.newest(state.marks) }
    }

    public func marks(atOrBefore streamSequence: UInt64, streamCreated: Int64) async throws(StoreError) -> [RelayMark] {
        try reading { state throws(StoreError) in
            Self.newest(state.marks.filter { $0.streamSequence <= streamSequence && $0.streamCreated == streamCreated })
        }
    }

    private static func newest(_ marks: [RelayMark]) -> [RelayMark] {
        Dictionary(marks.map { ($0.lane, $0) }, uniquingKeysWith: { $0.sequence > $1.sequence ? $0 : $1 })
            .values.sorted { $0.lane < $1.lane }
    }
}
