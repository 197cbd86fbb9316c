import History

/// A moment at which a run must be looked at. Cancelled when the run has no use for it any more.
final class Deadline {
    let at: Timestamp
    let key: RunKey
    fileprivate(set) var isCancelled = false

    init(at: Timestamp, key: RunKey) {
        self.at = at
        self.key = key
    }
}

/// Deadlines by time, the earliest first.
struct DeadlineHeap {
    private var heap: [Deadline] = []
    private var cancelled = 0

    var count: Int { heap.count - cancelled }

    /// The earliest that still counts.
    mutating func first() -> Deadline? {
        while let top = heap.first {
            if !top.isCancelled { return top }
            cancelled -= 1
            removeTop()
        }
        return nil
    }

    mutating func push(_ deadline: Deadline) {
        heap.append(deadline)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].at < heap[parent].at else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest, if it is due.
    mutating func popDue(at now: Timestamp) -> Deadline? {
        guard let top = first(), top.at <= now else { return nil }
        removeTop()
        return top
    }

    mutating func cancel(_ deadline: Deadline) {
        guard !deadline.isCancelled else { return }
        deadline.isCancelled = true
        cancelled += 1
        // Most of it is waste: sweep it out.
        if cancelled > 1024, cancelled * 2 > heap.count {
            let kept = heap.filter { !$0.isCancelled }
            heap = []
            cancelled = 0
            for deadline in kept { push(deadline) }
        }
    }

    private mutating func removeTop() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].at < heap[least].at {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
