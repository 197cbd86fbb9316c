public import History

/// Names a message between runs: who sent it, and the sender's count.
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
    public var sender: RunKey
    public var number: Int64

    public init(sender: RunKey, number: Int64) {
        self.sender = sender
        self.number = number
    }

    public var description: String { "\(sender.run)/\(number)" }
}

/// The run that a message is for. `run == nil` means the current one.
public struct MessageTarget: Hashable, Sendable {
    /// Empty when the sender named a namespace that there is not.
    public var namespace: NamespaceID
    public var workflow: WorkflowID
    public var run: RunID?
    /// When set, the run's chain must have begun with this run.
    public var firstRun: RunID?

    public init(namespace: NamespaceID, workflow: WorkflowID, run: RunID? = nil, firstRun: RunID? = nil) {
        self.namespace = namespace
        self.workflow = workflow
        self.run = run
        self.firstRun = firstRun
    }
}

/// What one run tells another.
///
/// It is part of the sender's stored state until its receiver has stored what it means; the receiver knows a repeated one.
public struct RunMessage: Hashable, Sendable {
    public var id: MessageID
    public var target: MessageTarget
    public var body: Body

    public init(id: MessageID, target: MessageTarget, body: Body) {
        self.id = id
        self.target = target
        self.body = body
    }

    public enum Body: Hashable, Sendable {
        /// To a run that is not there yet.
        indirect case startChild(ChildStart)
        /// The parent has recorded the child's start: the child may begin.
        case releaseChild
        /// The parent closed.
        case closeChild(ParentClosePolicy)
        case signal(ExternalSignal)
        case requestCancel(ExternalCancel)
        /// To the parent: the last run of the child's chain closed.
        case childClosed(ChildClosed)
    }
}

/// The child that a parent wants.
public struct ChildStart: Hashable, Sendable {
    public var start: StartRun
    public var reusePolicy: WorkflowIDReusePolicy
    /// The sender is the new run of a reset: an open child of the run before it counts as its own.
    public var adoptsOpenChild: Bool

    public init(start: StartRun, reusePolicy: WorkflowIDReusePolicy, adoptsOpenChild: Bool) {
        self.start = start
        self.reusePolicy = reusePolicy
        self.adoptsOpenChild = adoptsOpenChild
    }
}

public struct ExternalSignal: Hashable, Sendable {
    /// As the receiver records it.
    public var attributes: WorkflowExecutionSignaled
    public var childWorkflowOnly: Bool
    public var initiatedEventID: EventID

    public init(attributes: WorkflowExecutionSignaled, childWorkflowOnly: Bool, initiatedEventID: EventID) {
        self.attributes = attributes
        self.childWorkflowOnly = childWorkflowOnly
        self.initiatedEventID = initiatedEventID
    }
}

public struct ExternalCancel: Hashable, Sendable {
    /// As the receiver records it.
    public var attributes: WorkflowExecutionCancelRequested
    public var childWorkflowOnly: Bool

    public init(attributes: WorkflowExecutionCancelRequested, childWorkflowOnly: Bool) {
        self.attributes = attributes
        self.childWorkflowOnly = childWorkflowOnly
    }
}

public struct ChildClosed: Hashable, Sendable {
    public var end: ChildEnd
    /// The run that closed.
    public var run: RunID
    public var firstRun: RunID
    /// The parent's event that asked for the child.
    public var initiatedEventID: EventID

    public init(end: ChildEnd, run: RunID, firstRun: RunID, initiatedEventID: EventID) {
        self.end = end
        self.run = run
        self.firstRun = firstRun
        self.initiatedEventID = initiatedEventID
    }
}

/// What became of a message at its receiver.
public enum MessageOutcome: Hashable, Sendable {
    case done
    case childStarted(RunID)
    case childRefused(StartChildFailedCause)
    case failed(ExternalFailedCause)
}

/// The sender hears what became of its message; the message is forgotten.
public struct SettleMessage: Hashable, Sendable {
    public var number: Int64
    public var outcome: MessageOutcome

    public init(number: Int64, outcome: MessageOutcome) {
        self.number = number
        self.outcome = outcome
    }
}

/// The messages of a run that their receivers have not confirmed, oldest first.
struct OutgoingMessages: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var number: Int64
        var target: MessageTarget
        var body: RunMessage.Body
    }

    private(set) var entries: [Entry] = []
    private(set) var lastNumber: Int64 = 0

    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ body: RunMessage.Body, to target: MessageTarget) {
        lastNumber += 1
        entries.append(Entry(number: lastNumber, target: target, body: body))
    }

    /// Takes the message out; nil when it was confirmed before.
    mutating func take(_ number: Int64) -> Entry? {
        guard let index = entries.firstIndex(where: { $0.number == number }) else { return nil }
        return entries.remove(at: index)
    }

    mutating func removeAll(where isObsolete: (Entry) -> Bool) { entries.removeAll(where: isObsolete) }

    mutating func restore(_ entries: [Entry], lastNumber: Int64) {
        self.entries = entries
        self.lastNumber = lastNumber
    }
}
