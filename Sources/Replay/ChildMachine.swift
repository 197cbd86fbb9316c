import History

/// What happens to a child when its waiter is cancelled.
public enum ChildCancellation: Hashable, Sendable {
    /// Ask it to cancel itself; the waiter learns "canceled" at once.
    case tryCancel
    /// Ask it to cancel itself; the waiter learns the child's own end.
    case waitCompleted
    /// Ask it to cancel itself; the waiter learns "canceled" when the child has been told.
    case waitRequested
    /// Let it run; the waiter learns "canceled" at once.
    case abandon
}

/// One child as its parent's worker sees it. Two futures wait for it: one for its start, one for its end.
///
///     created ──answered──▶ requested ──event 29──▶ initiated ──event 31──▶ started ──events 32–36──▶ closed
///        └─cancel─▶ closed (never asked for)          └──event 30──▶ closed
///
/// A cancellation after event 29 asks for event 22; who waits on and who learns "canceled" is what ``cancellation`` says.
struct ChildMachine: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case created
        case requested
        case initiated(EventID)
        case started(EventID, startedEvent: EventID)
        case closed
    }

    /// What a cancellation means.
    enum Cancel: Hashable, Sendable {
        case nothing
        case dropCommandAndResolve
        case emit
        case emitAndResolve
        case resolve
    }

    let command: StartChildWorkflow
    let cancellation: ChildCancellation
    let startFuture: FutureID
    private(set) var phase: Phase = .created
    /// The first run of its chain.
    private(set) var run: RunID?
    private(set) var isCancelRequested = false
    /// Nobody waits for its start, or for its end, any more.
    private(set) var startIsAbandoned = false
    private(set) var endIsAbandoned = false

    init(command: StartChildWorkflow, cancellation: ChildCancellation, startFuture: FutureID) {
        self.command = command
        self.cancellation = cancellation
        self.startFuture = startFuture
    }

    var initiatedEvent: EventID {
        switch phase {
        case .initiated(let event), .started(let event, _): event
        case .created, .requested, .closed: .none
        }
    }

    mutating func answered() {
        if phase == .created { phase = .requested }
    }

    mutating func recorded(at event: EventID) { phase = .initiated(event) }

    mutating func cancel() -> Cancel {
        guard !isCancelRequested else { return .nothing }
        switch phase {
        case .created:
            phase = .closed
            return .dropCommandAndResolve
        case .initiated, .started:
            isCancelRequested = true
            switch cancellation {
            case .abandon:
                abandon()
                return .resolve
            case .tryCancel:
                abandon()
                return .emitAndResolve
            case .waitCompleted, .waitRequested: return .emit
            }
        case .requested, .closed: return .nothing
        }
    }

    private mutating func abandon() {
        startIsAbandoned = true
        endIsAbandoned = true
    }

    /// The child has been told to cancel itself; says whether its waiters learn "canceled" now.
    mutating func cancelWasRequested() -> Bool {
        guard cancellation == .waitRequested, !endIsAbandoned else { return false }
        abandon()
        return true
    }

    /// Event 31; says whether somebody waits for it.
    mutating func begin(_ run: RunID?, event: EventID) -> Bool {
        guard case .initiated(let initiated) = phase else { return false }
        phase = .started(initiated, startedEvent: event)
        self.run = run
        return !startIsAbandoned
    }

    /// The child ended, or was never started; says whether somebody waits for that.
    mutating func ended() -> Bool {
        defer { phase = .closed }
        return phase != .closed && !endIsAbandoned
    }
}

/// A signal or a cancel request to another workflow, as the sender's worker sees it.
///
///     created ──answered──▶ requested ──event 22 or 37──▶ initiated ──event 23, 24, 38 or 39──▶ closed
///        └─cancel─▶ closed (never asked for)
struct ExternalMachine: Hashable, Sendable {
    enum Command: Hashable, Sendable {
        case signal(SignalExternal)
        case cancel(RequestCancelExternal)
    }
    enum Phase: Hashable, Sendable { case created, requested, initiated, closed }

    let command: Command
    private(set) var phase: Phase = .created

    init(command: Command) { self.command = command }

    mutating func answered() {
        if phase == .created { phase = .requested }
    }

    mutating func recorded() { phase = .initiated }

    /// Says whether the command is taken back; one that was sent is waited for.
    mutating func cancel() -> Bool {
        guard phase == .created else { return false }
        phase = .closed
        return true
    }
}
