import History
import Synchronization

/// Wakes one waiting loop. Rung while nobody waits, it lets the next wait through.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isRung = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when the bell was rung or the task is cancelled. One waiter at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let goesOn = state.withLock { state -> Bool in
                    precondition(state.waiter == nil, "a bell has one waiter")
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }
}

/// Lets one loop sleep until a moment that others may bring forward.
final class Alarm: Sendable {
    private let clock: any RuntimeClock
    private let bell = Bell()
    /// What the loop sleeps for; `nil` while it is awake, so that every change is noticed.
    private let target = Mutex<Timestamp?>(nil)

    init(clock: any RuntimeClock) { self.clock = clock }

    /// Wakes the loop if it would sleep longer than until `moment`.
    func set(_ moment: Timestamp) {
        let isEarlier = target.withLock { target -> Bool in
            if let target, target <= moment { return false }
            return true
        }
        if isEarlier { bell.ring() }
    }

    func ring() { bell.ring() }

    /// Sleeps until `moment` (for ever when nil), an earlier ``set(_:)``, or cancellation.
    func wait(until moment: Timestamp?) async {
        target.withLock { $0 = moment ?? .distantFuture }
        if let moment {
            let clock = clock
            let bell = bell
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await clock.sleep(until: moment) }
                group.addTask { await bell.wait() }
                await group.next()
                group.cancelAll()
            }
        } else {
            await bell.wait()
        }
        target.withLock { $0 = nil }
    }
}
