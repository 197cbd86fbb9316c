public import Postgres
public import Runtime

/// Brings a database to the schema this program was built for.
public struct SchemaMigrator: Sendable {
    /// How a database stands to this program's schema.
    public enum Status: Sendable, Hashable {
        case upToDate
        /// So many migrations are missing; 0 have been applied when `isEmpty`.
        case behind(missing: Int, isEmpty: Bool)
        /// A newer program was here, or a migration was changed after it was applied.
        case incompatible(String)
    }

    private let configuration: PostgresConfiguration

    public init(_ configuration: PostgresConfiguration) { self.configuration = configuration }

    public func status() async throws(StoreError) -> Status {
        do throws(PostgresError) {
            return try await status(try await PostgresConnection.connect(configuration))
        } catch {
            throw StoreError(error)
        }
    }

    /// Applies what is missing, each migration in a transaction of its own. Safe to call from several programs at once and again.
    ///
    /// - Returns: The names of the migrations that were applied.
    public func apply() async throws(StoreError) -> [String] {
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(configuration)
            try await connection.script("select pg_advisory_lock(\(Self.lockKey))")
            let missing: Int
            switch try await status(connection) {
            case .upToDate: return []
            case .behind(let count, _): missing = count
            case .incompatible(let reason): throw PostgresError(.unexpectedAnswer, reason: reason)
            }
            let steps = Migration.all.suffix(missing)
            for step in steps { try await connection.script("begin;\n\(step.sql)\n\(Self.record(step))\ncommit;") }
            return steps.map(\.name)
        } catch {
            throw StoreError(error)
        }
    }

    /// Any constant will do, as long as nobody else uses it.
    private static let lockKey = 6_206_150_001

    private func status(_ connection: PostgresConnection) async throws(PostgresError) -> Status {
        let exists = try await connection.query(MigrationStatements.tableExists.call())
        guard try exists.first?.bool(0) == true else { return .behind(missing: Migration.all.count, isEmpty: true) }
        let applied = try await connection.query(MigrationStatements.applied.call())
        for index in 0..<applied.count {
            let version = try applied[index].int32(0)
            guard index < Migration.all.count else {
                return .incompatible("migration \(version) is from a newer program")
            }
            let expected = Migration.all[index]
            let checksum = try applied[index].text(2)
            guard version == expected.version, checksum == expected.checksum else {
                return .incompatible("migration \(version) is not the one this program knows")
            }
        }
        let missing = Migration.all.count - applied.count
        return missing == 0 ? .upToDate : .behind(missing: missing, isEmpty: false)
    }

    /// Migrations are ours, so their names need no escaping; a script takes no parameters.
    private static func record(_ step: Migration) -> String {
        "insert into aloft.schema_migrations (version, name, checksum) values (\(step.version), '\(step.name)', '\(step.checksum)');"
    }
}
