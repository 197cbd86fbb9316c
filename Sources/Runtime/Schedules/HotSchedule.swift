import Engine
import History

/// A schedule in memory. Confined to its keeper.
final class HotSchedule {
    let key: ScheduleKey
    let slot: Int16
    let lane: Int16
    let epoch: Int64
    /// The newest state, which may be ahead of what is stored.
    var schedule: Schedule
    var times: ScheduleTimes
    /// The version of the stored row; nil while it is new.
    var version: Int64?
    var isDeleted = false
    /// Waits for the next batch.
    var isDirty = false
    /// Is on its way to the store.
    var isSealed = false
    /// What is on its way to the store is the end of its row.
    var isSealedAsDeleted = false
    /// Thrown out of memory: holders must load it again.
    var isDropped = false
    var waiting: [CheckedContinuation<Void, any Error>] = []
    var sealedWaiting: [CheckedContinuation<Void, any Error>] = []
    /// Wishes that are being fulfilled.
    var starts: Set<RequestID> = []
    var stops: Set<RunID> = []
    /// Starts that an earlier owner may have made already.
    var doubtful: Set<RequestID> = []
    /// The moment it is in the heap for.
    var armedFor: Timestamp?

    init(
        key: ScheduleKey, lane: Int16, epoch: Int64, schedule: Schedule, times: ScheduleTimes, version: Int64?
    ) {
        self.key = key
        slot = key.slot
        self.lane = lane
        self.epoch = epoch
        self.schedule = schedule
        self.times = times
        self.version = version
        doubtful = Set(schedule.starting.map(\.requestID))
    }

    var isSettled: Bool { !isDirty && !isSealed }
}

/// Moments by time, the earliest first; what a moment is for is looked up when it comes.
struct MomentHeap<Key: Hashable & Sendable>: Sendable {
    private var heap: [(at: Timestamp, key: Key)] = []

    var first: Timestamp? { heap.first?.at }
    var count: Int { heap.count }

    mutating func push(_ at: Timestamp, _ key: Key) {
        heap.append((at, key))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].at < heap[parent].at else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popDue(at now: Timestamp) -> (at: Timestamp, key: Key)? {
        guard let top = heap.first, top.at <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].at < heap[least].at {
                least = child
            }
            if least == parent { return top }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
