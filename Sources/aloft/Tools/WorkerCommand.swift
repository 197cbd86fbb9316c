import ArgumentParser
import Logging
import Worker

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Run the built-in workers.", subcommands: [StartWorker.self])
}

struct StartWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the built-in workers (payments, notifications, schema upgrades) against a server.",
        discussion: """
            Works against any Temporal server. Ctrl-C lets the tasks in hand finish. Mail is signed by DKIM when ALOFT_DKIM_DOMAIN,
            ALOFT_DKIM_SELECTOR and ALOFT_DKIM_KEY_FILE (PEM, Ed25519 or RSA) are set; its sender is ALOFT_MAIL_FROM. Clusters of
            tenants for schema upgrades: ALOFT_TENANT_CLUSTERS, a JSON object of connection strings with {database} in them.
            """)
    @OptionGroup var server: ServerAddress
    @OptionGroup var database: DatabaseOptions
    @Option(name: .long, help: "Address of the payment provider.")
    var providerURL: String = "http://127.0.0.1:7253"
    @Option(name: .long, help: "API key for the payment provider.")
    var providerKey: String = "sk_sandbox"
    @Option(name: .long, help: "Address of the shipping service.")
    var shippingURL: String = "http://127.0.0.1:7253"
    @Option(name: .long, help: "Relay for mail: smtp://[NAME:PASSWORD@]HOST:PORT, also smtp+starttls and smtps.")
    var smtpURL: String = "smtp://127.0.0.1:2525"
    @Option(name: .long, help: "Address of the carriers of SMS and WeChat.")
    var messagesURL: String = "http://127.0.0.1:7253"
    @Option(name: .long, help: "Where recipients and carriers reach the gateway.")
    var publicURL: String?
    @Option(name: .long, help: "Written as JSON once the worker polls.")
    var readyFile: String?
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .notice)
        let signals = StopSignals()
        let settings = FamilyWorkerSettings(
            databaseURL: try database.url, providerURL: providerURL, providerKey: providerKey, shippingURL: shippingURL,
            notifications: NotificationWorkerSettings(
                smtpURL: smtpURL, messagesURL: messagesURL, publicURL: publicURL),
            upgrades: try UpgradeWorkerSettings.configured())
        let (namespace, address, readyFile) = (server.namespace, server.address, readyFile)
        do {
            try await GRPCTransport.withTransport(try server.transportOptions) { transport in
                try await FamilyWorkers.run(
                    transport: transport, namespace: namespace, settings: settings, log: log,
                    until: { await signals.wait() },
                    onReady: {
                        Terminal.line("working for \(address), namespace \(namespace)")
                        try ReadyFile.write([("ready", .boolean(true))], to: readyFile)
                    })
            }
        } catch let failure as RPCFailure {
            throw CommandFailure("\(failure)")
        }
    }
}
