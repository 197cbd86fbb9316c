public import Foundation
public import Postgres

/// Where tenants' databases are, and how careful the steps are with them.
public struct UpgradeSettings: Sendable {
    /// A connection string for each cluster; `{database}` stands for the tenant's database. Never leaves the worker.
    public var clusters: [String: String]
    /// Where backups are kept.
    public var backupFolder: URL
    /// Where `pg_dump` and `pg_restore` are.
    public var programFolder = "/usr/lib/postgresql/15/bin"
    public var leaseSeconds = 60.0
    /// Older transactions of others hold an upgrade up.
    public var oldTransactionSeconds = 60.0
    public var replicaLagSecondsMax = 30.0
    /// With more busy sessions a backfill waits.
    public var activeSessionsMax: Int64 = 64
    public var backupRetentionSeconds = 7.0 * 24 * 3600
    /// How long an operation on a tenant that takes as long as it takes may stay silent.
    public var longAnswerSeconds = 6.0 * 3600

    public init(clusters: [String: String], backupFolder: URL) {
        self.clusters = clusters
        self.backupFolder = backupFolder
    }

    /// The connection string of a tenant's database, from its reference `{cluster}/{database}`.
    func url(of reference: String) -> (cluster: String, url: String)? {
        guard let slash = reference.firstIndex(of: "/") else { return nil }
        let cluster = String(reference[..<slash])
        let database = String(reference[reference.index(after: slash)...])
        let isPlain = database.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        guard let template = self.clusters[cluster], !database.isEmpty, isPlain else { return nil }
        return (cluster, template.replacingOccurrences(of: "{database}", with: database))
    }
}

/// What the activities of the schema upgrades need of the world.
public struct UpgradeServices: Sendable {
    let pool: PostgresPool
    let settings: UpgradeSettings
    let failpoints: Failpoints
    let gates = TenantGates()
    let sets = SetCache()

    public init(pool: PostgresPool, settings: UpgradeSettings, failpoints: Failpoints = .none) {
        self.pool = pool
        self.settings = settings
        self.failpoints = failpoints
    }

    /// The clusters whose tenants this worker can reach, in order.
    public var clusters: [String] { self.settings.clusters.keys.sorted() }

    // MARK: Our own tables

    /// Runs a transaction and names its failures as ours.
    func transaction<Result>(_ body: (PostgresTransaction) async throws -> Result) async throws -> Result {
        do {
            return try await self.pool.withTransaction(body)
        } catch let error as PostgresError {
            throw EffectFailure(error)
        }
    }

    /// Runs one statement and names its failures as ours.
    @discardableResult
    func query(_ statement: Statement, _ fill: (inout Parameters) -> Void) async throws -> ResultSet {
        do {
            return try await self.pool.query(statement, fill)
        } catch {
            throw EffectFailure(error)
        }
    }

    /// An effect on our own tables: one transaction, done once however often it is asked for.
    func once<Result: Codable & Sendable>(
        _ op: OperationID, _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        try await self.transaction { connection in
            let claimed = try await connection.query(UpgradeStatements.claimOp) { $0.text(op.value) }
            if claimed.count == 0 {
                let rows = try await connection.query(UpgradeStatements.readOp) { $0.text(op.value) }
                guard rows.count == 1, let text = try rows[0].textOrNil(0) else {
                    throw EffectFailure(.conflict, "the operation is under way elsewhere")
                }
                return try PaymentJSON.value(Result.self, text)
            }
            let result = try await body(connection)
            let text = try PaymentJSON.text(result)
            try await connection.query(UpgradeStatements.endOp) {
                $0.text(op.value)
                $0.text(text)
            }
            return result
        }
    }

    /// The stored result of an effect; nil when it never happened.
    func result<Result: Decodable>(of op: OperationID, as type: Result.Type) async throws -> Result? {
        let rows = try await self.query(UpgradeStatements.readOp) { $0.text(op.value) }
        guard rows.count == 1, let text = try rows[0].textOrNil(0) else { return nil }
        return try PaymentJSON.value(type, text)
    }

    /// Puts an event into the outbox; it becomes visible with the transaction.
    func publish(
        _ type: String, subject: String, tenant: String, _ data: [String: String], op: String, scope: EffectScope,
        in connection: PostgresTransaction
    ) async throws {
        let text = try PaymentJSON.text(data)
        let family = type.hasPrefix("route.") ? "route" : "mig"
        try await connection.query(UpgradeStatements.publish) { parameters in
            parameters.text(scope.namespace)
            parameters.text(family)
            parameters.text(type)
            parameters.text(subject)
            parameters.text(text)
            parameters.text(op)
            parameters.text(scope.workflowID)
            parameters.text(tenant)
        }
    }

    // MARK: Sets

    /// A stored set; checked against its own name.
    func loadSet(_ sha256: String) async throws -> MigrationSet {
        if let known = self.sets[sha256] { return known }
        let rows = try await self.query(UpgradeStatements.set) { $0.text(sha256) }
        guard rows.count == 1 else { throw EffectFailure(.invalid, "there is no migration set \(sha256)") }
        let files = try PaymentJSON.value([String: String].self, try rows[0].text(0))
        let set: MigrationSet
        do {
            set = try MigrationSet(files: files)
        } catch {
            throw EffectFailure(.invalid, error.description)
        }
        guard set.sha256 == sha256 else {
            throw EffectFailure(.permanent(code: "ChecksumDrift"), "the stored set is not the one of its name")
        }
        self.sets.keep(set)
        return set
    }

    func migration(_ step: TenantStep) async throws -> Migration {
        guard let version = step.version, let migration = try await self.loadSet(step.migrationSet)[version] else {
            throw EffectFailure(.invalid, "there is no migration \(step.version?.description ?? "") in the set")
        }
        return migration
    }
}
