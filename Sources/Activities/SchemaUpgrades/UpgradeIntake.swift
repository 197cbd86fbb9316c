import Foundation
public import Postgres

/// What the outside may ask of the tables of the schema upgrades.
public struct UpgradeIntake: Sendable {
    private let pool: PostgresPool

    public init(pool: PostgresPool) { self.pool = pool }

    /// A field that was refused, as a path of names.
    public struct Fault: Error, Hashable, Sendable {
        public var path: [String]
        public var detail: String

        init(_ path: [String], _ detail: String) {
            self.path = path
            self.detail = detail
        }
    }

    // MARK: Sets

    public struct Stored: Sendable {
        public var isNew: Bool
        public var set: MigrationSet
        public var findings: [LintFinding]
    }

    /// Stores a set under its checksum.
    ///
    /// - Throws: ``MigrationSet/Unusable``; ``Fault`` when the checksum is another one.
    public func store(sha256: String, files: [String: String]) async throws -> Stored {
        let set = try MigrationSet(files: files)
        guard set.sha256 == sha256 else {
            throw Fault(["files"], "the checksum of the files is \(set.sha256)")
        }
        let text = try PaymentJSON.text(files)
        let isNew = try await self.pool.withTransaction { connection in
            let put = try await connection.query(UpgradeStatements.putSet) {
                $0.text(sha256)
                $0.text(text)
            }
            guard put.count == 1 else { return false }
            for (ordinal, migration) in set.migrations.enumerated() {
                try await connection.query(UpgradeStatements.putMigration) { parameters in
                    parameters.text(sha256)
                    parameters.text(migration.version.description)
                    parameters.int32(Int32(clamping: ordinal))
                    parameters.text(migration.name)
                    parameters.text(migration.checksum)
                    parameters.text(migration.up)
                    parameters.text(migration.down)
                    parameters.text(migration.phase.rawValue)
                    parameters.bool(migration.isTransactional)
                }
            }
            return true
        }
        return Stored(isNew: isNew, set: set, findings: MigrationLint.findings(of: set))
    }

    /// A stored set; nil when there is none of this name.
    public func set(_ sha256: String) async throws -> MigrationSet? {
        let rows = try await self.pool.query(UpgradeStatements.set) { $0.text(sha256) }
        guard rows.count == 1 else { return nil }
        return try MigrationSet(files: try PaymentJSON.value([String: String].self, try rows[0].text(0)))
    }

    // MARK: Starting

    public enum Verdict: Sendable {
        case ready(UpgradeRequest)
        /// Every tenant has the version already.
        case nothingToDo
        case refused([Fault])
    }

    /// Whether what was asked for can be begun.
    public func check(_ request: UpgradeRequest) async throws -> Verdict {
        var faults: [Fault] = []
        let set = try await self.set(request.migrationSet)
        if let set {
            if set[request.targetVersion] == nil {
                faults.append(Fault(["target_version"], "is not in the migration set"))
            }
        } else {
            faults.append(Fault(["migration_set"], "was not uploaded"))
        }
        if let window = request.window, TimeZone(identifier: window.timeZone) == nil {
            faults.append(Fault(["window", "tz"], "is not a known time zone"))
        }
        let found = try await self.versions(of: request)
        if let ids = request.tenants.ids {
            let known = Set(found.map(\.tenant))
            for (index, id) in ids.enumerated() where !known.contains(id) {
                faults.append(Fault(["tenants", "\(index)"], "is not a known tenant"))
            }
        } else if found.isEmpty {
            faults.append(Fault(["tenants"], "no tenant is meant"))
        }
        guard faults.isEmpty else { return .refused(faults) }
        return found.allSatisfy { $0.version == request.targetVersion } ? .nothingToDo : .ready(request)
    }

    private func versions(
        of request: UpgradeRequest
    ) async throws -> [(tenant: String, version: MigrationVersion?)] {
        let rows = try await self.pool.query(UpgradeStatements.tenantsOf) {
            $0.text(request.service)
            $0.texts(request.tenants.ids ?? [])
            $0.text(request.tenants.tier ?? "")
            $0.text(request.tenants.region ?? "")
            $0.int32(Int32(clamping: UpgradeServices.tenantsMax))
        }
        return try rows.map { row throws(PostgresError) in
            (try row.text(0), try row.textOrNil(1).flatMap { MigrationVersion($0) })
        }
    }

    // MARK: Looking

