import Activities
import Gateway
import Postgres

/// The gateway's way to the tables of the schema upgrades.
struct UpgradeCounter: UpgradeDesk {
    private let intake: UpgradeIntake

    init(pool: PostgresPool) { intake = UpgradeIntake(pool: pool) }

    // MARK: Sets

    func storeSet(sha256: String, body: Gateway.JSONValue) async throws -> DeskVerdict {
        guard let members = body["files"]?.members, body.members?.count == 1 else {
            return .refused([DeskFault("/files", "expected an object of texts by file name, and nothing else")])
        }
        var files: [String: String] = [:]
        for member in members {
            guard let text = member.value.text else {
                return .refused([DeskFault("/files/\(Self.escaped(member.name))", "expected a text")])
            }
            files[member.name] = text
        }
        do {
            let stored = try await intake.store(sha256: sha256.lowercased(), files: files)
            return .ok(try Self.view(stored.set, stored.findings, created: stored.isNew))
        } catch let unusable as MigrationSet.Unusable {
            return .refused(
                unusable.faults.map { fault in
                    let place = fault.file.isEmpty ? "" : "/\(Self.escaped(fault.file))"
                    return DeskFault("/files\(place)", "\(fault.field): \(fault.reason)")
                })
        } catch let fault as UpgradeIntake.Fault {
            return .refused([Self.fault(fault)])
        }
    }

    func set(sha256: String) async throws -> DeskVerdict {
        guard let set = try await intake.set(sha256.lowercased()) else {
            return .notFound("there is no migration set with this checksum")
        }
        return .ok(try Self.view(set, MigrationLint.findings(of: set), created: nil))
    }

    private static func view(
        _ set: MigrationSet, _ findings: [LintFinding], created: Bool?
    ) throws -> Gateway.JSONValue {
        let migrations = set.migrations.map { migration in
            Gateway.JSONValue.record(
                ("version", .string(migration.version.description)), ("name", .string(migration.name)),
                ("file", .string(migration.file)), ("phase", .string(migration.phase.rawValue)),
                ("tx", .bool(migration.isTransactional)), ("irreversible", .bool(migration.isIrreversible)),
                ("checksum", .string(migration.checksum)))
        }
        return .record(
            ("sha256", .string(set.sha256)), ("created", created.map { .bool($0) }),
            ("migrations", .array(migrations)), ("findings", try Bridge.encode(findings)),
            ("blocked", .bool(findings.contains(where: \.isBlocking))))
    }

    private static func escaped(_ name: String) -> String {
        name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }

    private static func fault(_ fault: UpgradeIntake.Fault) -> DeskFault {
        DeskFault(fault.path.map { "/" + escaped($0) }.joined(), fault.detail)
    }

    // MARK: Upgrades

    func prepare(_ request: Gateway.JSONValue) async throws -> DeskVerdict {
        guard let version = request["targetVersion"]?.text, MigrationVersion(version) != nil else {
            return .refused([DeskFault("/target_version", "expected V{major.minor}")])
        }
        let asked: UpgradeRequest
        do {
            asked = try Bridge.decode(UpgradeRequest.self, request)
        } catch {
            return .refused([Bridge.fault(error)])
        }
        switch try await intake.check(asked) {
        case .refused(let faults): return .refused(faults.map(Self.fault))
        case .nothingToDo: return .ok(.record(("nothing_to_do", true)))
        case .ready(let ready): return .ok(.record(("request", try Bridge.encode(ready))))
        }
    }

    func upgrade(id: String) async throws -> DeskVerdict {
        guard let fleet = try await intake.fleet(id) else { return .notFound("it has not begun yet") }
        return .ok(try Bridge.encode(fleet))
    }

    func tenants(upgrade: String, state: String, after: [String]?, limit: Int) async throws -> DeskPage {
        let tenants = try await intake.tenants(of: upgrade, state: state, after: after, limit: limit + 1)
        let page = tenants.prefix(limit)
        let next = tenants.count > limit ? page.last.map { [$0.pass, $0.tenant] } : nil
        return DeskPage(items: try page.map { try Bridge.encode($0) }, next: next)
    }

    // MARK: Tenants

    func saveTenant(id: String, body: Gateway.JSONValue) async throws -> DeskVerdict {
        guard let reference = body["dsn_ref"]?.text, reference.split(separator: "/").count == 2 else {
            return .refused([DeskFault("/dsn_ref", "expected {cluster}/{database}, never an address")])
        }
        for member in body.members ?? [] where !["dsn_ref", "name", "region", "tier"].contains(member.name) {
            return .refused([DeskFault("/\(Self.escaped(member.name))", "is not a known field")])
        }
        let tenant = UpgradeIntake.Tenant(
            id: id, name: body["name"]?.text ?? id, dsnRef: reference, region: body["region"]?.text ?? "",
            tier: body["tier"]?.text ?? "")
        try await intake.save(tenant)
        return try await self.tenant(id: id)
    }

    func tenant(id: String) async throws -> DeskVerdict {
        guard let tenant = try await intake.tenants(after: "", limit: 1, only: id).first else {
            return .notFound("there is no tenant with this id")
        }
        return .ok(try Bridge.encode(tenant))
    }

    func allTenants(after: [String]?, limit: Int) async throws -> DeskPage {
        let tenants = try await intake.tenants(after: after?.first ?? "", limit: limit + 1)
        let page = tenants.prefix(limit)
        return DeskPage(
            items: try page.map { try Bridge.encode($0) },
            next: tenants.count > limit ? page.last.map { [$0.id] } : nil)
    }
}
