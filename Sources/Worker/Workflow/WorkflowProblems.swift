/// The workflow left its executor: it waited for something that no history records.
///
/// `Task {}`, `Task.detached`, `Task.sleep`, `@MainActor`, actors with their own executor, locks and callbacks of other
/// libraries do that. Use the ``WorkflowContext`` for waiting and activities for everything outside. Fails the workflow task.
public struct WorkflowEscape: Error, Hashable, Sendable, CustomStringConvertible {
    public let workflowType: String
    /// How it was noticed.
    public let reason: String

    public var description: String {
        "workflow \(workflowType) left its executor: \(reason); use the WorkflowContext to wait and activities for the outside"
    }
}

/// The workflow code asked for something that makes no sense, for example a command in a query. Fails the workflow task.
public struct WorkflowMisuse: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

extension Error {
    /// Is this a cancellation, or a failure that a cancellation caused?
    public var isCancellation: Bool {
        switch self {
        case is CancellationError, is CanceledFailure: true
        case let failure as ActivityFailure: failure.cause?.isCancellation ?? false
        case let failure as ChildWorkflowFailure: failure.cause?.isCancellation ?? false
        default: false
        }
    }

    /// The ``ApplicationFailure`` behind this error: itself, or what an activity's failure carries; nil if there is none.
    public var rootApplicationFailure: ApplicationFailure? {
        switch self {
        case let failure as ApplicationFailure: failure
        case let failure as any TemporalFailure: failure.cause?.rootApplicationFailure
        default: nil
        }
    }
}
