import History

/// What happens to an activity when its waiter is cancelled.
public enum ActivityCancellation: Hashable, Sendable {
    /// Ask it to stop; the waiter learns "canceled" at once.
    case tryCancel
    /// Ask it to stop; the waiter learns the activity's own end.
    case waitCompleted
    /// Let it run; the waiter learns "canceled" at once.
    case abandon
}

/// One activity as the worker sees it.
///
///     created ──answered──▶ requested ──event 10──▶ scheduled ──event 12, 13, 14, 16──▶ closed
///        │                                              │
///        └─cancel─▶ closed (never asked for)            ├─cancel, waitCompleted─▶ stopping ──its end──▶ closed
///                                                       └─cancel, others────────▶ abandoned ─its end──▶ closed
///
/// `answered` is the end of the activation that created it. Its end resolves the waiter unless it is `abandoned`.
struct ActivityMachine: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case created
        case requested
        case scheduled(EventID)
        case stopping(EventID)
        case abandoned(EventID)
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

    let command: ScheduleActivityTask
    let cancellation: ActivityCancellation
    private(set) var phase: Phase = .created

    init(command: ScheduleActivityTask, cancellation: ActivityCancellation) {
        self.command = command
        self.cancellation = cancellation
    }

    mutating func answered() {
        if phase == .created { phase = .requested }
    }

    /// The history records the activity.
    mutating func recorded(at event: EventID) { phase = .scheduled(event) }

    mutating func cancel() -> Cancel {
        switch phase {
        case .created:
            phase = .closed
            return .dropCommandAndResolve
        case .scheduled(let event):
            switch cancellation {
            case .tryCancel:
                phase = .abandoned(event)
                return .emitAndResolve
            case .waitCompleted:
                phase = .stopping(event)
                return .emit
            case .abandon:
                phase = .abandoned(event)
                return .resolve
            }
        case .requested, .stopping, .abandoned, .closed: return .nothing
        }
    }

    /// The activity ended; says whether somebody waits for that.
    mutating func ended() -> Bool {
        defer { phase = .closed }
        switch phase {
        case .scheduled, .stopping: return true
        case .created, .requested, .abandoned, .closed: return false
        }
    }
}