    public struct FleetView: Codable, Sendable {
        public var service: String
        public var targetVersion: String
        public var migrationSet: String
        public var state: String
        public var total: Int
        public var counts: [String: Int]

        enum CodingKeys: String, CodingKey {
            case service, state, total, counts
            case targetVersion = "target_version"
            case migrationSet = "migration_set"
        }
    }

    public func fleet(_ upgrade: String) async throws -> FleetView? {
        let rows = try await self.pool.query(UpgradeStatements.fleet) { $0.text(upgrade) }
        guard rows.count == 1 else { return nil }
        let counted = try await self.pool.query(UpgradeStatements.counts) { $0.text(upgrade) }
        var counts: [String: Int] = [:]
        for index in 0..<counted.count { counts[try counted[index].text(0)] = Int(try counted[index].int64(1)) }
        return FleetView(
            service: try rows[0].text(0), targetVersion: try rows[0].text(1), migrationSet: try rows[0].text(2),
            state: try rows[0].text(3), total: Int(try rows[0].int32(4)), counts: counts)
    }

    public struct TenantView: Codable, Sendable {
        public var tenant: String
        public var pass: String
        public var wave: Int
        public var state: String
        public var step: String
        public var fromVersion: String?
        public var error: String?
        /// Unix seconds.
        public var startedAt: Double?
        public var endedAt: Double?

        enum CodingKeys: String, CodingKey {
            case tenant, pass, wave, state, step, error
            case fromVersion = "from_version"
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }
    }

    /// - Parameter after: the pass and the tenant of the last item.
    public func tenants(
        of upgrade: String, state: String, after: [String]?, limit: Int
    ) async throws -> [TenantView] {
        let place = after ?? ["", ""]
        guard place.count == 2 else { return [] }
        let rows = try await self.pool.query(UpgradeStatements.tenantPage) {
            $0.text(upgrade)
            $0.text(state)
            $0.text(place[0])
            $0.text(place[1])
            $0.int32(Int32(clamping: limit))
        }
        return try rows.map { row throws(PostgresError) in
            TenantView(
                tenant: try row.text(0), pass: try row.text(1), wave: Int(try row.int32(2)), state: try row.text(3),
                step: try row.text(4), fromVersion: try row.textOrNil(5), error: try row.textOrNil(6),
                startedAt: try row.microsecondsSince1970OrNil(7).map { Double($0) / 1e6 },
                endedAt: try row.microsecondsSince1970OrNil(8).map { Double($0) / 1e6 })
        }
    }

    // MARK: Tenants

    public struct Tenant: Codable, Sendable {
        public struct Version: Codable, Sendable {
            public var service: String
            public var schemaVersion: String?
            public var routeVersion: String?

            enum CodingKeys: String, CodingKey {
                case service
                case schemaVersion = "schema_version"
                case routeVersion = "route_version"
            }
        }

        public var id: String
        public var name: String
        public var dsnRef: String
        public var region: String
        public var tier: String
        public var versions: [Version]

        enum CodingKeys: String, CodingKey {
            case id, name, region, tier, versions
            case dsnRef = "dsn_ref"
        }

        public init(id: String, name: String, dsnRef: String, region: String, tier: String) {
            self.id = id
            self.name = name
            self.dsnRef = dsnRef
            self.region = region
            self.tier = tier
            self.versions = []
        }
    }

    public func save(_ tenant: Tenant) async throws {
        try await self.pool.query(UpgradeStatements.putTenant) { parameters in
            parameters.text(tenant.id)
            parameters.text(tenant.name)
            parameters.text(tenant.dsnRef)
            parameters.text(tenant.region)
            parameters.text(tenant.tier)
        }
    }

    /// Tenants by id, with their versions.
    public func tenants(after: String, limit: Int, only: String? = nil) async throws -> [Tenant] {
        let rows = try await self.pool.query(UpgradeStatements.tenantList) {
            $0.text(after)
            $0.text(only)
            $0.int32(Int32(clamping: limit))
        }
        var tenants: [Tenant] = []
        for index in 0..<rows.count {
            let row = rows[index]
            var tenant = Tenant(
                id: try row.text(0), name: try row.text(1), dsnRef: try row.text(2), region: try row.text(3),
                tier: try row.text(4))
            tenant.versions = try PaymentJSON.value([Tenant.Version].self, try row.text(5))
            tenants.append(tenant)
        }
        return tenants
    }
}
