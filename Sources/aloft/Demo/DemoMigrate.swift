import Activities
import ArgumentParser
import Foundation
import Logging
import Postgres
import ServerTestKit

struct DemoMigrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Fifty tenants' databases to a new schema version, under load.",
        discussion: """
            One tenant has a duplicate that breaks a unique index; one is locked by a long transaction of its own; the server is
            killed with -9 in the middle. Ends with what the tenants' own queries saw.
            """)
    @Option(name: .long, help: "How many tenants.")
    var tenants = 50
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .error)
        guard (4...200).contains(tenants) else { throw CommandFailure("--tenants: expected 4 to 200") }
        let folder = DevFolder(root: URL(filePath: "/tmp/aloft-demo-\(UInt32.random(in: 0..<0xFFFF_FFFF))"))
        let servers = try await Infrastructure.start(folder: folder, natsPort: nil, log: log)
        let processes = DemoProcesses(folder: folder, servers: servers)
        do {
            _ = try await SchemaTool.apply(url: servers.databaseURL, log: log)
            try await play(servers, processes)
        } catch {
            await processes.stop()
            await servers.stop()
            throw error
        }
        await processes.stop()
        await servers.stop()
        try? FileManager.default.removeItem(at: folder.root)
    }

    private func name(_ number: Int) -> String { number < 10 ? "t0\(number)" : "t\(number)" }
    /// The tenant with the duplicate, and the one with the long transaction.
    private var broken: String { name(min(12, tenants)) }
    private var locked: String { name(min(23, tenants - 1)) }
    private static let lockSeconds = 8

    private func play(_ servers: Infrastructure, _ processes: DemoProcesses) async throws {
        let databases = DemoDatabases(postgres: servers.postgres)
        let names = (1...tenants).map(name)
        try await databases.make(names)
        try await processes.startServer()
        try await processes.startWorker()
        let gateway = await processes.gateway
        for tenant in names {
            _ = try await gateway.ask(
                "PUT", "/v1/tenants/\(tenant)", body: .object([("dsn_ref", .string("demo/\(tenant)"))]))
        }
        try await databases.run(DemoTenantsStatements.poison, in: broken)
        let before = try await databases.schema(of: broken)
        Terminal.line("\(tenants) tenants with a database each; clients read and write in eight of them")
        Terminal.line("\(broken) has a duplicate; \(locked) is locked by a transaction of \(Self.lockSeconds) s")
        let load = DemoLoad(databases: databases, tenants: Array(Set([broken, locked] + names.prefix(6))).sorted())
        let clients = Task { await load.run() }
        let lock = Task { [locked] in try await databases.hold(locked, seconds: Self.lockSeconds) }
        let began = ContinuousClock.now
        let id = try await begin(gateway)
        try await follow(id, gateway, servers, processes)
        let took = ContinuousClock.now - began
        clients.cancel()
        await clients.value
        try await lock.value
        try await finish(id, gateway, databases, load, before: before, took: took)
    }

    private func begin(_ gateway: GatewayAddress) async throws -> String {
        let files = DemoTenantsStatements.migrations
        let set = try MigrationSet(files: files)
        try await gateway.upload(files, sha256: set.sha256)
        let waves =
            #"[{"name":"canary","percent":1,"min":1,"soak":"PT2S"},{"name":"early","percent":10,"soak":"PT2S"},{"name":"rest","percent":100}]"#
        let fields: [(String, Printable)] = [
            ("service", Printable.string("shop")), ("target_version", Printable.string("V3.0")),
            ("migration_set", Printable.string(set.sha256)), ("on_error", Printable.string("continue")),
            ("max_failed_tenants", Printable.integer(1)), ("approvals", Printable.list([])),
            ("lock_timeout_ms", Printable.integer(500)), ("waves", Printable.raw(waves)),
            ("backup", Printable.boolean(true)), ("max_concurrent", Printable.integer(8)),
        ]
        let started = try await gateway.startUpgrade(.object(fields))
        guard let id = started["upgrade_id"]?.string else { throw CommandFailure("not started: \(started.text)") }
        return id
    }

    /// Draws the grid until the end; kills the server when a third of the tenants is done.
    private func follow(
        _ id: String, _ gateway: GatewayAddress, _ servers: Infrastructure, _ processes: DemoProcesses
    ) async throws {
        let pool = PostgresPool(PostgresConfiguration(url: servers.databaseURL, applicationName: "demo"))
        defer { pool.close() }
        var grid = DemoGrid()
        var isKilled = false
        let end = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < end {
            let rows = try await pool.query(DemoTenantsStatements.grid)
            let cells = try rows.map { row throws(PostgresError) in
                DemoGrid.Cell(tenant: try row.text(0), state: try row.text(1), step: try row.text(2))
            }
            grid.draw(cells)
            if !isKilled, cells.count(where: { $0.state == "done" }) * 3 >= tenants {
                isKilled = true
                await processes.killServer()
                grid.say("✗ the server was killed with -9; another one starts")
                try await processes.startServer()
            }
            if !cells.isEmpty, cells.allSatisfy({ !["pending", "running"].contains($0.state) }) {
                let answer = try? await gateway.upgrade(id)
                if answer?["status"]?.string == "SUCCEEDED" { return }
                if answer?["status"]?.string == "FAILED" { throw CommandFailure("failed: \(answer?.text ?? "")") }
            }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw CommandFailure("the upgrade did not end in five minutes")
    }

    private func finish(
        _ id: String, _ gateway: GatewayAddress, _ databases: DemoDatabases, _ load: DemoLoad, before: [String],
        took: Duration
    ) async throws {
        let upgrade = try await gateway.upgrade(id)
        let counts = upgrade["counts"]
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        Terminal.line(
            "\n\(upgrade["status"]?.string ?? "") after \(String(format: "%.1f", seconds)) s: \(counts?.text ?? "")")
        if case .array(let failures)? = upgrade["result"]?["failures"] {
            for failure in failures {
                Terminal.line(
                    "  \(failure["tenant"]?.string ?? "") \(failure["state"]?.string ?? ""): \(failure["error"]?.string ?? "")"
                )
            }
        }
        let after = try await databases.schema(of: broken)
        Terminal.line("the schema of \(broken) is \(after == before ? "as it was before" : "NOT as it was before")")
        let seen = await load.result
        Terminal.line(
            "the clients' \(seen.queries) queries: \(seen.failures) failed, the slowest took \(seen.slowest.milliseconds) ms"
        )
        guard after == before, seen.failures == 0 else { throw CommandFailure("the tenants noticed the upgrade") }
        guard case .integer(let done)? = counts?["done"], Int(done) == tenants - 1 else {
            throw CommandFailure("expected \(tenants - 1) tenants at V3.0, got \(counts?.text ?? "")")
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
