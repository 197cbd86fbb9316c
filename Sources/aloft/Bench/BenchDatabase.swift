import Postgres

/// What Postgres counts of itself.
struct PostgresCounters: Sendable {
    /// Transactions that wrote something, by their numbers: the statistics views lag by seconds.
    var commits: Double
    var walBytes: Double

    private static let statement = Statement(
        "bench_counters",
        "select pg_snapshot_xmax(pg_current_snapshot())::text::float8, (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8")

    static func read(_ pool: PostgresPool) async throws -> PostgresCounters {
        let rows = try await pool.query(statement)
        guard let row = rows.first else { throw CommandFailure("Postgres tells no counters") }
        return PostgresCounters(commits: try row.double(0), walBytes: try row.double(1))
    }
}
