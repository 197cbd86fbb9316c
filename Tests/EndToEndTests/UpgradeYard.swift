import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServerTestKit

/// A platform team with tenants' databases, talking to a stage over HTTP and SQL.
struct UpgradeYard: Sendable {
    let stage: Stage
    private var desk: PaymentDesk { PaymentDesk(stage: self.stage) }

    init(stage: Stage) { self.stage = stage }

    static let noSoak =
        #"[{"name": "canary", "percent": 1, "min": 1}, {"name": "early", "percent": 10}, {"name": "rest", "percent": 100}]"#

    // MARK: Tenants

    /// Databases of tenants, all alike, known to the system.
    func makeTenants(_ count: Int, rows: Int = 200) async throws -> [String] {
        let tenants = (1...count).map { $0 < 10 ? "t0\($0)" : "t\($0)" }
        try await self.run("create database template_t", in: "postgres")
        try await self.run(
            """
            create table people (id bigint primary key, email text, name text, old_name text, changes int not null default 0);
            insert into people (id, email) select n, 'p' || n || '@example.org' from generate_series(1, \(rows)) n;
            create function count_changes() returns trigger language plpgsql as
                'begin new.changes := old.changes + 1; return new; end';
            create trigger counting before update on people for each row execute function count_changes();
            """, in: "template_t")
        for tenant in tenants {
            try await self.run("create database \(tenant) template template_t", in: "postgres")
            try await self.put(tenant, reference: "main/\(tenant)")
        }
        return tenants
    }

    func put(_ tenant: String, reference: String) async throws {
        let answer = try await self.desk.call(
            "PUT", "\(self.stage.gatewayURL)/v1/tenants/\(tenant)",
            body: #"{"dsn_ref": "\#(reference)", "tier": "gold"}"#)
        guard answer.status == 200 else { throw ServerFailure("tenant: \(answer.status) \(answer.text)") }
    }

    func run(_ sql: String, in database: String) async throws {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.stage.tenantURL(database), applicationName: "yard"))
        defer { connection.close() }
        try await connection.script(sql)
    }

    func texts(_ sql: String, in database: String) async throws -> [String] {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.stage.tenantURL(database), applicationName: "yard"))
        defer { connection.close() }
        let rows = try await connection.query(Statement("", sql).call())
        return try rows.map { row throws(PostgresError) in try row.textOrNil(0) ?? "NULL" }
    }

    func rows(_ sql: String) async throws -> [String] { try await self.desk.rows(sql) }

    func history(_ tenant: String) async throws -> [String] {
        try await self.texts("select version || ' ' || state from _wf.schema_history order by version", in: tenant)
    }

    /// Columns, indexes and constraints of the tenant's own tables.
    func schema(_ tenant: String) async throws -> [String] {
        try await self.texts(
            """
            select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull from pg_attribute a
                where a.attrelid = 'people'::regclass and a.attnum > 0 and not a.attisdropped
            union all select pg_get_indexdef(indexrelid) || ' ' || indisvalid from pg_index
                where indrelid = 'people'::regclass
            order by 1
            """, in: tenant)
    }

    // MARK: Sets

    static let set = [
        "V1.0__age.sql": "-- phase: expand\n-- down: V1.0.down.sql\nalter table people add column age int;",
        "V1.0.down.sql": "alter table people drop column age;",
        "V2.0__email.sql":
            "-- phase: expand\n-- tx: false\n-- down: V2.0.down.sql\ncreate unique index concurrently people_email on people (email);",
        "V2.0.down.sql": "drop index concurrently if exists people_email;",
        "V3.0__names.sql":
            "-- phase: backfill\n-- backfill: people,id,50,0\n-- verify: V3.0.verify.sql\nupdate people set name = 'n' || id where name is null;",
        "V3.0.verify.sql": "select id from people where name is null;",
    ]

    /// Uploads a set.
    ///
    /// - Returns: its checksum.
    func upload(_ files: [String: String] = set) async throws -> String {
        func digest(_ text: String) -> String {
            SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let sha256 = digest(files.keys.sorted().map { "\($0)\n\(digest(files[$0] ?? ""))\n" }.joined())
        let body = try JSONSerialization.data(withJSONObject: ["files": files])
        let answer = try await self.desk.call(
            "PUT", "\(self.stage.gatewayURL)/v1/migration-sets/\(sha256)", body: String(decoding: body, as: UTF8.self))
        guard [200, 201].contains(answer.status) else { throw ServerFailure("set: \(answer.status) \(answer.text)") }
        return sha256
    }

    // MARK: Upgrades

    func post(_ fields: [String: Any], set: String, to target: String = "V3") async throws -> PaymentDesk.Answer {
        var body: [String: Any] = [
            "service": "shop", "target_version": target, "migration_set": set, "backup": false,
            "waves": try JSONSerialization.jsonObject(with: Data(Self.noSoak.utf8)), "lock_timeout_ms": 500,
        ]
        body.merge(fields) { $1 }
        let data = try JSONSerialization.data(withJSONObject: body)
        return try await self.desk.call(
            "POST", "\(self.stage.gatewayURL)/v1/schema-upgrades", headers: [("idempotency-key", UUID().uuidString)],
            body: String(decoding: data, as: UTF8.self))
    }

    /// Starts an upgrade and returns its id.
    func start(
        _ files: [String: String] = set, to target: String = "V3", with fields: [String: Any] = [:]
    ) async throws -> String {
        let answer = try await self.post(fields, set: try await self.upload(files), to: target)
        guard answer.status == 202, let id = answer.json["upgrade_id"] as? String else {
            throw ServerFailure("start: \(answer.status) \(answer.text)")
        }
        return id
    }

    func upgrade(_ id: String) async throws -> [String: Any] {
        try await self.desk.call("GET", "\(self.stage.gatewayURL)/v1/schema-upgrades/\(id)").json
    }

    func steer(_ id: String, _ action: String, _ body: String = "{}") async throws -> PaymentDesk.Answer {
        try await self.desk.call("POST", "\(self.stage.gatewayURL)/v1/schema-upgrades/\(id)/\(action)", body: body)
    }

    /// Waits for a status, or for what is waited for.
    @discardableResult
    func until(_ id: String, _ wanted: String, seconds: Double = 60) async throws -> [String: Any] {
        let end = ContinuousClock.now + .seconds(seconds)
        var last: [String: Any] = [:]
        while ContinuousClock.now < end {
            last = try await self.upgrade(id)
            let waiting = ((last["progress"] as? [String: Any])?["waiting_for"] as? [String: Any])?["name"] as? String
            let status = last["status"] as? String
            if status == wanted || waiting == wanted { return last }
            if status == "FAILED" { throw ServerFailure("failed: \(last)") }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerFailure("never \(wanted): \(last)")
    }

    func states(_ id: String) async throws -> [String] {
        try await self.rows(
            "select tenant || ' ' || state from wf_mig.tenant_run where upgrade = '\(id)' and pass = 'expand' order by ordinal"
        )
    }

    func eventually(_ what: String, seconds: Double = 30, _ condition: () async throws -> Bool) async throws {
        try await self.desk.until(what, seconds: seconds, condition)
    }
}
