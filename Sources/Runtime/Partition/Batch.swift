import Engine
import History

/// One run's part of a batch that still grows.
final class OpenWrite {
    let hot: HotRun
    var events: [StoredEvent] = []
    /// The same events as the engine made them, for the feed; in step with `events`.
    var kinds: [EventKind] = []
    var attempts: [ActivityAttempt] = []
    var effects: [Effect] = []
    var supersedes: RunID?
    var claim: RequestClaim?
    /// How many transitions it carries.
    var transitions = 0
    /// The newest message of the run that this write stores; known when it is sealed.
    var lastMessage: Int64 = 0
    /// The version this write makes; known when it is sealed.
    var version: Int64 = 0

    init(hot: HotRun) { self.hot = hot }

    /// UpsertWorkflowSearchAttributes is the only event that changes them after the start.
    var changesSearchAttributes: Bool { events.contains { $0.type == 40 } }
}

/// Transitions of a partition that go to the store together, of whatever lanes. Open until it is sealed; then its callers wait
/// for the store.
final class Batch {
    /// More runs than this start another batch.
    static let runsMax = 512
    /// More event bytes than this start another batch.
    static let bytesMax = 8 << 20

    private(set) var writes: [OpenWrite] = []
    private var indexOf: [ObjectIdentifier: Int] = [:]
    private var waiting: [(hot: HotRun?, continuation: CheckedContinuation<Void, any Error>)] = []
    private var outcome: Result<Void, StoreError>?
    var bytes = 0

    var transitions: Int { writes.reduce(0) { $0 + $1.transitions } }
    /// The lanes of its writes, each once.
    var lanes: [LaneState] {
        var seen: Set<ObjectIdentifier> = []
        return writes.map(\.hot.lane).filter { seen.insert(ObjectIdentifier($0)).inserted }
    }
    var isFull: Bool { writes.count >= Self.runsMax || bytes >= Self.bytesMax }

    func write(for hot: HotRun) -> OpenWrite {
        if let index = indexOf[ObjectIdentifier(hot)] { return writes[index] }
        let write = OpenWrite(hot: hot)
        indexOf[ObjectIdentifier(hot)] = writes.count
        writes.append(write)
        return write
    }

    /// Resumed when the batch is stored or has failed, or when the write of `hot` is withdrawn from it.
    func add(_ continuation: CheckedContinuation<Void, any Error>, of hot: HotRun?) {
        switch outcome {
        case nil: waiting.append((hot, continuation))
        case .success: continuation.resume()
        case .failure(let error): continuation.resume(throwing: error)
        }
    }

    /// It is stored.
    func succeed() {
        outcome = .success(())
        for waiter in takeWaiting() { waiter.continuation.resume() }
    }

    /// It is not stored; `reason` says why for each run that somebody waits for, `other` for everybody else.
    func fail(_ other: StoreError, _ reason: (HotRun) -> StoreError) {
        outcome = .failure(other)
        for waiter in takeWaiting() { waiter.continuation.resume(throwing: waiter.hot.map(reason) ?? other) }
    }

    /// Takes out the writes that cannot be stored any more and tells their callers. The batch must not be sealed yet.
    func withdraw(_ error: StoreError, where isHopeless: (OpenWrite) -> Bool) -> [OpenWrite] {
        let withdrawn = writes.filter(isHopeless)
        guard !withdrawn.isEmpty else { return [] }
        let gone = Set(withdrawn.map { ObjectIdentifier($0.hot) })
        writes.removeAll { gone.contains(ObjectIdentifier($0.hot)) }
        indexOf = [:]
        for (index, write) in writes.enumerated() { indexOf[ObjectIdentifier(write.hot)] = index }
        for waiter in takeWaiting() {
            if let hot = waiter.hot, gone.contains(ObjectIdentifier(hot)) {
                waiter.continuation.resume(throwing: error)
            } else {
                waiting.append(waiter)
            }
        }
        return withdrawn
    }

    private func takeWaiting() -> [(hot: HotRun?, continuation: CheckedContinuation<Void, any Error>)] {
        defer { waiting = [] }
        return waiting
    }
}

/// A lane that this node writes.
final class LaneState {
    let lane: Int16
    let epoch: Int64
    /// By the monotonic clock, on the safe side: after this moment somebody else may write the lane.
    var validUntil: Timestamp
    /// The last outbox sequence that is stored.
    var sequence: Int64
    /// A commit's outcome could not be found out: nothing is decided until the lease is renewed, which says how far it got.
    var isInDoubt = false
    var isLost = false

    init(lease: LaneLease, validUntil: Timestamp) {
        lane = lease.lane
        epoch = lease.epoch
        sequence = lease.lastOutboxSequence
        self.validUntil = validUntil
    }
}
