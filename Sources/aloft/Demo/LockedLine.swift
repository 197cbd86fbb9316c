import Synchronization

/// When something was last shown.
final class LockedLine: Sendable {
    private let shownAt = Mutex<ContinuousClock.Instant?>(nil)

    func isDue(after pause: Duration) -> Bool {
        shownAt.withLock { shownAt in
            if let last = shownAt, ContinuousClock.now - last < pause { return false }
            shownAt = .now
            return true
        }
    }
}
