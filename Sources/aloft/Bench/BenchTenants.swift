import Activities
import ArgumentParser
import Foundation
import Logging
import Postgres
import ServerTestKit

struct BenchTenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants", abstract: "A schema upgrade of many tenants, each a database of its own.",
        discussion: """
            Tenants per minute, the most connections into tenants' databases at once, and what server, worker and Postgres cost a
            tenant. Needs about 8 MB of disk a tenant while it runs. Use a release build.
            """)
    @Option(name: .long, help: "How many tenants.")
    var tenants = 1_000
    @Option(name: .long, help: "Tenants at once.")
    var concurrency = 20
    @Flag(name: .long, help: "With a backup of each.")
    var backup = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .error)
        let folder = DevFolder(root: URL(filePath: "/tmp/aloft-bench-\(UInt32.random(in: 0..<0xFFFF_FFFF))"))
        let servers = try await Infrastructure.start(folder: folder, natsPort: nil, log: log)
        let processes = DemoProcesses(folder: folder, servers: servers)
        let result: Swift.Result<TenantsBenchResult, any Error>
        do {
            _ = try await SchemaTool.apply(url: servers.databaseURL, log: log)
            result = .success(try await measure(servers, processes))
        } catch {
            result = .failure(error)
        }
        await processes.stop()
        await servers.stop()
        try? FileManager.default.removeItem(at: folder.root)
        let measured = try result.get()
        switch output.format {
        case .text: Terminal.table(measured.rows)
        case .json: Terminal.line(measured.printable.json)
        }
    }

    private func measure(_ servers: Infrastructure, _ processes: DemoProcesses) async throws -> TenantsBenchResult {
        let databases = DemoDatabases(postgres: servers.postgres)
        let names = (1...tenants).map { "t\($0)" }
        Terminal.progress("making \(tenants) databases …")
        try await databases.make(names)
        try await processes.startServer()
        try await processes.startWorker()
        let gateway = await processes.gateway
        for tenant in names {
            _ = try await gateway.ask(
                "PUT", "/v1/tenants/\(tenant)", body: .object([("dsn_ref", .string("demo/\(tenant)"))]))
        }
        let (server, worker) = await processes.identifiers
        let postgres = servers.postgres.processIdentifier ?? 0
        func costs() -> [Double] {
            [ProcessCosts.cpuSeconds(server), ProcessCosts.cpuSeconds(worker), ProcessCosts.treeCPUSeconds(postgres)]
        }
        let before = costs()
        let began = ContinuousClock.now
        let id = try await begin(gateway)
        let peak = try await follow(id, gateway, servers)
        let took = ContinuousClock.now - began
        let spent = zip(costs(), before).map { ($0 - $1) * 1000 / Double(tenants) }
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        return TenantsBenchResult(
            tenants: tenants, seconds: seconds, peakConnections: peak, serverMilliseconds: spent[0],
            workerMilliseconds: spent[1], postgresMilliseconds: spent[2])
    }

    private func begin(_ gateway: GatewayAddress) async throws -> String {
        let files = DemoTenantsStatements.migrations
        let set = try MigrationSet(files: files)
        try await gateway.upload(files, sha256: set.sha256)
        let fields: [(String, Printable)] = [
            ("service", Printable.string("shop")), ("target_version", Printable.string("V3.0")),
            ("migration_set", Printable.string(set.sha256)), ("approvals", Printable.list([])),
            ("max_concurrent", Printable.integer(Int64(concurrency))), ("backup", Printable.boolean(backup)),
            ("waves", Printable.raw(#"[{"name":"all","percent":100}]"#)),
        ]
        let started = try await gateway.startUpgrade(.object(fields))
        guard let id = started["upgrade_id"]?.string else { throw CommandFailure("not started: \(started.text)") }
        return id
    }

    /// - Returns: the most connections of the family's steps that were seen at once.
    private func follow(_ id: String, _ gateway: GatewayAddress, _ servers: Infrastructure) async throws -> Int64 {
        let pool = PostgresPool(PostgresConfiguration(url: servers.databaseURL, applicationName: "bench"))
        defer { pool.close() }
        var peak: Int64 = 0
        var looks = 0
        while true {
            peak = max(peak, try await pool.query(DemoTenantsStatements.connections)[0].int64(0))
            looks += 1
            if looks % 10 == 0 {
                let upgrade = try await gateway.upgrade(id)
                Terminal.progress(upgrade["counts"]?.text ?? "")
                let status = upgrade["status"]?.string ?? ""
                if status == "SUCCEEDED" { break }
                guard ["RUNNING", "WAITING"].contains(status) else { throw CommandFailure(upgrade.text) }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        Terminal.progress("")
        return peak
    }
}

struct TenantsBenchResult: Sendable {
    var tenants: Int
    var seconds: Double
    var peakConnections: Int64
    /// CPU a tenant.
    var serverMilliseconds: Double
    var workerMilliseconds: Double
    var postgresMilliseconds: Double

    private var perMinute: Double { Double(tenants) / seconds * 60 }

    var rows: [[String]] {
        [
            ["tenants", "seconds", "tenants/min", "peak connections", "server ms", "worker ms", "Postgres ms"],
            [
                "\(tenants)", String(format: "%.1f", seconds), String(format: "%.0f", perMinute), "\(peakConnections)",
                String(format: "%.1f", serverMilliseconds), String(format: "%.1f", workerMilliseconds),
                String(format: "%.1f", postgresMilliseconds),
            ],
        ]
    }

    var printable: Printable {
        .object([
            ("tenants", .integer(Int64(tenants))), ("seconds", .number(seconds)),
            ("tenants_per_minute", .number(perMinute)),
            ("peak_connections", .integer(peakConnections)), ("server_ms_per_tenant", .number(serverMilliseconds)),
            ("worker_ms_per_tenant", .number(workerMilliseconds)),
            ("postgres_ms_per_tenant", .number(postgresMilliseconds)),
        ])
    }
}
