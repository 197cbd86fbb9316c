import GRPCCore
import GRPCNIOTransportHTTP2
public import Logging
import SwiftProtobuf
import TemporalAPI

/// Serves a ``WireService`` over gRPC: HTTP/2 with prior knowledge, or TLS.
///
/// Messages pass as bytes; every method name is looked up in the service's own table, so that an unknown one is answered as
/// clients expect. Compressed requests are inflated, answers go out as they are.
public final class GRPCServer: Sendable {
    private let transport: HTTP2ServerTransport.Posix
    private let call: GRPCCall

    /// - Throws: when certificates cannot be read.
    public init(service: WireService, options: GRPCServerOptions, logger: Logger) throws {
        call = GRPCCall(service: service, logger: logger)
        transport = HTTP2ServerTransport.Posix(
            address: Self.address(options), transportSecurity: Self.security(options.tls),
            config: .defaults { config in
                config.compression = .init(enabledAlgorithms: [.gzip, .deflate, .none])
                config.http2.maxConcurrentStreams = options.concurrentStreamsMax
                config.http2.targetWindowSize = 1 << 20
                config.rpc.maxRequestPayloadSize = options.transportMessageBytesMax
                config.connection.keepalive = .init(
                    time: options.keepaliveTime, timeout: options.keepaliveTimeout,
                    clientBehavior: .init(
                        minPingIntervalWithoutCalls: options.clientPingIntervalMin, allowWithoutCalls: true))
            })
    }

    /// Listens until ``shutDown()`` or cancellation. Call once.
    public func run() async throws {
        let call = call
        try await transport.listen { stream, context in await call.handle(stream, context) }
    }

    /// The port that is listened on; waits until it is.
    public var port: Int {
        get async throws {
            let address = try await transport.listeningAddress
            return address.ipv4?.port ?? address.ipv6?.port ?? 0
        }
    }

    /// Takes no new calls, ends long polls, lets the others finish, and ends ``run()``.
    public func shutDown() { transport.beginGracefulShutdown() }

    private static func address(_ options: GRPCServerOptions) -> GRPCNIOTransportHTTP2.SocketAddress {
        let host = options.host == "localhost" ? "127.0.0.1" : options.host
        return host.contains(":") ? .ipv6(host: host, port: options.port) : .ipv4(host: host, port: options.port)
    }

    private static func security(_ tls: GRPCServerOptions.TLS?) -> HTTP2ServerTransport.Posix.TransportSecurity {
        guard let tls else { return .plaintext }
        return .tls(
            certificateChain: [.file(path: tls.certificateFile, format: .pem)],
            privateKey: .file(path: tls.privateKeyFile, format: .pem)
        ) { config in
            if let authorities = tls.clientAuthoritiesFile {
                config.trustRoots = .certificates([.file(path: authorities, format: .pem)])
                config.clientCertificateVerification = .noHostnameVerification
            }
        }
    }
}
