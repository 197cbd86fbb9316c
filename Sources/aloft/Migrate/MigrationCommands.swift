import Activities
import ArgumentParser
import Foundation

struct ApplyMigrations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Upload a folder and start the upgrade of a service's tenants.")
    @OptionGroup var migrations: MigrationFolder
    @OptionGroup var gateway: GatewayAddress
    @Option(name: .long, help: "The service whose tenants are meant.")
    var service: String
    @Option(name: .long, help: "Version to come to; the newest of the folder if not given.")
    var to: String?
    @Option(name: .long, parsing: .upToNextOption, help: "Only these tenants.")
    var tenants: [String] = []
    @Option(name: .long, help: "expand_contract, transactional or blue_green.")
    var strategy = "expand_contract"
    @Option(name: .long, help: "Tenants at once.")
    var maxConcurrent = 5
    @Option(name: .long, help: "stop or continue.")
    var onError = "stop"
    @Option(name: .long, help: "How many tenants may fail.")
    var maxFailed = 0
    @Option(name: .long, help: "Waves as JSON, as POST /v1/schema-upgrades takes them.")
    var waves: String?
    @Option(name: .long, parsing: .upToNextOption, help: "Gates: start, after_canary, contract; none for none.")
    var approvals: [String] = ["contract"]
    @Flag(name: .long, help: "No backups.")
    var noBackup = false
    @Flag(name: .long, help: "Only check: gate and scratch database.")
    var dryRun = false
    @Flag(name: .long, help: "Wait for the end, and show the tenants.")
    var wait = false

    func run() async throws {
        let (files, set) = try migrations.read()
        let desk = gateway
        try await desk.upload(files, sha256: set.sha256)
        let gates: [Printable] = approvals.filter { $0 != "none" }.map { Printable.string($0) }
        var fields: [(String, Printable)] = []
        fields.append(("service", .string(service)))
        fields.append(("target_version", .string(to ?? set.latest.description)))
        fields.append(("migration_set", .string(set.sha256)))
        fields.append(("strategy", .string(strategy)))
        fields.append(("max_concurrent", .integer(Int64(maxConcurrent))))
        fields.append(("on_error", .string(onError)))
        fields.append(("max_failed_tenants", .integer(Int64(maxFailed))))
        fields.append(("backup", .boolean(!noBackup)))
        fields.append(("approvals", .list(gates)))
        fields.append(("dry_run", .boolean(dryRun)))
        if !tenants.isEmpty { fields.append(("tenants", .list(tenants.map { Printable.string($0) }))) }
        if let waves { fields.append(("waves", .raw(waves))) }
        let started = try await desk.startUpgrade(.object(fields))
        guard let id = started["upgrade_id"]?.string else {
            return Terminal.line(started["note"]?.string ?? started.text)
        }
        Terminal.line("upgrade \(id) of \(service) to \(to ?? set.latest.description) has begun")
        if wait { try await MigrationStatus.follow(desk, id) }
    }
}

