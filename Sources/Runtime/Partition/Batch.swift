import Engine
import History

/// One run's part of a batch that still grows.
final class OpenWrite {
    let hot: HotRun
    var events: [StoredEvent] = []
    var attempts: [ActivityAttempt] = []
    var effects: [Effect] = []
    var supersedes: RunID?
    var claim: RequestClaim?
    /// The version this write makes; known when it is sealed.
    var version: Int64 = 0

    init(hot: HotRun) { self.hot = hot }
}

/// Transitions that go to the store together. Open until it is sealed; then its callers wait for the store.
final class Batch {
    /// More runs than this start another batch.
    static let runsMax = 512
    /// More event bytes than this start another batch.
    static let bytesMax = 8 << 20

    private(set) var writes: [OpenWrite] = []
    private var indexOf: [ObjectIdentifier: Int] = [:]
    private var waiting: [CheckedContinuation<Void, any Error>] = []
    private var outcome: Result<Void, StoreError>?
    var bytes = 0
    var transitions = 0

    var isFull: Bool { writes.count >= Self.runsMax || bytes >= Self.bytesMax }

    func write(for hot: HotRun) -> OpenWrite {
        if let index = indexOf[ObjectIdentifier(hot)] { return writes[index] }
        let write = OpenWrite(hot: hot)
        indexOf[ObjectIdentifier(hot)] = writes.count
        writes.append(write)
        return write
    }

    /// Resumed when the batch is stored or has failed.
    func add(_ continuation: CheckedContinuation<Void, any Error>) {
        switch outcome {
        case nil: waiting.append(continuation)
        case .success: continuation.resume()
        case .failure(let error): continuation.resume(throwing: error)
        }
    }

    func finish(_ outcome: Result<Void, StoreError>) {
        self.outcome = outcome
        let waiting = waiting
        self.waiting = []
        for continuation in waiting {
            switch outcome {
            case .success: continuation.resume()
            case .failure(let error): continuation.resume(throwing: error)
            }
        }
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
    /// Batches that wait, the oldest first; the last one grows.
    var queue = Fifo<Batch>()
    var last: Batch?
    var sealed: Batch?
    var isReady = false

    /// Everything that is not stored yet.
    var pending: [Batch] { (sealed.map { [$0] } ?? []) + queue.all }

    init(lease: LaneLease, validUntil: Timestamp) {
        lane = lease.lane
        epoch = lease.epoch
        sequence = lease.lastOutboxSequence
        self.validUntil = validUntil
    }
}
