import ArgumentParser

struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Run the server.",
        subcommands: [StartDev.self, StartServer.self, StartInfrastructure.self])
}

/// Where the server listens.
struct ListenOptions: ParsableArguments {
    @Option(name: .long, help: "Address to listen on.")
    var ip: String = "127.0.0.1"
    @Option(name: .long, help: "gRPC port; 0 chooses a free one.")
    var grpcPort: Int = 7233
    @Option(name: .long, help: "HTTP port; 0 chooses a free one.")
    var httpPort: Int = 7243
    @Option(name: .long, help: "PEM file with the server's certificate chain; turns TLS on for gRPC.")
    var tlsCertPath: String?
    @Option(name: .long, help: "PEM file with the private key.")
    var tlsKeyPath: String?
    @Option(name: .long, help: "PEM file with authorities; clients must then show a certificate.")
    var tlsClientCaPath: String?
    @Option(name: .long, help: "Written as JSON once the server takes requests.")
    var readyFile: String?

    func validate() throws {
        guard (tlsCertPath == nil) == (tlsKeyPath == nil) else {
            throw ValidationError("--tls-cert-path and --tls-key-path go together")
        }
        if tlsClientCaPath != nil, tlsCertPath == nil {
            throw ValidationError("--tls-client-ca-path needs --tls-cert-path")
        }
    }
}
