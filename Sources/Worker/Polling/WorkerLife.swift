import Synchronization

/// Whether a worker is running, and what must hear of its end.
final class WorkerLife: Sendable {
    private struct State {
        var isShuttingDown = false
        var failure: (any Error)?
        var attempts: [UInt64: ActivityControl] = [:]
        var nextAttempt: UInt64 = 0
        var attemptsAreOver = false
    }
    private let state = Mutex(State())
    private let stream: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() { (stream, end) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    var isShuttingDown: Bool { state.withLock { $0.isShuttingDown } }
    /// Why the worker ended by itself.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// Begins the shutdown; the first call counts.
    func shutDown(because failure: (any Error)? = nil) {
        let isFirst = state.withLock { state in
            guard !state.isShuttingDown else { return false }
            state.isShuttingDown = true
            state.failure = failure
            return true
        }
        if isFirst { end.finish() }
    }

    /// Returns when the shutdown begins, or the task is cancelled. For one waiter.
    func waitForShutdown() async {
        for await _ in stream {}
    }

    /// Keeps an attempt where ``stopAttempts()`` finds it.
    func add(_ control: ActivityControl) -> UInt64 {
        let (id, isOver) = state.withLock { state in
            state.nextAttempt += 1
            state.attempts[state.nextAttempt] = control
            return (state.nextAttempt, state.attemptsAreOver)
        }
        if isOver { control.stop(.workerShutdown) }
        return id
    }

    func remove(_ id: UInt64) { state.withLock { _ = $0.attempts.removeValue(forKey: id) } }

    /// Tells all attempts, and those to come, that the grace period is over.
    func stopAttempts() {
        let attempts = state.withLock { state in
            state.attemptsAreOver = true
            return Array(state.attempts.values)
        }
        for attempt in attempts { attempt.stop(.workerShutdown) }
    }
}
