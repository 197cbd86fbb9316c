import Synchronization

/// Shares the polls for workflow tasks between the worker's own sticky queue and the normal queue.
final class PollBalance: Sendable {
    enum Queue: Hashable, Sendable { case normal, sticky }

    private let open = Mutex((normal: 0, sticky: 0))
    let polls: Int
    let usesSticky: Bool

    /// - Parameters:
    ///   - polls: How many pollers there are; a single one asks the normal queue only.
    ///   - keepsRuns: Whether runs stay in memory between their tasks.
    init(polls: Int, keepsRuns: Bool) {
        self.polls = polls
        usesSticky = keepsRuns && polls > 1
    }

    /// Which queue the next poll should ask; it counts as open until ``close(_:)``.
    ///
    /// The first two polls ask one queue each. The others ask the normal queue while nothing is cached; afterwards half of
    /// all ask the normal queue.
    func next(cachedRuns: Int) -> Queue {
        guard usesSticky else { return .normal }
        return open.withLock { open in
            let queue: Queue
            if open.normal == 0 {
                queue = .normal
            } else if open.sticky == 0 {
                queue = .sticky
            } else {
                queue = cachedRuns > 0 && open.normal >= max(1, polls / 2) ? .sticky : .normal
            }
            switch queue {
            case .normal: open.normal += 1
            case .sticky: open.sticky += 1
            }
            return queue
        }
    }

    /// The polls that are open now.
    var openPolls: (normal: Int, sticky: Int) { open.withLock { $0 } }

    func close(_ queue: Queue) {
        guard usesSticky else { return }
        open.withLock { open in
            switch queue {
            case .normal: open.normal -= 1
            case .sticky: open.sticky -= 1
            }
        }
    }
}
