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
    /// What a peer may send before it must wait, per stream and per connection.
    public var windowBytes = 1 << 20
    public var headerBytesMax = 64 << 10
    /// The server pings a connection that was idle this long.
    public var keepaliveTime = Duration.seconds(60)
    public var keepaliveTimeout = Duration.seconds(10)
    /// How long calls may take to end when the server shuts down.
    public var graceTime = Duration.seconds(10)
    /// Polls that callers give up end as stream resets: more than this in 30 s from one connection is an attack.
    public var streamResetsMax = 20_000

    public init(host: String = "127.0.0.1", port: Int = 7233, tls: TLS? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }
}
