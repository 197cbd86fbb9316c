import Synchronization

/// Lets callers through at most so often, evenly spaced.
final class RateLimiter: Sendable {
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let next = Mutex<ContinuousClock.Instant>(.now)

    /// - Parameter perSecond: nil or less than nothing is without limit.
    init?(perSecond: Double?, clock: any Clock<Duration>) {
        guard let perSecond, perSecond > 0, perSecond.isFinite else { return nil }
        interval = .seconds(1 / perSecond)
        self.clock = clock
    }

    /// Waits for the caller's turn.
    /// - Returns: False when the calling task was cancelled.
    func wait() async -> Bool {
        let now = ContinuousClock.now
        let turn = next.withLock { next in
            let turn = max(now, next)
            next = turn + interval
            return turn
        }
        guard now < turn else { return !Task.isCancelled }
        do {
            try await clock.sleep(for: now.duration(to: turn))
            return true
        } catch {
            return false
        }
    }
}
