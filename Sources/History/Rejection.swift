/// The caller asked for something impossible; nothing was recorded.
public struct Rejection: Error, Hashable, Sendable {
    /// The gRPC code the caller sees, and the detail message that goes with it (protocol.md 1.3).
    public enum Kind: Hashable, Sendable {
        case invalidArgument
        case notFound
        case namespaceNotFound(name: String)
        case namespaceAlreadyExists
        /// By its numbers (temporal.api.enums.v1.NamespaceState).
        case namespaceInvalidState(name: String, state: Int32, allowed: [Int32])
        case workflowAlreadyStarted(startRequestID: RequestID, run: RunID)
        case workflowNotReady
        case queryFailed(failure: Blob?)
        case failedPrecondition
        case resourceExhausted(cause: Int32)
        case permissionDenied(reason: String)
        case unauthenticated
        case deadlineExceeded
        case unavailable
        case unimplemented
        case canceled
    }
    public let kind: Kind
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public static func invalid(_ message: String) -> Rejection { Rejection(.invalidArgument, message) }
    public static func notFound(_ message: String) -> Rejection { Rejection(.notFound, message) }
}

/// Stored facts contradict each other: we are wrong, and going on would spread it.
public struct Corruption: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { "corruption: \(reason)" }
}
