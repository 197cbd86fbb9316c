import History
public import Postgres
public import Runtime

/// The storage protocols of the runtime on Postgres.
///
/// Two pools: one for commits, whose plans are forced onto the indexes (on fresh tables, without statistics, an update by
/// `unnest` would otherwise keep a plan three times slower), one for everything else.
public final class PostgresStore: RunStore, RequestStore, NamespaceStore, LeaseStore, OutboxStore, Sendable {
    public struct Configuration: Sendable {
        public var postgres: PostgresConfiguration
        public var laneCount: Int
        public var writerConnectionsMax = 4
        public var readerConnectionsMax = 8
        /// Marks of the relay kept per lane.
        public var relayMarksMax = 4096
        /// How long a statement may run.
        public var statementTimeout = Duration.seconds(30)

        public init(_ postgres: PostgresConfiguration, laneCount: Int) {
            self.postgres = postgres
            self.laneCount = laneCount
        }
    }

    let configuration: Configuration
    let writers: PostgresPool
    let readers: PostgresPool
    let currentRuns: CurrentRunLookups

    private init(_ configuration: Configuration) {
        self.configuration = configuration
        var timeout = configuration.postgres
        timeout.settings += [
            ("statement_timeout", "\(configuration.statementTimeout.components.seconds)s"), ("jit", "off"),
            ("synchronous_commit", "on"), ("default_transaction_isolation", "read committed"),
        ]
        var writing = timeout
        writing.applicationName += " writer"
        writing.settings += [
            ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"), ("enable_bitmapscan", "off"),
        ]
        var writerLimits = PostgresPool.Limits()
        writerLimits.connectionsMax = configuration.writerConnectionsMax
        var readerLimits = PostgresPool.Limits()
        readerLimits.connectionsMax = configuration.readerConnectionsMax
        let writers = PostgresPool(writing, limits: writerLimits)
        self.writers = writers
        readers = PostgresPool(timeout, limits: readerLimits)
        // Through the pool that is held to the indexes.
        currentRuns = CurrentRunLookups { keys in await Self.lookUp(keys, in: writers) }
    }

    deinit { close() }

    /// Opens a database whose schema is up to date and makes its lanes.
    ///
    /// - Throws: ``StoreError/corrupt(_:)`` when the schema is not this program's, or the database was made with another number of lanes.
    public static func open(_ configuration: Configuration) async throws(StoreError) -> PostgresStore {
        switch try await SchemaMigrator(configuration.postgres).status() {
        case .upToDate: break
        case .behind(let missing, _): throw .corrupt("\(missing) migration(s) are missing: run `aloft schema apply`")
        case .incompatible(let reason): throw .corrupt(reason)
        }
        let store = PostgresStore(configuration)
        let results = try await store.run([
            LeaseStatements.addLanes.call { $0.int32(Int32(configuration.laneCount)) },
            LeaseStatements.countLanes.call(),
        ])
        let lanes = try store.decode { () throws(PostgresError) in try results[1][0].int64(0) }
        guard lanes == Int64(configuration.laneCount) else {
            throw .corrupt("the database has \(lanes) lanes, the configuration says \(configuration.laneCount)")
        }
        return store
    }

    /// Ends all connections; whatever still waits is refused.
    public func close() {
        writers.close()
        readers.close()
    }

    /// Does Postgres answer?
    public func isReachable() async -> Bool { await readers.isReachable() }

    /// Runs calls in one transaction, outside the group commit.
    func run(_ calls: [StatementCall]) async throws(StoreError) -> [ResultSet] {
        do throws(PostgresError) {
            return try await readers.pipeline(calls)
        } catch {
            throw StoreError(error)
        }
    }

    /// Reads, and asks again once when the connection broke: reading twice changes nothing.
    func read(_ call: StatementCall) async throws(StoreError) -> ResultSet { try await Self.read(call, from: readers) }

    static func read(_ call: StatementCall, from pool: PostgresPool) async throws(StoreError) -> ResultSet {
        do throws(PostgresError) {
            return try await pool.query(call)
        } catch {
            guard error.kind == .outcomeUnknown else { throw StoreError(error) }
        }
        do throws(PostgresError) {
            return try await pool.query(call)
        } catch {
            throw error.kind == .outcomeUnknown ? .unavailable("\(error)") : StoreError(error)
        }
    }

    func decode<Value>(_ body: () throws(PostgresError) -> Value) throws(StoreError) -> Value { try Self.decode(body) }

    static func decode<Value>(_ body: () throws(PostgresError) -> Value) throws(StoreError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            throw StoreError(error)
        }
    }
}
