import ArgumentParser
import Foundation
import Logging

struct StartServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start the server on a Postgres and a NATS of your own.",
        discussion:
            "The database must have the schema: 'aloft schema apply'. Without --nats-url there is no feed; it catches up later."
    )
    @OptionGroup var database: DatabaseOptions
    @Option(name: .long, help: "NATS address (or ALOFT_NATS_URL).")
    var natsURL: String?
    @Option(name: .long, help: "This node's name in the leases; give each server of a database its own.")
    var node: String?
    @Option(name: .long, help: "PROVIDER=SECRET for incoming payment webhooks; repeat for more.")
    var webhookSecret: [String] = []
    @Option(name: .long, help: "File with the key that signs list cursors; made if missing.")
    var secretFile: String?
    @OptionGroup var listening: ListenOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .notice)
        let signals = StopSignals()
        var secrets: [String: String] = [:]
        for text in webhookSecret {
            guard let split = text.firstIndex(of: "="), split != text.startIndex else {
                throw CommandFailure("--webhook-secret: '\(text.prefix(20))…' is not PROVIDER=SECRET")
            }
            secrets[String(text[..<split])] = String(text[text.index(after: split)...])
        }
        let settings = ServerSettings(
            databaseURL: try database.url, natsURL: natsURL ?? ProcessInfo.processInfo.environment["ALOFT_NATS_URL"],
            node: ServerSettings.nodeName(node, grpcPort: listening.grpcPort), listen: listening.listen,
            signingKeyFile: secretFile, webhookSecrets: secrets)
        let assembly = try await ServerAssembly(settings, log: log)
        try await assembly.run(until: { await signals.wait() }) { addresses in
            Terminal.line("gRPC  \(addresses.host):\(addresses.grpcPort)")
            Terminal.line("HTTP  http://\(addresses.host):\(addresses.httpPort)")
            try ReadyFile.write(addresses.fields, to: listening.readyFile)
        }
    }
}
