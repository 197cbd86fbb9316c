import ArgumentParser
import Logging
import Sandbox

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Stand-ins for outside systems: payment provider, shipping.",
        subcommands: [StartSandbox.self])
}

struct StartSandbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start the sandbox.",
        discussion: "Faults on demand: POST /_ctl/faults. Everything that was asked and done: GET /_ctl/journal.")
    @Option(name: .long, help: "Address to listen on.")
    var ip: String = "127.0.0.1"
    @Option(name: .long, help: "Port; 0 chooses a free one.")
    var port: Int = 7253
    @Option(name: .long, help: "File that keeps the journal and the effects across restarts.")
    var journal: String?
    @Option(name: .long, help: "Where webhooks go.")
    var webhookURL: String?
    @Option(name: .long, help: "Signs the webhooks.")
    var webhookSecret: String = "whsec_sandbox"
    @Option(name: .long, help: "Written as JSON once the sandbox takes requests.")
    var readyFile: String?
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap(default: .notice)
        let server = try SandboxServer(
            configuration: SandboxConfiguration(
                host: ip, port: port, webhookURL: webhookURL, webhookSecret: webhookSecret, journalPath: journal),
            logger: log)
        let (ip, readyFile) = (ip, readyFile)
        try await server.run { port in
            Terminal.line("sandbox  http://\(ip):\(port)")
            try? ReadyFile.write([("port", .integer(Int64(port)))], to: readyFile)
        }
    }
}
