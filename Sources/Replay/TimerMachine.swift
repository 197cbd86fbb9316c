import History

/// One timer as the worker sees it.
///
///     created ──answered──▶ requested ──event 17──▶ running ──event 18──▶ closed (fired)
///        └─cancel─▶ closed (never asked for)          └─cancel─▶ closed (asks for event 19)
struct TimerMachine: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case created
        case requested
        case running(EventID)
        case closed
    }

    /// What a cancellation means; the waiter learns "canceled" at once unless it is `nothing`.
    enum Cancel: Hashable, Sendable {
        case nothing
        case dropCommand
        case emit
    }

    let command: StartTimer
    private(set) var phase: Phase = .created

    init(command: StartTimer) { self.command = command }

    mutating func answered() {
        if phase == .created { phase = .requested }
    }

    mutating func recorded(at event: EventID) { phase = .running(event) }

    mutating func cancel() -> Cancel {
        defer { phase = .closed }
        switch phase {
        case .created: return .dropCommand
        case .running: return .emit
        case .requested, .closed: return .nothing
        }
    }

    /// The timer fired; says whether somebody waits for that.
    mutating func fired() -> Bool {
        defer { phase = .closed }
        switch phase {
        case .running: return true
        case .created, .requested, .closed: return false
        }
    }
}
