import ArgumentParser
import Foundation
import Logging
import Postgres
import ServerTestKit
import Worker

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure.",
        subcommands: [
            BenchHelloCommand.self, BenchNotifyCommand.self, BenchTenantsCommand.self, BenchWorkerCommand.self,
        ])
}

struct BenchHelloCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hello", abstract: "A workflow with one activity, end to end, on private servers with fsync on.",
        discussion: """
            Modes: 'in-process' (server and worker in one process, the same protocol without a network), 'grpc' (server and Swift
            worker as processes), 'python' (server and Temporal's Python SDK; needs --python with temporalio installed).
            The busy columns are at --concurrency starts at once, the calm ones at --rate per second.
            CPU, commits and WAL are per workflow. Use a release build.
            """)
    @Option(name: .long, help: "in-process, grpc, python or all.")
    var mode: String = "all"
    @Option(name: .long, help: "Workflows in the busy part.")
    var count: Int = 2000
    @Option(name: .long, help: "Workflows at once in the busy part.")
    var concurrency: Int = 100
    @Option(name: .long, help: "Workflows per second in the calm part.")
    var rate: Double = 10
    @Option(name: .long, help: "Length of the calm part in seconds.")
    var rateSeconds: Double = 10
    @Option(name: .long, help: "Python interpreter that has temporalio.")
    var python: String = ".cache/venv/bin/python"
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .error)
        #if DEBUG
            Terminal.error("note: this is a debug build; numbers of a release build are several times better")
        #endif
        let hasPython = FileManager.default.isExecutableFile(atPath: python)
        let modes: [String]
        switch mode {
        case "all": modes = ["in-process", "grpc"] + (hasPython ? ["python"] : [])
        case "in-process", "grpc", "python": modes = [mode]
        default: throw CommandFailure("--mode: '\(mode)' is not in-process, grpc, python or all")
        }
        if mode == "python", !hasPython {
            throw CommandFailure("--python: \(python) is not there; 'scripts/setup.sh --python' makes it")
        }
        var results: [BenchResult] = []
        for mode in modes {
            Terminal.progress("measuring \(mode) …")
            results.append(try await measure(mode, log: log))
        }
        Terminal.progress("")
        switch output.format {
        case .text: Terminal.table([BenchResult.header] + results.map(\.row))
        case .json: Terminal.line(Printable.list(results.map(\.printable)).json)
        }
    }

    private func measure(_ mode: String, log: Logger) async throws -> BenchResult {
        let folder = DevFolder(root: URL(filePath: "/tmp/aloft-bench-\(UInt32.random(in: 0..<0xFFFF_FFFF))"))
        defer { try? FileManager.default.removeItem(at: folder.root) }
        let servers = try await Infrastructure.start(folder: folder, natsPort: 0, log: log)
        do {
            _ = try await SchemaTool.apply(url: servers.databaseURL, log: log)
            let run = BenchHelloRun(count: count, concurrency: concurrency, rate: rate, rateSeconds: rateSeconds)
            let result =
                mode == "in-process"
                ? try await inProcess(run, servers, folder, log) : try await separate(mode, run, servers, folder, log)
            await servers.stop()
            return result
        } catch {
            await servers.stop()
            throw error
        }
    }

    private func inProcess(_ run: BenchHelloRun, _ servers: Infrastructure, _ folder: DevFolder, _ log: Logger)
        async throws -> BenchResult
    {
        let settings = ServerSettings(
            databaseURL: servers.databaseURL, natsURL: servers.nats?.url, node: "bench",
            listen: .init(grpcPort: 0, httpPort: 0), webhookSecrets: [:])
        let assembly = try await ServerAssembly(settings, log: log)
        let pool = PostgresPool(PostgresConfiguration(url: servers.databaseURL, applicationName: "aloft bench"))
        let subjects = BenchSubjects(
            server: getpid(), worker: getpid(), postgres: servers.postgres.processIdentifier ?? 0, pool: pool)
        let (results, result) = AsyncStream<Swift.Result<BenchResult, any Error>>.makeStream()
        let outcome = OneResult()
        try await assembly.run(until: { for await value in results { await outcome.set(value); return } }) { _ in
            let client = WorkflowClient(transport: WireBridge.transport(to: assembly.wire))
            let worker = BenchWorker.make(client, taskQueue: run.taskQueue, inProcess: true)
            let working = Task { try await worker.run() }
            result.yield(
                await Swift.Result { try await run.measure(mode: "in-process", client: client, subjects: subjects) })
            worker.shutDown()
            _ = try? await working.value
        }
        pool.close()
        return try await outcome.get()
    }

    private func separate(
        _ mode: String, _ run: BenchHelloRun, _ servers: Infrastructure, _ folder: DevFolder, _ log: Logger
    ) async throws -> BenchResult {
        let program = CommandLine.arguments[0]
        let ready = folder.root.appending(path: "server.json")
        let server = try ChildProcess.start(
            [
                program, "server", "start", "--database-url", servers.databaseURL, "--nats-url",
                servers.nats?.url ?? "", "--grpc-port", "0",
                "--http-port", "0", "--node", "bench", "--ready-file", ready.path,
            ], output: folder.root.appending(path: "server.log"))
        let address = try await ReadyFile.wait(ready, child: server, field: "grpc")
        let workerReady = folder.root.appending(path: "worker.json")
        let words =
            mode == "python"
            ? [python, "Benchmarks/python_worker.py", address, run.taskQueue, workerReady.path]
            : [
                program, "bench", "worker", "--address", address, "--task-queue", run.taskQueue, "--ready-file",
                workerReady.path,
            ]
        let worker = try ChildProcess.start(words, output: folder.root.appending(path: "worker.log"))
        _ = try await ReadyFile.wait(workerReady, child: worker, field: "ready")
        let pool = PostgresPool(PostgresConfiguration(url: servers.databaseURL, applicationName: "aloft bench"))
        let subjects = BenchSubjects(
            server: server.processIdentifier, worker: worker.processIdentifier,
            postgres: servers.postgres.processIdentifier ?? 0, pool: pool)
        guard let options = GRPCTransportOptions(address: address) else {
            throw CommandFailure("bad address \(address)")
        }
        let result = await Swift.Result {
            try await WorkflowClient.withConnection(to: options) { client in
                try await run.measure(mode: mode, client: client, subjects: subjects)
            }
        }
        pool.close()
        await worker.stop()
        await server.stop()
        return try result.get()
    }
}

/// A result that one task sets and another reads after it.
private actor OneResult {
    private var value: Swift.Result<BenchResult, any Error>?
    func set(_ value: Swift.Result<BenchResult, any Error>) { self.value = value }
    func get() throws -> BenchResult {
        guard let value else { throw CommandFailure("nothing was measured") }
        return try value.get()
    }
}

struct BenchWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "The worker of 'bench hello', as a process of its own.", shouldDisplay: false)
    @Option(name: .long) var address: String
    @Option(name: .long) var taskQueue: String
    @Option(name: .long) var readyFile: String?

    func run() async throws {
        let signals = StopSignals()
        guard let options = GRPCTransportOptions(address: address) else {
            throw CommandFailure("--address: '\(address)' is not HOST:PORT")
        }
        let (taskQueue, readyFile) = (taskQueue, readyFile)
        try await WorkflowClient.withConnection(to: options) { client in
            let worker = BenchWorker.make(client, taskQueue: taskQueue, inProcess: false)
            try ReadyFile.write([("ready", .string("yes"))], to: readyFile)
            let stopping = Task {
                await signals.wait()
                worker.shutDown()
            }
            defer { stopping.cancel() }
            try await worker.run()
        }
    }
}
