import Synchronization

/// One connection to Postgres. Work is done in the order it was asked for.
///
/// Cancelling a task does not stop a statement that was already sent: its outcome is always waited for.
public final class PostgresConnection: Sendable {
    private let mailbox: ConnectionMailbox

    private init(_ mailbox: ConnectionMailbox) { self.mailbox = mailbox }

    deinit { mailbox.close() }

    /// Connects.
    ///
    /// - Parameters:
    ///   - onNotification: Called from the connection's thread for each NOTIFY of a channel that this connection listens to.
    ///   - onEnd: Called once from the connection's thread when the connection has ended for whatever reason.
    /// - Throws: ``PostgresError/Kind/connectFailed``.
    public static func connect(
        _ configuration: PostgresConfiguration, onNotification: (@Sendable (PostgresNotification) -> Void)? = nil,
        onEnd: (@Sendable () -> Void)? = nil
    ) async throws(PostgresError) -> PostgresConnection {
        let mailbox = try ConnectionMailbox(onNotification: onNotification, onEnd: onEnd)
        let failure = await withCheckedContinuation { (continuation: CheckedContinuation<PostgresError?, Never>) in
            ConnectionThread.start(configuration, mailbox) { continuation.resume(returning: $0) }
        }
        if let failure { throw failure }
        return PostgresConnection(mailbox)
    }

    /// Sends all calls at once and returns their results in order.
    ///
    /// Outside a transaction the calls are one: either all are committed when this returns, or none is. Costs one round trip
    /// however many calls there are; statements are prepared on first use within the same round trip.
    /// - Throws: ``PostgresError``; only ``PostgresError/Kind/outcomeUnknown`` leaves open whether it was committed.
    public func pipeline(_ calls: [StatementCall]) async throws(PostgresError) -> [ResultSet] {
        if calls.isEmpty { return [] }
        return try await result { .pipeline(calls, $0) }
    }

    /// One statement, alone.
    @discardableResult
    public func query(_ call: StatementCall) async throws(PostgresError) -> ResultSet {
        try await pipeline([call])[0]
    }

    /// Several statements without parameters in one implicit transaction, for migrations and set-up; their rows are dropped.
    public func script(_ sql: String) async throws(PostgresError) {
        _ = try await result { .script(sql, $0) }
    }

    /// Ends the connection after the work that is already queued.
    public func close() { mailbox.close() }

    /// False once the connection is lost or closed, or must not be used again.
    public var isUsable: Bool { mailbox.state.withLock { !$0.isDead && !$0.closing } }

    /// After the last finished work: is a transaction open?
    public var isInTransaction: Bool { mailbox.state.withLock { $0.isInTransaction } }

    /// The server process behind this connection, as in `pg_stat_activity`.
    public var backendProcessID: Int32 { mailbox.state.withLock { $0.backendProcessID } }

    private func result(
        _ job: (@escaping @Sendable (Result<[ResultSet], PostgresError>) -> Void) -> ConnectionJob
    ) async throws(PostgresError) -> [ResultSet] {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<[ResultSet], PostgresError>, Never>) in
            mailbox.post(job { continuation.resume(returning: $0) })
        }
        return try result.get()
    }
}

/// A message of `NOTIFY`.
public struct PostgresNotification: Sendable, Hashable {
    public var channel: String
    public var payload: String
}