struct MigrationStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show an upgrade, its waves and its tenants.")
    @Argument(help: "The upgrade's id; the newest upgrades if not given.")
    var id: String?
    @Option(name: .long, help: "Only tenants in this state.")
    var state = ""
    @Flag(name: .long, help: "Wait for the end.")
    var follow = false
    @OptionGroup var gateway: GatewayAddress
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let desk = gateway
        guard let id else { return try await list(desk) }
        if follow { return try await Self.follow(desk, id) }
        let upgrade = try await desk.ask("GET", "/v1/schema-upgrades/\(id)")
        if output.format == .json { return Terminal.line(upgrade.text) }
        Self.show(upgrade)
        let path = "/v1/schema-upgrades/\(id)/tenants?limit=200" + (state.isEmpty ? "" : "&state=\(state)")
        guard case .array(let tenants)? = try await desk.ask("GET", path)["items"] else { return }
        Terminal.table(
            tenants.map { tenant -> [String] in
                let cells = ["tenant", "pass", "state", "step", "error"].map { name in tenant[name]?.string ?? "" }
                return ["  \(cells[0])"] + cells.dropFirst()
            })
    }

    private func list(_ desk: GatewayAddress) async throws {
        let answer = try await desk.ask("GET", "/v1/schema-upgrades")
        guard output.format == .text, case .array(let upgrades)? = answer["items"] else {
            return Terminal.line(answer.text)
        }
        Terminal.table(
            upgrades.map { upgrade -> [String] in
                ["upgrade_id", "service", "workflow_status", "created_at"].map { name in upgrade[name]?.string ?? "" }
            })
    }

    private static func show(_ upgrade: JSONValue) {
        Terminal.line(
            "\(upgrade["service"]?.string ?? "") to \(upgrade["target_version"]?.string ?? ""): \(upgrade["status"]?.string ?? "")"
        )
        if let waiting = upgrade["progress"]?["waiting_for"]?["name"]?.string {
            Terminal.line("  waits for \(waiting)")
        }
        if let counts = upgrade["counts"] { Terminal.line("  \(counts.text)") }
    }

    static func follow(_ desk: GatewayAddress, _ id: String) async throws {
        var said = ""
        while true {
            let upgrade = try await desk.upgrade(id, wait: true)
            let status = upgrade["status"]?.string ?? ""
            let waiting = upgrade["progress"]?["waiting_for"]?["name"]?.string
            let line = "\(status)\(waiting.map { ", waits for \($0)" } ?? "") \(upgrade["counts"]?.text ?? "")"
            if line != said { Terminal.line(line) }
            said = line
            if ["SUCCEEDED", "FAILED", "ROLLED_BACK", "CANCELED"].contains(status) {
                if let error = upgrade["error"]?["message"]?.string { throw CommandFailure(error) }
                return
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}

struct DecisionOptions: ParsableArguments {
    @Argument(help: "The upgrade's id.")
    var id: String
    @Option(name: .long, help: "start, after_canary or contract.")
    var gate: String
    @Option(name: .long, help: "Who decides.")
    var by: String
    @Option(name: .long, help: "Why.")
    var reason = ""
    @OptionGroup var gateway: GatewayAddress

    func decide(_ decision: String) async throws {
        let fields: [(String, Printable)] = [
            ("gate", Printable.string(gate)), ("decision", Printable.string(decision)), ("by", Printable.string(by)),
            ("reason", Printable.string(reason)),
        ]
        _ = try await gateway.ask("POST", "/v1/schema-upgrades/\(id)/approvals", body: Printable.object(fields))
        Terminal.line("the gate \(gate) is answered")
    }
}

struct ApproveMigration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "approve", abstract: "Let an upgrade through a gate.")
    @OptionGroup var options: DecisionOptions

    func run() async throws { try await options.decide("approve") }
}

struct RejectMigration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reject", abstract: "Stop an upgrade at a gate.")
    @OptionGroup var options: DecisionOptions

    func run() async throws { try await options.decide("reject") }
}

struct SteerMigration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "steer",
        abstract: "pause, resume, abort, skip-tenant, retry-tenant or concurrency of a running upgrade.")
    @Argument(help: "The upgrade's id.")
    var id: String
    @Argument(help: "pause, resume, abort, skip-tenant, retry-tenant, concurrency.")
    var action: String
    @Option(name: .long, help: "For skip-tenant and retry-tenant.")
    var tenant: String?
    @Option(name: .long, help: "For abort: leave_done or rollback_done.")
    var mode: String?
    @Option(name: .long, help: "For concurrency.")
    var count: Int64?
    @Option(name: .long, help: "Why.")
    var reason: String?
    @OptionGroup var gateway: GatewayAddress

    func run() async throws {
        var fields: [(String, Printable)] = []
        if let tenant { fields.append(("tenant", .string(tenant))) }
        if let mode { fields.append(("mode", .string(mode))) }
        if let count { fields.append(("count", .integer(count))) }
        if let reason { fields.append(("reason", .string(reason))) }
        let answer = try await gateway.ask(
            "POST", "/v1/schema-upgrades/\(id)/\(action)", body: .object(fields))
        Terminal.line(answer.text)
    }
}

struct PutTenant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Make a tenant known, by a reference to its database.")
    @Argument(help: "The tenant's id.")
    var id: String
    @Option(name: .long, help: "{cluster}/{database}; the workers know the clusters (ALOFT_TENANT_CLUSTERS).")
    var dsnRef: String
    @Option(name: .long, help: "Region.")
    var region = ""
    @Option(name: .long, help: "Tier.")
    var tier = ""
    @OptionGroup var gateway: GatewayAddress

    func run() async throws {
        let answer = try await gateway.ask(
            "PUT", "/v1/tenants/\(id)",
            body: .object([("dsn_ref", .string(dsnRef)), ("region", .string(region)), ("tier", .string(tier))]))
        Terminal.line(answer.text)
    }
}
