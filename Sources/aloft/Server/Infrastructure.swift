import ArgumentParser
import Foundation
import Logging
import ServerTestKit

/// The private Postgres and nats-server of development mode, as supervised children.
struct Infrastructure: Sendable {
    let postgres: PrivatePostgres
    let nats: PrivateNATS?

    /// The engine's database inside the private server.
    static let database = "aloft"
    var databaseURL: String { postgres.url(database: Self.database) }

    /// Starts both; the first start of a folder makes it.
    ///
    /// - Parameter natsPort: nil starts no broker; 0 chooses a free port.
    static func start(folder: DevFolder, natsPort: Int?, log: Logger) async throws -> Infrastructure {
        try folder.prepare()
        let postgres = PrivatePostgres(
            dataFolder: folder.postgresData, socketFolder: folder.postgresSocket,
            settings: ["shared_buffers=128MB", "max_connections=100", "synchronous_commit=on"])
        let nats = natsPort.map { PrivateNATS(folder: folder.nats, port: $0) }
        async let natsStarted: Void? = nats?.start()
        try await postgres.start()
        try await postgres.makeDatabase(Self.database)
        _ = try await natsStarted
        log.info("private servers are up")
        return Infrastructure(postgres: postgres, nats: nats)
    }

    func stop() async {
        await nats?.stop()
        await postgres.stop()
    }
}

struct StartInfrastructure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infrastructure",
        abstract: "Start only the private Postgres and nats-server of development mode.",
        discussion: "For 'aloft server start' beside it, for example to kill and restart the server alone.")
    @Option(name: .long, help: "Folder for the data; kept.")
    var data: String?
    @Flag(name: .long, help: "No nats-server.")
    var noNats = false
    @Option(name: .long, help: "Port of nats-server; 0 chooses a free one.")
    var natsPort: Int = 4222
    @Option(name: .long, help: "Written as JSON once the servers take requests.")
    var readyFile: String?
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .notice)
        let signals = StopSignals()
        let folder = DevFolder(root: data.map { URL(filePath: $0) } ?? DevFolder.standard)
        let servers = try await Infrastructure.start(folder: folder, natsPort: noNats ? nil : natsPort, log: log)
        do {
            _ = try await SchemaTool.apply(url: servers.databaseURL, log: log)
            Terminal.line("database  \(servers.databaseURL)")
            if let nats = servers.nats { Terminal.line("nats      \(nats.url)") }
            try ReadyFile.write(
                [("databaseURL", .string(servers.databaseURL)), ("natsURL", .optional(servers.nats?.url))],
                to: readyFile)
            await signals.wait()
        } catch {
            await servers.stop()
            throw error
        }
        await servers.stop()
    }
}
