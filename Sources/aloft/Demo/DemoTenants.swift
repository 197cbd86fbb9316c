import Foundation
import Postgres
import ServerTestKit

/// The demo's server and worker, processes of their own.
actor DemoProcesses {
    private let folder: DevFolder
    private let servers: Infrastructure
    private var server: ChildProcess?
    private var worker: ChildProcess?
    private var starts = 0
    private var grpcPort = "0"
    private var httpPort = "0"
    private var grpcAddress = ""
    private(set) var gateway = GatewayAddress()

    init(folder: DevFolder, servers: Infrastructure) {
        self.folder = folder
        self.servers = servers
    }

    /// Again on the same ports, so that whoever was connected finds it.
    func startServer() async throws {
        starts += 1
        let ready = folder.root.appending(path: "server-\(starts).json")
        let child = try ChildProcess.start(
            [
                CommandLine.arguments[0], "server", "start", "--database-url", servers.databaseURL, "--node", "demo",
                "--grpc-port", grpcPort, "--http-port", httpPort, "--ready-file", ready.path,
            ], output: folder.root.appending(path: "server.log"))
        server = child
        grpcAddress = try await ReadyFile.wait(ready, child: child, field: "grpc")
        let url = try await ReadyFile.wait(ready, child: child, field: "http")
        grpcPort = Self.port(of: grpcAddress)
        httpPort = Self.port(of: url)
        gateway.httpAddress = url
    }

    private static func port(of address: String) -> String { String(address.split(separator: ":").last ?? "0") }

    func startWorker() async throws {
        let ready = folder.root.appending(path: "worker.json")
        let clusters = Printable.object([("demo", Printable.string(servers.postgres.url(database: "{database}")))]).json
        let child = try ChildProcess.start(
            [
                CommandLine.arguments[0], "worker", "start", "--address", grpcAddress, "--database-url",
                servers.databaseURL, "--ready-file", ready.path,
            ],
            environment: [
                "ALOFT_TENANT_CLUSTERS": clusters, "ALOFT_BACKUP_FOLDER": folder.root.appending(path: "backups").path,
            ], output: folder.root.appending(path: "worker.log"))
        worker = child
        _ = try await ReadyFile.wait(ready, child: child, field: "ready")
    }

    /// Of the server and the worker.
    var identifiers: (server: Int32, worker: Int32) {
        (server?.processIdentifier ?? 0, worker?.processIdentifier ?? 0)
    }

    func killServer() async {
        server?.signal(SIGKILL)
        await server?.wait()
    }

    func stop() async {
        await worker?.stop()
        await server?.stop()
    }
}

/// The tenants' databases.
struct DemoDatabases: Sendable {
    let postgres: PrivatePostgres

    func make(_ names: [String]) async throws {
        try await postgres.createDatabase("demo_template")
        try await run(DemoTenantsStatements.template, in: "demo_template")
        let connection = try await connect("postgres")
        defer { connection.close() }
        for name in names { try await connection.script("create database \(name) template demo_template") }
    }

    func connect(_ database: String) async throws(PostgresError) -> PostgresConnection {
        try await PostgresConnection.connect(
            PostgresConfiguration(url: postgres.url(database: database), applicationName: "demo client"))
    }

    func run(_ sql: String, in database: String) async throws {
        let connection = try await connect(database)
        defer { connection.close() }
        try await connection.script(sql)
    }

    func schema(of database: String) async throws -> [String] {
        let connection = try await connect(database)
        defer { connection.close() }
        return try await connection.query(DemoTenantsStatements.schema.call()).map { row throws(PostgresError) in
            try row.text(0)
        }
    }

    /// A reader's transaction that stays open for a while.
    func hold(_ database: String, seconds: Int) async throws {
        let connection = try await connect(database)
        defer { connection.close() }
        try await connection.script("begin")
        _ = try await connection.query(DemoTenantsStatements.read.call { $0.int64(1) })
        try await Task.sleep(for: .seconds(seconds))
        try await connection.script("rollback")
    }
}

/// Clients of the tenants: they read and write all the time and note what they see.
actor DemoLoad {
    struct Seen: Sendable {
        var queries = 0
        var failures = 0
        var slowest = Duration.zero
    }

    private let databases: DemoDatabases
    private let tenants: [String]
    private(set) var result = Seen()

    init(databases: DemoDatabases, tenants: [String]) {
        self.databases = databases
        self.tenants = tenants
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for tenant in tenants { group.addTask { await self.serve(tenant) } }
        }
    }

    private func serve(_ tenant: String) async {
        guard let connection = try? await databases.connect(tenant) else { return note(nil) }
        defer { connection.close() }
        var number: Int64 = 0
        while !Task.isCancelled {
            number = number % 1_900 + 1
            let id = number
            let statement = number % 4 == 0 ? DemoTenantsStatements.write : DemoTenantsStatements.read
            let began = ContinuousClock.now
            let isGood = (try? await connection.query(statement.call { $0.int64(id) })) != nil
            note(isGood ? ContinuousClock.now - began : nil)
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    private func note(_ took: Duration?) {
        result.queries += 1
        if let took { result.slowest = max(result.slowest, took) } else { result.failures += 1 }
    }
}

/// One cell a tenant: redrawn in place on a terminal, a line of text for each change elsewhere.
struct DemoGrid {
    struct Cell: Hashable {
        var tenant: String
        var state: String
        var step: String
    }

    private static let columns = 10
    private let isTerminal = isatty(1) == 1
    private var linesDrawn = 0
    private var endedSaid = 0
    private var lastCounts = ""

    mutating func draw(_ cells: [Cell]) {
        guard !cells.isEmpty else { return }
        let counts = Dictionary(grouping: cells, by: \.state).mapValues(\.count).sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        if isTerminal {
            erase()
            for start in stride(from: 0, to: cells.count, by: Self.columns) {
                let row = cells[start..<min(start + Self.columns, cells.count)]
                Terminal.line("  " + row.map(Self.colored).joined(separator: " "))
            }
            Terminal.line("  \(counts)")
            linesDrawn = (cells.count + Self.columns - 1) / Self.columns + 1
        } else if counts != lastCounts, isWorthALine(cells) {
            Terminal.line("  " + cells.map { Self.symbol($0.state) }.joined() + "  \(counts)")
        }
        lastCounts = counts
    }

    /// Without a terminal to draw on, one line in five tenants.
    private mutating func isWorthALine(_ cells: [Cell]) -> Bool {
        let ended = cells.count { !["pending", "running"].contains($0.state) }
        guard ended >= endedSaid + 5 || ended == cells.count else { return false }
        endedSaid = ended
        return true
    }

    mutating func say(_ text: String) {
        Terminal.line("  \(text)")
        linesDrawn = 0
    }

    private mutating func erase() {
        if linesDrawn > 0 { Terminal.line("\u{1B}[\(linesDrawn + 1)A\u{1B}[J") }
        linesDrawn = 0
    }

    private static func symbol(_ state: String) -> String {
        switch state {
        case "pending": "·"
        case "running": "▸"
        case "done": "■"
        case "rolled_back": "↩"
        case "needs_operator": "!"
        default: "✗"
        }
    }

    /// Gray, yellow, green; red and then blue for one that went back.
    private static func colored(_ cell: Cell) -> String {
        let color =
            switch cell.state {
            case "pending": 90
            case "running": cell.step.hasPrefix("RunDown") ? 31 : 33
            case "done": 32
            case "rolled_back": 34
            default: 31
            }
        return "\u{1B}[\(color)m\(symbol(cell.state)) \(cell.tenant)\u{1B}[0m"
    }
}
