public import History
public import Runtime
import Synchronization

/// A clock that only moves when a test moves it.
public final class MemoryClock: RuntimeClock {
    private struct State {
        var now: Timestamp
        var lastNumber = 0
        var sleepers: [Int: (until: Timestamp, continuation: CheckedContinuation<Void, Never>)] = [:]
    }
    private let state: Mutex<State>

    /// Where a clock begins unless told otherwise.
    public static let beginning = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    public init(at now: Timestamp = MemoryClock.beginning) { state = Mutex(State(now: now)) }

    public func now() -> Timestamp { state.withLock { $0.now } }
    public func monotonic() -> Timestamp { now() }

    public func sleep(until moment: Timestamp) async {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state -> Bool in
                    if moment <= state.now || Task.isCancelled { return true }
                    state.sleepers[number] = (moment, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number)?.continuation }?.resume()
        }
    }

    /// Moves the clock and wakes who is due.
    public func advance(by span: TimeSpan) { advance(to: now().advanced(by: span)) }

    public func advance(to moment: Timestamp) {
        let due = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.now = max(state.now, moment)
            let due = state.sleepers.filter { $0.value.until <= state.now }.sorted {
                ($0.value.until, $0.key) < ($1.value.until, $1.key)
            }
            for (number, _) in due { state.sleepers[number] = nil }
            return due.map(\.value.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// When the next sleeper is due.
    public var nextDue: Timestamp? { state.withLock { $0.sleepers.values.map(\.until).min() } }
}
