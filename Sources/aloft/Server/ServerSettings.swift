import Foundation
import Gateway

/// Everything a server process needs to know.
struct ServerSettings: Sendable {
    var databaseURL: String
    var natsURL: String?
    var node: String
    var listen: Listen
    /// File with the key that signs list cursors; nil: a new one for each start, and old cursors are refused then.
    var signingKeyFile: String?
    /// Secrets of the payment providers' webhooks, by provider.
    var webhookSecrets: [String: String]

    struct Listen: Sendable {
        var host = "127.0.0.1"
        var grpcPort = 7233
        var httpPort = 7243
        var tls: GRPCServerOptions.TLS?
    }

    /// A name that is the same after a restart on the same machine and port, so that the lanes come back at once.
    static func nodeName(_ given: String?, grpcPort: Int) -> String {
        given ?? "\(ProcessInfo.processInfo.hostName):\(grpcPort)"
    }
}

extension ListenOptions {
    var listen: ServerSettings.Listen {
        ServerSettings.Listen(
            host: ip, grpcPort: grpcPort, httpPort: httpPort,
            tls: tlsCertPath.flatMap { certificate in
                tlsKeyPath.map {
                    GRPCServerOptions.TLS(
                        certificateFile: certificate, privateKeyFile: $0, clientAuthoritiesFile: tlsClientCaPath)
                }
            })
    }
}
