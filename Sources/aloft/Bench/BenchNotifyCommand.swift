import Activities
import ArgumentParser
import Foundation
import Logging
import Postgres
import ServerTestKit

struct BenchNotifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify", abstract: "Notifications over HTTP to a provider, on private servers with fsync on.",
        discussion: """
            Server, worker and sandbox are processes of their own. Channels: 'sms' (the sandbox's carrier), 'email' (aiosmtpd; needs
            'scripts/setup.sh --python'). The busy part hands everything over by POST /v1/notifications:bulk and waits until all is
            sent; the calm part posts one at a time at --rate per second. Latency is from the request to the provider's yes.
            Receipts are not waited for. CPU, commits and WAL are per notification of the busy part. Use a release build.
            """)
    @Option(name: .long, help: "sms, email or all.")
    var channel: String = "all"
    @Option(name: .long, help: "Notifications in the busy part.")
    var count: Int = 4000
    @Option(name: .long, help: "Bulk requests at once in the busy part.")
    var concurrency: Int = 4
    @Option(name: .long, help: "Notifications per second in the calm part.")
    var rate: Double = 10
    @Option(name: .long, help: "Length of the calm part in seconds.")
    var rateSeconds: Double = 10
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    func validate() throws {
        guard ["sms", "email", "all"].contains(channel) else { throw ValidationError("--channel: sms, email or all") }
        guard (100...1_000_000).contains(count) else { throw ValidationError("--count: expected 100 to 1000000") }
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency: expected 1 to 64") }
    }

    func run() async throws {
        let log = logging.bootstrap(default: .error)
        #if DEBUG
            Terminal.error("note: this is a debug build; numbers of a release build are several times better")
        #endif
        var channels: [Channel] = channel == "all" ? [.sms, .email] : [Channel(rawValue: channel) ?? .sms]
        if channel == "all", !MailSink.isAvailable { channels = [.sms] }
        var results: [BenchNotifyResult] = []
        for channel in channels {
            Terminal.progress("measuring \(channel.rawValue) …")
            results.append(try await measure(channel, log: log))
        }
        Terminal.progress("")
        switch output.format {
        case .text:
            Terminal.table([BenchNotifyResult.header] + results.map(\.row))
            for result in results { Terminal.line("\(result.channel): \(result.limit)") }
        case .json: Terminal.line(Printable.list(results.map(\.printable)).json)
        }
    }

    private func measure(_ channel: Channel, log: Logger) async throws -> BenchNotifyResult {
        let folder = DevFolder(root: URL(filePath: "/tmp/aloft-bench-\(UInt32.random(in: 0..<0xFFFF_FFFF))"))
        defer { try? FileManager.default.removeItem(at: folder.root) }
        let sink = channel == .email ? try await MailSink.start() : nil
        let servers: Infrastructure
        do {
            servers = try await Infrastructure.start(folder: folder, natsPort: 0, log: log)
        } catch {
            await sink?.stop()
            throw error
        }
        let result = await Swift.Result {
            _ = try await SchemaTool.apply(url: servers.databaseURL, log: log)
            let stage = try await BenchNotifyStage.start(servers: servers, folder: folder, sink: sink)
            let run = BenchNotifyRun(
                channel: channel, count: count, concurrency: concurrency, rate: rate, rateSeconds: rateSeconds,
                stage: stage)
            let measured = await Swift.Result { try await run.measure() }
            await stage.stop()
            return try measured.get()
        }
        await servers.stop()
        await sink?.stop()
        return try result.get()
    }
}

/// The processes of a measurement.
struct BenchNotifyStage: Sendable {
    let gatewayURL: String
    let server: ChildProcess
    let worker: ChildProcess
    let sandbox: ChildProcess
    let postgres: Int32
    let pool: PostgresPool

    /// Nothing waits for receipts.
    private static let policy = #"{"receiptSeconds": {}}"#

    static func start(servers: Infrastructure, folder: DevFolder, sink: MailSink?) async throws -> BenchNotifyStage {
        let program = CommandLine.arguments[0]
        func launch(_ name: String, _ words: [String], field: String, environment: [String: String] = [:]) async throws
            -> (ChildProcess, String)
        {
            let ready = folder.root.appending(path: "\(name).json")
            let child = try ChildProcess.start(
                [program] + words + ["--ready-file", ready.path], environment: environment,
                output: folder.root.appending(path: "\(name).log"))
            return (child, try await ReadyFile.wait(ready, child: child, field: field))
        }
        let (sandbox, _) = try await launch("sandbox", ["sandbox", "start", "--port", "0"], field: "port")
        let ready = try Data(contentsOf: folder.root.appending(path: "sandbox.json"))
        let port = try JSONDecoder().decode(JSONValue.self, from: ready)["port"]?.shown ?? ""
        let (server, address) = try await launch(
            "server",
            [
                "server", "start", "--database-url", servers.databaseURL, "--nats-url", servers.nats?.url ?? "",
                "--grpc-port", "0", "--http-port", "0", "--node", "bench",
            ], field: "grpc")
        let addresses = try JSONDecoder().decode(
            JSONValue.self, from: Data(contentsOf: folder.root.appending(path: "server.json")))
        let provider = "http://127.0.0.1:\(port)"
        let (worker, _) = try await launch(
            "worker",
            [
                "worker", "start", "--address", address, "--database-url", servers.databaseURL, "--provider-url",
                provider, "--shipping-url", provider, "--messages-url", provider, "--smtp-url",
                "smtp://127.0.0.1:\(sink?.port ?? 2525)",
            ], field: "ready", environment: ["ALOFT_NTF_POLICY": Self.policy])
        return BenchNotifyStage(
            gatewayURL: addresses["http"]?.string ?? "", server: server, worker: worker, sandbox: sandbox,
            postgres: servers.postgres.processIdentifier ?? 0,
            pool: PostgresPool(PostgresConfiguration(url: servers.databaseURL, applicationName: "aloft bench")))
    }

    func stop() async {
        pool.close()
        await worker.stop()
        await server.stop()
        await sandbox.stop()
    }
}
