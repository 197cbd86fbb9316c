import ArgumentParser
import Foundation
import Logging
import Worker

/// Which server a command talks to; names as in Temporal's own command line.
struct ServerAddress: ParsableArguments {
    @Option(name: .long, help: "gRPC address of the server (or ALOFT_ADDRESS).")
    var address: String = ProcessInfo.processInfo.environment["ALOFT_ADDRESS"] ?? "127.0.0.1:7233"
    @Option(name: [.customLong("namespace"), .customShort("n")], help: "Namespace (or ALOFT_NAMESPACE).")
    var namespace: String = ProcessInfo.processInfo.environment["ALOFT_NAMESPACE"] ?? "default"
    @Option(name: .long, help: "API key, sent as a bearer token over TLS (or ALOFT_API_KEY).")
    var apiKey: String?
    @Flag(name: .long, help: "Use TLS.")
    var tls = false
    @Option(name: .long, help: "PEM file with the authorities to trust; implies --tls.")
    var tlsCaPath: String?
}

/// Log lines go to standard error; commands are quiet unless asked.
struct LogOptions: ParsableArguments {
    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "warning"

    func bootstrap(default level: Logger.Level? = nil) -> Logger {
        let chosen = Logger.Level(rawValue: logLevel) ?? .warning
        let effective = logLevel == "warning" ? (level ?? chosen) : chosen
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = effective
            return handler
        }
        return Logger(label: "aloft")
    }
}
