/// A statement with a name. It is prepared once on every connection that uses it.
///
/// The SQL states the types of its parameters with casts (`$1::int8[]`), so that preparing it alone checks it.
public struct Statement: Hashable, Sendable {
    public let name: String
    public let sql: String

    /// - Parameter name: empty for a statement that is parsed anew with each call: its text is made for one question.
    public init(_ name: String, _ sql: String) {
        precondition(name.utf8.count <= Self.nameBytesMax, "Postgres cuts longer names")
        self.name = name
        self.sql = sql
    }

    static let nameBytesMax = 63

    /// This statement with parameters, in the order of `$1`, `$2`, …
    public func call(_ fill: (inout Parameters) -> Void) -> StatementCall {
        var parameters = Parameters()
        fill(&parameters)
        return StatementCall(self, parameters)
    }

    public func call() -> StatementCall { StatementCall(self, Parameters()) }
}

/// One execution of a statement.
public struct StatementCall: Sendable {
    public var statement: Statement
    public var parameters: Parameters

    public init(_ statement: Statement, _ parameters: Parameters) {
        self.statement = statement
        self.parameters = parameters
    }
}
