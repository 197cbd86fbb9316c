/// An open transaction, lent by ``PostgresPool/withTransaction(_:)``. `BEGIN` travels with the first statement.
public final class PostgresTransaction {
    private enum Phase { case fresh, open, ended }

    private let connection: PostgresConnection
    private var phase = Phase.fresh

    init(_ connection: PostgresConnection) { self.connection = connection }

    /// Sends all calls at once; the first one that fails ends the transaction.
    public func pipeline(_ calls: [StatementCall]) async throws(PostgresError) -> [ResultSet] {
        guard phase != .ended else { throw PostgresError(.closed, reason: "the transaction has ended") }
        let opening = phase == .fresh
        phase = .open
        do throws(PostgresError) {
            let results = try await connection.pipeline(opening ? [Self.begin.call()] + calls : calls)
            return opening ? Array(results.dropFirst()) : results
        } catch {
            // Without COMMIT nothing can have been committed, whatever became of the connection.
            var error = error
            if error.kind == .outcomeUnknown { error.kind = .connectionLost }
            throw error
        }
    }

    @discardableResult
    public func query(_ call: StatementCall) async throws(PostgresError) -> ResultSet {
        try await pipeline([call])[0]
    }

    @discardableResult
    public func query(_ statement: Statement, _ fill: (inout Parameters) -> Void = { _ in }) async throws(PostgresError)
        -> ResultSet
    {
        try await query(statement.call(fill))
    }

    func commit() async throws(PostgresError) {
        defer { phase = .ended }
        guard phase == .open else { return }
        let result = try await connection.query(Self.commitStatement.call())
        // A transaction that failed before answers COMMIT with ROLLBACK, and no error.
        guard result.tag == "COMMIT" else {
            throw PostgresError(.server, reason: "rolled back at commit", sqlState: "25P02", statement: "commit")
        }
    }

    func rollBack() async {
        defer { phase = .ended }
        guard phase == .open, connection.isUsable else { return }
        do throws(PostgresError) {
            try await connection.query(Self.rollbackStatement.call())
        } catch {
            connection.close()
        }
    }

    private static let begin = Statement("transaction_begin", "begin")
    private static let commitStatement = Statement("transaction_commit", "commit")
    private static let rollbackStatement = Statement("transaction_rollback", "rollback")
}
