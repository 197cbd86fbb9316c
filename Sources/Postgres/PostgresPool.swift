import Synchronization

/// A bounded set of connections. Callers wait their turn in order; a cancelled caller leaves the queue.
///
/// Connections are made when needed. One that broke, or came back with an open transaction, is thrown away; a lost server is
/// called again with growing, jittered pauses until ``Limits-swift.struct/connectPatience`` is over.
public final class PostgresPool: Sendable {
    public struct Limits: Sendable {
        public var connectionsMax = 8
        public var waitersMax = 10_000
        /// How long a caller keeps trying to reach a server that does not answer.
        public var connectPatience = Duration.seconds(5)
        public init() {}
    }

    private enum Grant: Sendable {
        /// A place, with an idle connection if there was one.
        case place(PostgresConnection?)
        case refused(PostgresError)
    }

    private struct Waiter {
        var id: UInt64
        var continuation: CheckedContinuation<Grant, Never>
    }

    private struct State {
        var idle: [PostgresConnection] = []
        var placesTaken = 0
        var waiters: [Waiter] = []
        var cancelled: Set<UInt64> = []
        var nextWaiter: UInt64 = 0
        var isClosed = false

        /// The connection used last (its caches are warm), skipping those that broke while idle.
        mutating func popUsable() -> PostgresConnection? {
            while let connection = idle.popLast() {
                if connection.isUsable { return connection }
            }
            return nil
        }
    }

    public let configuration: PostgresConfiguration
    private let limits: Limits
    private let state = Mutex(State())

    public init(_ configuration: PostgresConfiguration, limits: Limits = Limits()) {
        self.configuration = configuration
        self.limits = limits
    }

    /// Runs all calls in one round trip and one transaction; see ``PostgresConnection/pipeline(_:)``.
    ///
    /// A connection that turns out to be dead before anything was sent is replaced silently, once.
    public func pipeline(_ calls: [StatementCall]) async throws(PostgresError) -> [ResultSet] {
        for attempt in 0..<2 {
            let connection = try await checkOut()
            do throws(PostgresError) {
                let results = try await connection.pipeline(calls)
                giveBack(connection)
                return results
            } catch {
                giveBack(connection)
                guard error.kind == .connectionLost, attempt == 0 else { throw error }
            }
        }
        throw PostgresError(.connectionLost, reason: "lost twice")
    }

    /// One statement, alone, in a transaction of its own.
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

    /// Lends a connection; it must not be kept.
    public func withConnection<Result>(_ body: (PostgresConnection) async throws -> Result) async throws -> Result {
        let connection = try await checkOut()
        defer { giveBack(connection) }
        return try await body(connection)
    }

    /// Runs `body` in one transaction: committed when it returns, rolled back when it throws.
    ///
    /// Not repeated by itself. A ``PostgresError`` with ``PostgresError/isSafeToRetry`` may be answered by calling again; one of kind
    /// `outcomeUnknown` comes only from the commit itself.
    public func withTransaction<Result>(_ body: (PostgresTransaction) async throws -> Result) async throws -> Result {
        try await withConnection { connection in
            let transaction = PostgresTransaction(connection)
            let result: Result
            do {
                result = try await body(transaction)
            } catch {
                await transaction.rollBack()
                throw error
            }
            try await transaction.commit()
            return result
        }
    }

    /// Asks the server for a sign of life.
    public func isReachable() async -> Bool {
        do throws(PostgresError) {
            try await query(Self.ping.call())
            return true
        } catch {
            return false
        }
    }

    private static let ping = Statement("pool_ping", "select 1")

    /// Ends idle connections now and lent ones when they come back; waiters are refused.
    public func close() {
        let (idle, waiters) = state.withLock { state in
            state.isClosed = true
            defer {
                state.idle = []
                state.waiters = []
            }
            return (state.idle, state.waiters)
        }
        for connection in idle { connection.close() }
        for waiter in waiters {
            waiter.continuation.resume(returning: .refused(PostgresError(.closed, reason: "pool is closed")))
        }
    }

    // MARK: Lending

    private func checkOut() async throws(PostgresError) -> PostgresConnection {
        switch await takePlace() {
        case .refused(let error): throw error
        case .place(let connection):
            if let connection, connection.isUsable { return connection }
            return try await connectPatiently()
        }
    }

    private func takePlace() async -> Grant {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        // Cancellation may come before the caller is in the queue (remembered in `cancelled`), in it, or after its turn (too late).
        defer { _ = state.withLock { $0.cancelled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let grant: Grant? = state.withLock { state in
                    if state.isClosed { return .refused(PostgresError(.closed, reason: "pool is closed")) }
                    if state.cancelled.contains(id) { return .refused(Self.cancellation) }
                    if state.placesTaken < limits.connectionsMax {
                        state.placesTaken += 1
                        return .place(state.popUsable())
                    }
                    guard state.waiters.count < limits.waitersMax else {
                        return .refused(
                            PostgresError(.poolExhausted, reason: "\(limits.waitersMax) callers wait already"))
                    }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let grant { continuation.resume(returning: grant) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                if let index = state.waiters.firstIndex(where: { $0.id == id }) {
                    return state.waiters.remove(at: index)
                }
                state.cancelled.insert(id)
                return nil
            }
            waiter?.continuation.resume(returning: .refused(Self.cancellation))
        }
    }

    private static let cancellation = PostgresError(.cancelled, reason: "cancelled while waiting for a connection")

    private func connectPatiently() async throws(PostgresError) -> PostgresConnection {
        let deadline = ContinuousClock.now + limits.connectPatience
        var backoff = Backoff()
        while true {
            do throws(PostgresError) {
                return try await PostgresConnection.connect(configuration)
            } catch {
                let pause = backoff.next()
                let isClosed = state.withLock { $0.isClosed }
                guard !isClosed, !Task.isCancelled, ContinuousClock.now + pause < deadline else {
                    failWaiters(error)
                    freePlace(nil)
                    throw Task.isCancelled ? Self.cancellation : error
                }
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Whoever waits behind a server that cannot be reached learns it now, instead of trying for as long again.
    private func failWaiters(_ error: PostgresError) {
        guard error.kind == .connectFailed, !Task.isCancelled else { return }
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .refused(error)) }
    }

    private func giveBack(_ connection: PostgresConnection) {
        if connection.isUsable, !connection.isInTransaction {
            freePlace(connection)
        } else {
            connection.close()
            freePlace(nil)
        }
    }

    /// Hands the place (and the connection, if it is still good) to the next waiter, or keeps the connection for later.
    private func freePlace(_ connection: PostgresConnection?) {
        let (waiter, unwanted) = state.withLock { state -> (Waiter?, PostgresConnection?) in
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), nil) }
            state.placesTaken -= 1
            guard let connection else { return (nil, nil) }
            if state.isClosed { return (nil, connection) }
            state.idle.append(connection)
            return (nil, nil)
        }
        unwanted?.close()
        waiter?.continuation.resume(returning: .place(connection))
    }
}
