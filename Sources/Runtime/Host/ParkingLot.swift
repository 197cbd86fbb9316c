import History
import Synchronization

/// Where callers wait for something to happen, until their deadline.
///
/// A ticket is opened where the wait is decided and awaited later; what happens in between is not lost. A cancelled
/// waiter is gone at once: ``resolve(_:_:)`` says so, and the value can go to somebody else.
final class ParkingLot<Value: Sendable>: Sendable {
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    enum Place {
        case open
        case waiting(CheckedContinuation<Value?, Never>, until: Timestamp)
        case resolved(Value?)
    }

    struct State {
        var lastNumber: UInt64 = 0
        var places: [UInt64: Place] = [:]
    }

    let state = Mutex(State())
    private let alarm: Alarm
    private let clock: any RuntimeClock

    init(clock: any RuntimeClock) {
        self.clock = clock
        alarm = Alarm(clock: clock)
    }

    func open() -> Ticket {
        state.withLock { state in
            state.lastNumber += 1
            state.places[state.lastNumber] = .open
            return Ticket(number: state.lastNumber)
        }
    }

    /// Takes an opened ticket back that nobody will wait for.
    func close(_ ticket: Ticket) {
        state.withLock { state in state.places[ticket.number] = nil }
    }

    /// Waits for the ticket's value; nil when the deadline passed or the task was cancelled.
    func wait(_ ticket: Ticket, until deadline: Timestamp) async -> Value? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
                let early: Value?? = state.withLock { state in
                    switch state.places[ticket.number] {
                    case .open:
                        state.places[ticket.number] = .waiting(continuation, until: deadline)
                        return nil
                    case .resolved(let value):
                        state.places[ticket.number] = nil
                        return .some(value)
                    case .waiting, nil: return .some(nil)
                    }
                }
                if let early { continuation.resume(returning: early) } else { alarm.set(deadline) }
            }
        } onCancel: {
            _ = finish(ticket, nil)
        }
    }

    /// Gives the waiter its value. `false`: it is gone, nothing was delivered.
    @discardableResult
    func resolve(_ ticket: Ticket, _ value: Value) -> Bool { finish(ticket, value) }

    /// Ends one wait without a value.
    func cancel(_ ticket: Ticket) { _ = finish(ticket, nil) }

    /// Ends every wait now (shutdown).
    func finishAll() {
        let waiting = state.withLock { state -> [CheckedContinuation<Value?, Never>] in
            var found: [CheckedContinuation<Value?, Never>] = []
            for (number, place) in state.places {
                switch place {
                case .open: state.places[number] = .resolved(nil)
                case .waiting(let continuation, _):
                    found.append(continuation)
                    state.places[number] = nil
                case .resolved: break
                }
            }
            return found
        }
        for continuation in waiting { continuation.resume(returning: nil) }
    }

    /// Ends waits whose deadline passed, until the task is cancelled.
    func run() async {
        while !Task.isCancelled { await alarm.wait(until: expire()) }
    }

    private func finish(_ ticket: Ticket, _ value: Value?) -> Bool {
        let (found, continuation) = state.withLock { state -> (Bool, CheckedContinuation<Value?, Never>?) in
            switch state.places[ticket.number] {
            case .open:
                state.places[ticket.number] = .resolved(value)
                return (true, nil)
            case .waiting(let continuation, _):
                state.places[ticket.number] = nil
                return (true, continuation)
            case .resolved, nil: return (false, nil)
            }
        }
        continuation?.resume(returning: value)
        return found
    }

    /// Ends what is due and says when the next wait ends.
    private func expire() -> Timestamp? {
        let now = clock.now()
        let (due, next) = state.withLock { state -> ([CheckedContinuation<Value?, Never>], Timestamp?) in
            var due: [CheckedContinuation<Value?, Never>] = []
            var next: Timestamp?
            for (number, place) in state.places {
                guard case .waiting(let continuation, let deadline) = place else { continue }
                if deadline <= now {
                    due.append(continuation)
                    state.places[number] = nil
                } else if next.map({ deadline < $0 }) ?? true {
                    next = deadline
                }
            }
            return (due, next)
        }
        for continuation in due { continuation.resume(returning: nil) }
        return next
    }
}
