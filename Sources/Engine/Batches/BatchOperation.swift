public import History

/// A batch operation's name, unique in its namespace.
public struct BatchJobID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// Operations whose requests are kept as they came. Numbers are those of temporal.api.enums.v1.BatchOperationType.
public enum EdgeBatchAction: UInt8, Hashable, Sendable {
    case reset = 5
    case updateOptions = 6
    case unpauseActivities = 7
    case updateActivityOptions = 8
    case resetActivities = 9
}

/// What is done to every run of a batch operation.
public enum BatchAction: Hashable, Sendable {
    case terminate(details: Blob?, identity: String)
    case cancel(identity: String)
    case signal(name: String, input: Blob?, header: Blob?, identity: String)
    case delete(identity: String)
    /// What only the edge understands: `request` is the encoded operation, read again for every run.
    case edge(EdgeBatchAction, request: Blob, identity: String)

    public var identity: String {
        switch self {
        case .terminate(_, let identity), .cancel(let identity), .signal(_, _, _, let identity), .delete(let identity),
            .edge(_, _, let identity):
            identity
        }
    }
}

/// Numbers are those of temporal.api.enums.v1.BatchOperationState.
public enum BatchState: Int32, Hashable, Sendable {
    case running = 1
    case completed = 2
    /// It was stopped.
    case failed = 3
}

/// One run that a batch operation goes to.
public struct BatchTarget: Hashable, Sendable {
    public var ordinal: Int64
    public var workflow: WorkflowID
    /// nil = the current one.
    public var run: RunID?
    public init(ordinal: Int64, workflow: WorkflowID, run: RunID?) {
        self.ordinal = ordinal
        self.workflow = workflow
        self.run = run
    }
}

/// One operation over many runs: first the runs that match are written down, then each is gone to in turn.
///
/// A value; its shell stores it after every page, so that it goes on where it was after a crash. What was done after the
/// last page is done again then: every action is harmless when it is repeated.
public struct BatchOperation: Hashable, Sendable {
    public internal(set) var namespace: NamespaceID
    public internal(set) var id: BatchJobID
    public internal(set) var action: BatchAction
    public internal(set) var reason: String
    /// Empty when the runs were named one by one.
    public internal(set) var query: String
    public internal(set) var operationsPerSecond: Double
    public internal(set) var startTime: Timestamp
    public internal(set) var closeTime: Timestamp?
    public internal(set) var state = BatchState.running
    /// The runs that match have all been written down.
    public internal(set) var isCollected: Bool
    /// The last target that was written down, and the place in the list that it had.
    public internal(set) var collectedThrough: Int64 = 0
    public internal(set) var collectedAfter: BatchPosition?
    /// The last target that was gone to.
    public internal(set) var doneThrough: Int64 = 0
    public internal(set) var total: Int64 = 0
    public internal(set) var succeeded: Int64 = 0
    public internal(set) var failed: Int64 = 0

    /// - Parameter named: how many runs were named one by one; 0 when a query finds them.
    public init(
        namespace: NamespaceID, id: BatchJobID, action: BatchAction, reason: String, query: String,
        operationsPerSecond: Double, named: Int, at now: Timestamp
    ) {
        self.namespace = namespace
        self.id = id
        self.action = action
        self.reason = reason
        self.query = query
        self.operationsPerSecond = operationsPerSecond
        startTime = now
        isCollected = query.isEmpty
        total = Int64(named)
        collectedThrough = Int64(named)
    }

    public var isOpen: Bool { state == .running }

    /// Is this the same wish, asked again?
    public func asks(
        _ action: BatchAction, reason: String, query: String, operationsPerSecond: Double
    ) -> Bool {
        self.action == action && self.reason == reason && self.query == query
            && self.operationsPerSecond == operationsPerSecond
    }

    /// A page of runs was found; `position` is the place of the last one, nil when there are no more.
    public mutating func collected(_ runs: [(workflow: WorkflowID, run: RunID)], position: BatchPosition?)
        -> [BatchTarget]
    {
        let targets = runs.enumerated().map { index, found in
            BatchTarget(ordinal: collectedThrough + Int64(index) + 1, workflow: found.workflow, run: found.run)
        }
        collectedThrough += Int64(runs.count)
        total += Int64(runs.count)
        collectedAfter = position
        if position == nil { isCollected = true }
        return targets
    }

    /// Some of the collected runs had been found before: this many are there.
    public mutating func counted(_ count: Int64) { total = count }

    /// These targets were gone to.
    public mutating func done(through ordinal: Int64, succeeded: Int, failed: Int) {
        doneThrough = max(doneThrough, ordinal)
        self.succeeded += Int64(succeeded)
        self.failed += Int64(failed)
    }

    public mutating func finish(at now: Timestamp) { close(.completed, at: now) }
    public mutating func stop(at now: Timestamp) { close(.failed, at: now) }

    private mutating func close(_ state: BatchState, at now: Timestamp) {
        guard isOpen else { return }
        self.state = state
        closeTime = now
    }
}

/// The place of a run in a list, to go on after it.
public struct BatchPosition: Hashable, Sendable {
    public var workflow: WorkflowID
    public var run: RunID
    public var status: WorkflowStatus
    public var startTime: Timestamp
    public var closeTime: Timestamp?
    public init(
        workflow: WorkflowID, run: RunID, status: WorkflowStatus, startTime: Timestamp, closeTime: Timestamp?
    ) {
        self.workflow = workflow
        self.run = run
        self.status = status
        self.startTime = startTime
        self.closeTime = closeTime
    }
}
