import Foundation
import Postgres
import ServerTestKit
import Testing

@testable import Activities

/// A private Postgres with the control tables and databases of tenants, and the activities between them.
struct UpgradeBench: Sendable {
    let postgres: PrivatePostgres
    let pool: PostgresPool
    let folder: URL

    /// Runs `body` with everything started, and stops it.
    static func with(
        tenants: [String] = ["t1"], _ body: @escaping @Sendable (UpgradeBench) async throws -> Void
    ) async throws {
        let postgres = try await PrivatePostgres.temporary()
        let folder = URL(filePath: "/tmp/aloft-upgrades-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
        let result: Result<Void, any Error>
        do {
            try await postgres.createDatabase("control")
            let pool = PostgresPool(PostgresConfiguration(url: postgres.url(database: "control")))
            let bench = UpgradeBench(postgres: postgres, pool: pool, folder: folder)
            try await pool.withConnection { connection in
                try await connection.script(
                    try String(contentsOf: Self.root.appending(path: "schema.sql"), encoding: .utf8))
                for _ in 0..<2 { try await connection.script(UpgradeSchema.sql) }  // again changes nothing
            }
            for tenant in tenants { try await bench.addTenant(tenant) }
            try await body(bench)
            pool.close()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await postgres.stop()
        try? FileManager.default.removeItem(at: folder)
        try result.get()
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    func addTenant(_ tenant: String) async throws {
        try await self.postgres.createDatabase(tenant)
        try await self.pool.query(UpgradeStatements.putTenant) {
            $0.text(tenant)
            $0.text(tenant)
            $0.text("main/\(tenant)")
            $0.text("eu")
            $0.text("gold")
        }
        try await self.run(
            """
            create table people (id bigint primary key, email text, name text);
            insert into people select n, 'p' || n || '@example.org', null from generate_series(1, 1000) n;
            """, in: tenant)
    }

    /// A worker's activities; a new one knows nothing of what the one before it did.
    func services(
        failpoints: String? = nil, _ change: (inout UpgradeSettings) -> Void = { _ in }
    ) -> UpgradeServices {
        var settings = UpgradeSettings(
            clusters: ["main": self.postgres.url(database: "{database}")], backupFolder: self.folder)
        change(&settings)
        return UpgradeServices(
            pool: self.pool, settings: settings, failpoints: failpoints.flatMap { Failpoints(parsing: $0) } ?? .none)
    }

    // MARK: Sets

    static let expand = [
        "V1.0__age.sql": "-- phase: expand\n-- down: V1.0__age.down.sql\nalter table people add column age int;",
        "V1.0__age.down.sql": "alter table people drop column age;",
        "V1.1__email.sql":
            "-- phase: expand\n-- tx: false\n-- down: V1.1__email.down.sql\ncreate unique index concurrently people_email on people (email);",
        "V1.1__email.down.sql": "drop index concurrently if exists people_email;",
        "V1.2__names.sql":
            "-- phase: backfill\n-- backfill: people,id,100,0\nupdate people p set name = 'n' || p.id where name is null;",
    ]

    /// Uploads a set and begins an upgrade to its last version.
    func begin(
        _ files: [String: String] = expand, upgrade: String = "up-000000000001",
        _ change: (inout UpgradeRequest) -> Void = { _ in }
    ) async throws -> FleetStep {
        let set = try MigrationSet(files: files)
        let text = try PaymentJSON.text(files)
        try await self.pool.query(UpgradeStatements.putSet) {
            $0.text(set.sha256)
            $0.text(text)
        }
        var request = UpgradeRequest(service: "shop", targetVersion: set.latest, migrationSet: set.sha256)
        change(&request)
        let step = FleetStep(upgrade: upgrade, workflowID: request.workflowID, request: request)
        _ = try await self.services().selectTenants(step, Self.scope())
        return step
    }

    /// A tenant's step with the lease taken.
    func leased(
        _ fleet: FleetStep, _ tenant: String = "t1", pass: UpgradePass = .expand, services: UpgradeServices? = nil,
        generation: Int = 0
    ) async throws -> TenantStep {
        var step = TenantStep(
            fleet.request, upgrade: fleet.upgrade, tenant: tenant, pass: pass, generation: generation)
        step.fence = try await (services ?? self.services()).takeLease(step, Self.scope()).fence
        return step
    }

    static func scope(_ workflow: String = "mig:shop:t1") -> EffectScope {
        EffectScope(workflowID: workflow, timeRemaining: .seconds(60))
    }

    static func version(_ text: String) -> MigrationVersion { MigrationVersion(text) ?? MigrationVersion(0, 0) }

    // MARK: Asking

    func texts(_ sql: String, in database: String = "t1") async throws -> [String] {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.postgres.url(database: database)))
        defer { connection.close() }
        let rows = try await connection.query(Statement("", sql).call())
        return try rows.map { row throws(PostgresError) in try row.textOrNil(0) ?? "NULL" }
    }

    func run(_ sql: String, in database: String = "t1") async throws {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.postgres.url(database: database)))
        defer { connection.close() }
        try await connection.script(sql)
    }

    func fingerprint(_ tenant: String = "t1") async throws -> String {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.postgres.url(database: tenant)))
        defer { connection.close() }
        let rows = try await connection.query(TenantStatements.catalog.call())
        return CatalogFingerprint.of(try rows.map { row throws(PostgresError) in try row.text(0) })
    }

    func history(_ tenant: String = "t1") async throws -> [String] {
        try await self.texts("select version || ' ' || state from _wf.schema_history order by version", in: tenant)
    }

    func columns(_ tenant: String = "t1") async throws -> [String] {
        try await self.texts(
            """
            select attname::text from pg_attribute where attrelid = 'people'::regclass and attnum > 0
            and not attisdropped order by 1
            """, in: tenant)
    }

    /// The failure of a step, as `type: message`.
    func failure(_ body: () async throws -> some Any) async -> String {
        do {
            _ = try await body()
            return "nothing failed"
        } catch let failure as EffectFailure {
            return failure.description
        } catch {
            return "\(error)"
        }
    }
}

/// A transaction of somebody else that stays open until it is told to end.
struct OpenTransaction: Sendable {
    private let connection: PostgresConnection

    init(_ bench: UpgradeBench, _ sql: String, in database: String = "t1") async throws {
        self.connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: bench.postgres.url(database: database)))
        try await self.connection.script("begin")
        try await self.connection.script(sql)
    }

    func end() async throws {
        try await self.connection.script("rollback")
        self.connection.close()
    }
}
