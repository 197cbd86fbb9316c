import Synchronization

/// The token buckets of this process: one for each provider and tenant.
final class TokenThrottle: Sendable {
    private struct Lane: Sendable {
        var bucket: TokenBucket
        var line = PriorityLine()
        var isPumping = false
    }

    private struct State: Sendable {
        var lanes: [String: Lane] = [:]
        var nextID: UInt64 = 0
        var continuations: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        /// Decided before it could wait.
        var decided: [UInt64: Bool] = [:]
    }

    /// The rate may change while somebody waits: so often it is looked at again.
    private static let pauseMax = Duration.seconds(1)

    private let state = Mutex(State())
    private let start = ContinuousClock.now
    private var now: Duration { self.start.duration(to: .now) }

    /// Takes a token of `name`, waiting in the order of priorities.
    ///
    /// - Returns: false when none came in time.
    func take(_ name: String, priority: Priority, perSecond: Double, within limit: Duration) async -> Bool {
        let now = self.now
        let (id, pumps) = self.state.withLock { state -> (UInt64?, Bool) in
            var lane = state.lanes[name] ?? Lane(bucket: TokenBucket(perSecond: perSecond, at: now))
            if lane.bucket.perSecond != perSecond { lane.bucket.change(perSecond: perSecond, at: now) }
            defer { state.lanes[name] = lane }
            if lane.line.isEmpty, lane.bucket.take(at: now) == nil { return (nil, false) }
            state.nextID += 1
            lane.line.add(state.nextID, priority)
            let pumps = !lane.isPumping
            lane.isPumping = true
            return (state.nextID, pumps)
        }
        guard let id else { return true }
        if pumps { Task { await self.pump(name) } }
        let timer = Task {
            try? await Task.sleep(for: limit)
            self.resume(id, in: name, granted: false)
        }
        let isGranted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let decided = self.state.withLock { state -> Bool? in
                    if let decided = state.decided.removeValue(forKey: id) { return decided }
                    state.continuations[id] = continuation
                    return nil
                }
                if let decided { continuation.resume(returning: decided) }
            }
        } onCancel: {
            self.resume(id, in: name, granted: false)
        }
        timer.cancel()
        return isGranted
    }

    /// Gives tokens out while somebody waits.
    private func pump(_ name: String) async {
        while true {
            let now = self.now
            let (granted, pause) = self.state.withLock { state -> (UInt64?, Duration?) in
                guard var lane = state.lanes[name] else { return (nil, nil) }
                defer { state.lanes[name] = lane }
                if lane.line.isEmpty {
                    lane.isPumping = false
                    return (nil, nil)
                }
                if let pause = lane.bucket.take(at: now) { return (nil, pause) }
                return (lane.line.next(), nil)
            }
            if let granted {
                self.resume(granted, in: name, granted: true)
            } else if let pause {
                try? await Task.sleep(for: min(pause, Self.pauseMax))
            } else {
                return
            }
        }
    }

    private func resume(_ id: UInt64, in name: String, granted: Bool) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if !granted {
                let wasWaiting = state.lanes[name]?.line.remove(id) ?? false
                guard wasWaiting else { return nil }
            }
            if let continuation = state.continuations.removeValue(forKey: id) { return continuation }
            state.decided[id] = granted
            return nil
        }
        continuation?.resume(returning: granted)
    }
}
