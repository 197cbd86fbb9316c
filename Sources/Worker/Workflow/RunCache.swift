import Synchronization

/// Runs kept in memory between their workflow tasks, the least recently used given up first; and the rule that one run is in
/// one pair of hands at a time.
final class RunCache: Sendable {
    private struct State {
        var idle = RecentValues<WorkflowCore>()
        /// Runs that somebody has now, with those who wait for them in order.
        var busy: [String: [UnsafeContinuation<Void, Never>]] = [:]
    }
    private let state = Mutex(State())
    let capacity: Int

    /// - Parameter capacity: 0 keeps nothing.
    init(capacity: Int) { self.capacity = max(0, capacity) }

    var count: Int { state.withLock { $0.idle.count } }

    /// Takes a run, waiting until nobody else has it. ``giveBack(_:_:)`` must follow.
    /// - Returns: The run's state, or nil when it is not in memory.
    func take(_ run: String) async -> WorkflowCore? {
        let isMine = state.withLock { state in
            guard state.busy[run] == nil else { return false }
            state.busy[run] = []
            return true
        }
        if !isMine {
            await withUnsafeContinuation { waiter in
                let isFree = state.withLock { state in
                    guard state.busy[run] != nil else {
                        state.busy[run] = []
                        return true
                    }
                    state.busy[run]?.append(waiter)
                    return false
                }
                if isFree { waiter.resume() }
            }
        }
        return state.withLock { $0.idle.remove(run) }
    }

    /// Gives a run back, with its state if it shall stay in memory; whatever has no room any more is evicted.
    /// - Returns: How many runs could not be ended cleanly.
    @discardableResult
    func giveBack(_ run: String, _ core: WorkflowCore?) -> Int {
        let (next, surplus) = state.withLock { state in
            if let core { state.idle.insert(core, for: run) }
            var surplus: [WorkflowCore] = []
            while state.idle.count > capacity, let oldest = state.idle.removeOldest() { surplus.append(oldest) }
            guard var waiters = state.busy[run], !waiters.isEmpty else {
                state.busy[run] = nil
                return (nil as UnsafeContinuation<Void, Never>?, surplus)
            }
            let next = waiters.removeFirst()
            state.busy[run] = waiters
            return (next, surplus)
        }
        var unclean = 0
        for core in surplus where !core.evict() { unclean += 1 }
        next?.resume()
        return unclean
    }

    /// Evicts every run that nobody has now.
    func clear() {
        let all = state.withLock { state in
            var all: [WorkflowCore] = []
            while let oldest = state.idle.removeOldest() { all.append(oldest) }
            return all
        }
        for core in all { core.evict() }
    }
}

/// A dictionary that knows which of its values was put in longest ago. All operations take constant time.
struct RecentValues<Value> {
    private struct Node {
        var key: String
        var value: Value?
        var older: Int?
        var newer: Int?
    }
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var places: [String: Int] = [:]
    private var oldest: Int?
    private var newest: Int?

    init() {}
    var count: Int { places.count }

    /// Puts a value in as the newest.
    mutating func insert(_ value: Value, for key: String) {
        _ = remove(key)
        let node = Node(key: key, value: value, older: newest, newer: nil)
        let place: Int
        if let reused = free.popLast() {
            nodes[reused] = node
            place = reused
        } else {
            nodes.append(node)
            place = nodes.count - 1
        }
        if let newest { nodes[newest].newer = place } else { oldest = place }
        newest = place
        places[key] = place
    }

    mutating func remove(_ key: String) -> Value? {
        guard let place = places.removeValue(forKey: key) else { return nil }
        let node = nodes[place]
        if let older = node.older { nodes[older].newer = node.newer } else { oldest = node.newer }
        if let newer = node.newer { nodes[newer].older = node.older } else { newest = node.older }
        nodes[place].value = nil
        free.append(place)
        return node.value
    }

    mutating func removeOldest() -> Value? {
        guard let oldest else { return nil }
        return remove(nodes[oldest].key)
    }
}
