/// An identifier that is a string on the wire and a type in the code, so that two kinds cannot be swapped.
public protocol StringIdentifier: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    var value: String { get }
    init(_ value: String)
}

extension StringIdentifier {
    public init(stringLiteral value: String) { self.init(value) }
    public var description: String { value }
    public var isEmpty: Bool { value.isEmpty }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// A namespace's permanent id (a UUID in text form); its name may be looked up but never stands for it.
public struct NamespaceID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// The business key of a workflow, chosen by its caller, unique among open runs of a namespace.
public struct WorkflowID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// One run of a workflow id: a lower-case UUID in text form.
public struct RunID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// An activity's id, unique among the pending activities of a run.
public struct ActivityID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// A timer's id, unique among the pending timers of a run.
public struct TimerID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// An update's id, chosen by its caller, unique in a run: repeating it attaches to the same update.
public struct UpdateID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// The name of a task queue, unique in its namespace.
public struct TaskQueueName: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// The caller's key for recognising a repeated request.
public struct RequestID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// The position of an event in its run's history: 1, 2, 3 … without gaps. 0 means "none".
public struct EventID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: Int64
    public init(_ value: Int64) { self.value = value }

    public static let none = EventID(0)
    public static let first = EventID(1)

    public var next: EventID { EventID(value + 1) }
    public var previous: EventID { EventID(value - 1) }
    public var description: String { "\(value)" }
    public static func < (left: EventID, right: EventID) -> Bool { left.value < right.value }
}

/// Where a run lives: the namespace, the workflow id and the run id together.
public struct RunKey: Hashable, Sendable, CustomStringConvertible {
    public let namespace: NamespaceID
    public let workflow: WorkflowID
    public let run: RunID

    public init(namespace: NamespaceID, workflow: WorkflowID, run: RunID) {
        self.namespace = namespace
        self.workflow = workflow
        self.run = run
    }

    public var description: String { "\(workflow)/\(run)" }
}
