/// How the gRPC server listens and what it allows (protocol.md 1.2).
public struct GRPCServerOptions: Sendable {
    /// Certificates as paths of PEM files.
    public struct TLS: Hashable, Sendable {
        public var certificateFile: String
        public var privateKeyFile: String
        /// When set, clients must show a certificate that these authorities signed.
        public var clientAuthoritiesFile: String?

        public init(certificateFile: String, privateKeyFile: String, clientAuthoritiesFile: String? = nil) {
            self.certificateFile = certificateFile
            self.privateKeyFile = privateKeyFile
            self.clientAuthoritiesFile = clientAuthoritiesFile
        }
    }

    public var host: String
    /// 0 takes a free one.
    public var port: Int
    public var tls: TLS?
    /// SDK workers park many polls on one connection.
    public var concurrentStreamsMax = 10_000
    /// What the transport takes at all; a message above the service's own limit is answered, one above this breaks its stream.
    public var transportMessageBytesMax = 16 << 20
    /// The server pings a connection that was idle this long.
    public var keepaliveTime = Duration.seconds(60)
    public var keepaliveTimeout = Duration.seconds(10)
    /// Clients may ping this often, also without calls.
    public var clientPingIntervalMin = Duration.seconds(10)

    public init(host: String = "127.0.0.1", port: Int = 7233, tls: TLS? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }
}
