/// What went wrong between this program and Postgres, and whether the work may have been committed.
///
/// `description` never holds row data, parameters or secrets; ``serverMessage`` may, and is for a person who asked for it.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// No connection could be made; nothing was sent.
        case connectFailed
        /// The connection broke before the commit could have happened; nothing was changed.
        case connectionLost
        /// The connection broke, or the server fell silent, after the commit was asked for: it may have happened.
        case outcomeUnknown
        /// The server refused a statement; the whole transaction was rolled back.
        case server
        /// The answer was not of the expected shape or type.
        case unexpectedAnswer
        /// Everybody who may wait for a connection already waits.
        case poolExhausted
        case closed
        /// The task was cancelled before anything was sent.
        case cancelled
    }

    public var kind: Kind
    /// Five characters; empty unless the server answered.
    public var sqlState: String
    /// The name of the statement that failed, when one did.
    public var statement: String
    /// The constraint that was broken, when one was.
    public var constraint: String
    /// Why, in our own words.
    public var reason: String
    /// The server's primary message. May quote values: not for logs.
    public var serverMessage: String

    public init(
        _ kind: Kind, reason: String = "", sqlState: String = "", statement: String = "", constraint: String = "",
        serverMessage: String = ""
    ) {
        self.kind = kind
        self.reason = reason
        self.sqlState = sqlState
        self.statement = statement
        self.constraint = constraint
        self.serverMessage = serverMessage
    }

    /// Nothing was changed, and the same request may well succeed later.
    public var isSafeToRetry: Bool {
        switch kind {
        case .connectFailed, .connectionLost, .poolExhausted: true
        case .outcomeUnknown, .unexpectedAnswer, .closed, .cancelled: false
        case .server: Self.passingStates.contains(sqlState) || sqlState.hasPrefix("53")
        }
    }

    /// Serialization failure, deadlock, lock not available, server starting or stopping.
    private static let passingStates: Set<String> = ["40001", "40P01", "55P03", "57P01", "57P02", "57P03"]

    public var isUniqueViolation: Bool { sqlState == "23505" }

    public var description: String {
        var text = "postgres: \(kind)"
        if !sqlState.isEmpty { text += " \(sqlState)" }
        if !statement.isEmpty { text += " in \(statement)" }
        if !constraint.isEmpty { text += " (\(constraint))" }
        if !reason.isEmpty { text += ": \(reason)" }
        return text
    }

    public var debugDescription: String { serverMessage.isEmpty ? description : "\(description) «\(serverMessage)»" }
}
