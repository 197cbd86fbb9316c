import Replay
import Synchronization

/// How a local activity ended, or an attempt that shall be followed by a long pause.
struct LocalActivityEnd: Sendable {
    enum Outcome: Sendable {
        case completed([UInt8])
        case failed(any Error, backoff: Duration?)
        case canceled(any Error)
        /// The worker goes down: nothing may be recorded.
        case abandoned
    }
    var outcome: Outcome
    /// The last attempt.
    var attempt: Int
    /// From the moment it was asked for.
    var elapsed: Duration
}

/// Where the local activities of one run report their ends, and where they hear that they should stop.
///
/// The run's owner and its running activities share it: the activities go on while the run rests between workflow tasks.
final class LocalActivityDesk: Sendable {
    private struct State {
        var running: [FutureID: ActivityControl] = [:]
        /// Stopped before their next attempt began.
        var stopped: [FutureID: ActivityStopReason] = [:]
        var ended: [(future: FutureID, end: LocalActivityEnd)] = []
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    /// An attempt begins; what was stopped meanwhile hears of it at once.
    func begin(_ future: FutureID) -> ActivityControl {
        let control = ActivityControl()
        let reason = state.withLock { state in
            state.running[future] = control
            return state.stopped[future]
        }
        if let reason { control.stop(reason) }
        return control
    }

    func finish(_ future: FutureID, _ end: LocalActivityEnd) {
        let waiter = state.withLock { state in
            state.running[future] = nil
            state.stopped[future] = nil
            state.ended.append((future, end))
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func stop(_ future: FutureID, _ reason: ActivityStopReason = .requested) {
        let control = state.withLock { state in
            state.stopped[future] = reason
            return state.running[future]
        }
        control?.stop(reason)
    }

    /// The run leaves memory; nobody will hear of the ends.
    func stopAll() {
        let running = state.withLock { state in Array(state.running.values) }
        for control in running { control.stop(.notFound) }
    }

    /// Takes the oldest end.
    func takeEnd() -> (future: FutureID, end: LocalActivityEnd)? {
        state.withLock { $0.ended.isEmpty ? nil : $0.ended.removeFirst() }
    }

    /// Waits for an end.
    /// - Returns: nil when the time is over or the task is cancelled.
    func nextEnd(within limit: Duration?, clock: any Clock<Duration>) async -> (
        future: FutureID, end: LocalActivityEnd
    )? {
        if let end = takeEnd() { return end }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            if let limit { group.addTask { try? await clock.sleep(for: limit) } }
            await group.next()
            group.cancelAll()
        }
        return takeEnd()
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state in
                    guard state.ended.isEmpty, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
