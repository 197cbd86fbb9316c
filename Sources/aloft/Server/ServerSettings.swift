import Foundation
import Gateway
import Worker

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

        /// Where other nodes reach this one; a wildcard address stands for the machine's name.
        var advertised: String {
            let isWildcard = host == "0.0.0.0" || host == "::"
            return "\(isWildcard ? ProcessInfo.processInfo.hostName : host):\(grpcPort)"
        }

        /// How other nodes are called: as this one is.
        var peerSecurity: GRPCTransportOptions.Security {
            guard let tls else { return .plaintext }
            return .tls(
                GRPCTransportOptions.TLS(
                    trustRootsFile: tls.clientAuthoritiesFile, certificateFile: tls.certificateFile,
                    privateKeyFile: tls.privateKeyFile))
        }
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
