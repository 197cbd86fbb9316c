/// What the retry rules need to know of a failure that is otherwise opaque.
public struct FailureTraits: Hashable, Sendable {
    public enum Kind: UInt8, Hashable, Sendable {
        case application, timeout, canceled, terminated, server, activity, child, other
    }
    public var kind: Kind
    /// `application_failure_info.type`, compared with a policy's non-retryable types.
    public var type: String
    public var nonRetryable: Bool
    /// Replaces the computed back-off when set (`application_failure_info.next_retry_delay`).
    public var nextRetryDelay: TimeSpan?
    /// Only for `kind == .timeout`.
    public var timeoutType: TimeoutType?
    /// The message, for status pages; never logged.
    public var message: String

    public init(
        kind: Kind = .application, type: String = "", nonRetryable: Bool = false, nextRetryDelay: TimeSpan? = nil,
        timeoutType: TimeoutType? = nil, message: String = ""
    ) {
        self.kind = kind
        self.type = type
        self.nonRetryable = nonRetryable
        self.nextRetryDelay = nextRetryDelay
        self.timeoutType = timeoutType
        self.message = message
    }
}

/// A failure as an event carries it: a worker's own bytes, or one the server made.
public indirect enum Failure: Hashable, Sendable {
    /// Came from a worker (or from storage): the encoded `temporal.api.failure.v1.Failure`, returned byte for byte.
    case opaque(Blob, traits: FailureTraits)
    /// Made by the server when a timeout passed.
    case timeout(message: String, type: TimeoutType, lastHeartbeatDetails: Blob?, cause: Failure?)
    /// Made by the server for its own reasons (`server_failure_info`).
    case server(message: String, nonRetryable: Bool)
    /// Written by a reset (`reset_workflow_failure_info`).
    case reset(message: String)

    public var traits: FailureTraits {
        switch self {
        case .opaque(_, let traits): return traits
        case .timeout(let message, let type, _, _):
            return FailureTraits(kind: .timeout, timeoutType: type, message: message)
        case .server(let message, let nonRetryable):
            return FailureTraits(kind: .server, nonRetryable: nonRetryable, message: message)
        case .reset(let message): return FailureTraits(kind: .other, nonRetryable: true, message: message)
        }
    }
}
