import ArgumentParser
import Foundation
import Logging

struct StartDev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start-dev", abstract: "Start everything for development: nothing needs to be set up.",
        discussion: """
            Starts a private Postgres and nats-server in the data folder, applies the schema, registers the namespace 'default',
            starts the server, the sandbox and the built-in workers, and prints the addresses. Ctrl-C stops all; the data stay.
            """)
    @Option(name: .long, help: "Folder for the data.")
    var data: String?
    @Option(name: .long, help: "Port of nats-server; 0 chooses a free one.")
    var natsPort: Int = 4222
    @Option(name: .long, help: "Port of the sandbox (payment provider, shipping, SMS, WeChat); 0 chooses a free one.")
    var sandboxPort: Int = 7253
    @Option(name: .long, help: "Relay for mail.")
    var smtpURL: String = "smtp://127.0.0.1:2525"
    @Flag(name: .long, help: "Do not run the built-in workers.")
    var noWorker = false
    @OptionGroup var listening: ListenOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let began = ContinuousClock.now
        let log = logging.bootstrap(default: .notice)
        let signals = StopSignals()
        let folder = DevFolder(root: data.map { URL(filePath: $0) } ?? DevFolder.standard)
        let stack = DevStack(
            options: .init(
                folder: folder, listen: listening.listen, natsPort: natsPort, sandboxPort: sandboxPort,
                smtpURL: smtpURL, withWorker: !noWorker),
            log: log)
        let readyFile = listening.readyFile
        try await stack.run(until: { await signals.wait() }) { addresses in
            Terminal.line(
                "Aloft \(AloftVersion.text) is up after \((ContinuousClock.now - began).formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 1))))"
            )
            Terminal.table([
                [
                    "  gRPC", "\(addresses.server.host):\(addresses.server.grpcPort)",
                    "any Temporal SDK, namespace default",
                ],
                [
                    "  HTTP", "http://\(addresses.server.host):\(addresses.server.httpPort)",
                    "POST /v1/payments, Temporal's JSON paths",
                ],
                ["  sandbox", addresses.sandboxURL, "payment provider, shipping, SMS, WeChat, faults at /_ctl/faults"],
                ["  database", addresses.databaseURL, "psql"],
                ["  feed", addresses.natsURL, "aloft feed tail --nats-url …"],
                ["  data", folder.root.path, "kept"],
            ])
            try ReadyFile.write(addresses.fields, to: readyFile)
        }
        Terminal.line("stopped; the data are in \(folder.root.path)")
    }
}
