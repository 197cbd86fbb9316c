public import History

/// The code asked for something else than the history records: going on would rebuild a state that never was.
public struct Nondeterminism: Error, Hashable, Sendable, CustomStringConvertible {
    /// The event at which code and history part.
    public let eventID: EventID
    /// What the history records there.
    public let expected: String
    /// What the code asked for instead.
    public let actual: String

    public init(eventID: EventID, expected: String, actual: String) {
        self.eventID = eventID
        self.expected = expected
        self.actual = actual
    }

    public var description: String {
        "nondeterminism at event \(eventID): history has \(expected), the code gave \(actual)"
    }
}

/// Why a history cannot be replayed.
public enum ReplayFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// History and code disagree.
    case nondeterminism(Nondeterminism)
    /// The history contradicts itself.
    case corruption(Corruption)

    public var description: String {
        switch self {
        case .nondeterminism(let difference): difference.description
        case .corruption(let corruption): corruption.description
        }
    }
}
