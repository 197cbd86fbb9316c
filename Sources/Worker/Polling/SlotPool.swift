import Synchronization

/// Counts how much may run at the same time; whoever finds no free slot waits in line.
final class SlotPool: Sendable {
    private struct State {
        var free: Int
        /// The oldest first.
        var waiting: [(id: UInt64, turn: CheckedContinuation<Bool, Never>)] = []
        var nextID: UInt64 = 0
    }
    private let state: Mutex<State>
    let size: Int

    init(size: Int) {
        precondition(size > 0, "expected at least 1 slot, got \(size)")
        self.size = size
        state = Mutex(State(free: size))
    }

    /// Waits for a slot.
    ///
    /// - Returns: False when the task was cancelled; then there is nothing to give back.
    func acquire() async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((id, turn))
                    return nil
                }
                if let answer { turn.resume(returning: answer) }
            }
        } onCancel: {
            let turn = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).turn }
            }
            turn?.resume(returning: false)
        }
    }

    /// Takes up to `count` slots that are free now.
    func take(upTo count: Int) -> Int {
        state.withLock { state in
            let taken = max(0, min(count, state.free))
            state.free -= taken
            return taken
        }
    }

    /// Gives slots back; each wakes the oldest waiter.
    func release(_ count: Int = 1) {
        for _ in 0..<count {
            let turn: CheckedContinuation<Bool, Never>? = state.withLock { state in
                guard !state.waiting.isEmpty, state.free >= 0 else {
                    state.free += 1
                    return nil
                }
                return state.waiting.removeFirst().turn
            }
            turn?.resume(returning: true)
        }
    }

    /// Takes slots that are not there, for work that has come anyway; they are made up for as slots come back.
    func overdraw(_ count: Int) { state.withLock { $0.free -= count } }

    /// How many slots nobody has; below zero when more runs than should.
    var free: Int { state.withLock { $0.free } }
}
