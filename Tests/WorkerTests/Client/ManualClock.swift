import Synchronization

/// A clock that a test moves. Sleepers are woken in the order of their times.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [(id: Int, until: Instant, turn: CheckedContinuation<Void, any Error>)] = []
        var lastID = 0
        var watchers: [(count: Int, turn: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { turn in
                let (answer, woken): (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) = state.withLock {
                    state in
                    if Task.isCancelled { return (.failure(CancellationError()), []) }
                    if deadline <= state.now { return (.success(()), []) }
                    state.sleepers.append((id, deadline, turn))
                    let count = state.sleepers.count
                    let woken = state.watchers.filter { $0.count <= count }.map(\.turn)
                    state.watchers.removeAll { $0.count <= count }
                    return (nil, woken)
                }
                for watcher in woken { watcher.resume() }
                if let answer { turn.resume(with: answer) }
            }
        } onCancel: {
            let turn = state.withLock { state in
                state.sleepers.firstIndex { $0.id == id }.map { state.sleepers.remove(at: $0).turn }
            }
            turn?.resume(throwing: CancellationError())
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let now = state.now
            let due = state.sleepers.filter { $0.until <= now }.sorted { $0.until < $1.until }
            state.sleepers.removeAll { $0.until <= now }
            return due.map(\.turn)
        }
        for turn in due { turn.resume() }
    }

    /// Returns when this many tasks sleep at the same time.
    func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { turn in
            let isThere = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, turn))
                return false
            }
            if isThere { turn.resume() }
        }
    }
}
