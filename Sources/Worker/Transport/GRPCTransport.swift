import GRPCCore
import GRPCNIOTransportHTTP2
import Synchronization

/// How to reach a Temporal server over gRPC.
public struct GRPCTransportOptions: Sendable {
    /// How the connection is secured.
    public enum Security: Sendable {
        /// HTTP/2 with prior knowledge.
        case plaintext
        /// TLS 1.2 or newer.
        case tls(TLS)
    }

    /// Certificates for a TLS connection, as paths of PEM files.
    public struct TLS: Hashable, Sendable {
        /// Certificate authorities to trust; nil trusts those of the system.
        public var trustRootsFile: String?
        /// The client's own certificate chain and key, when the server asks for one.
        public var certificateFile: String?
        public var privateKeyFile: String?
        /// The name the server's certificate must carry; nil takes the host of the address.
        public var serverName: String?

        public init(
            trustRootsFile: String? = nil, certificateFile: String? = nil, privateKeyFile: String? = nil,
            serverName: String? = nil
        ) {
            self.trustRootsFile = trustRootsFile
            self.certificateFile = certificateFile
            self.privateKeyFile = privateKeyFile
            self.serverName = serverName
        }
    }

    public var host: String
    public var port: Int
    public var security: Security
    /// Sent as `authorization: Bearer …` with every call.
    public var apiKey: String?
    /// Sent with every call, after the library's own metadata.
    public var metadata: RPCMetadata
    /// A ping goes out after this long without traffic; nil sends none.
    public var keepaliveInterval: Duration?
    /// An unanswered ping closes the connection after this long.
    public var keepaliveTimeout: Duration
    /// Whether requests are compressed with gzip.
    public var compressesRequests: Bool
    /// The largest response that is accepted.
    public var responseBytesMax: Int

    public init(
        host: String = "127.0.0.1", port: Int = 7233, security: Security = .plaintext, apiKey: String? = nil,
        metadata: RPCMetadata = [], keepaliveInterval: Duration? = .seconds(30),
        keepaliveTimeout: Duration = .seconds(15),
        compressesRequests: Bool = false, responseBytesMax: Int = 128 * 1024 * 1024
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.apiKey = apiKey
        self.metadata = metadata
        self.keepaliveInterval = keepaliveInterval
        self.keepaliveTimeout = keepaliveTimeout
        self.compressesRequests = compressesRequests
        self.responseBytesMax = responseBytesMax
    }

    /// - Parameter address: `HOST:PORT`; an IPv6 host stands in brackets; without a port it is 7233.
    /// - Returns: Nil when the port is no port or the host is empty.
    public init?(address: String) {
        let tail = address.lastIndex(of: ":").map { address[address.index(after: $0)...] }
        let hasPort = tail.map { !$0.contains("]") } ?? false
        let hostText = hasPort ? address.dropLast((tail?.count ?? 0) + 1) : Substring(address)
        let host = hostText.hasPrefix("[") && hostText.hasSuffix("]") ? hostText.dropFirst().dropLast() : hostText
        guard !host.isEmpty, let port = hasPort ? tail.flatMap({ UInt16($0) }) : 7233 else { return nil }
        self.init(host: String(host), port: Int(port))
    }
}

/// Calls a server over one HTTP/2 connection; many calls share it.
///
/// ``run()`` keeps the connection; until it runs, calls wait. A lost connection is opened again with back-off.
public final class GRPCTransport: Transport {
    private let client: GRPCClient<HTTP2ClientTransport.Posix>
    private let fixedMetadata: RPCMetadata
    private let responseBytesMax: Int
    private let compression: CompressionAlgorithm

    /// - Throws: When certificates cannot be read.
    public init(_ options: GRPCTransportOptions) throws {
        let transport = try HTTP2ClientTransport.Posix(
            target: Self.target(options), transportSecurity: Self.security(options),
            config: .defaults { config in
                config.backoff = .init(initial: .milliseconds(100), max: .seconds(5), multiplier: 1.7, jitter: 0.2)
                config.connection.maxIdleTime = nil
                if let interval = options.keepaliveInterval {
                    config.connection.keepalive = .init(
                        time: interval, timeout: options.keepaliveTimeout, allowWithoutCalls: true)
                }
                config.compression = .init(
                    algorithm: options.compressesRequests ? .gzip : .none, enabledAlgorithms: [.gzip, .none])
                if case .tls(let tls) = options.security, let name = tls.serverName { config.http2.authority = name }
            })
        client = GRPCClient(transport: transport)
        var metadata = options.metadata
        if let key = options.apiKey { metadata.append(("authorization", "Bearer \(key)")) }
        fixedMetadata = metadata
        responseBytesMax = options.responseBytesMax
        compression = options.compressesRequests ? .gzip : .none
    }

    /// Keeps the connection until ``shutDown()`` is called or the task is cancelled.
    public func run() async throws {
        try await client.runConnections()
    }

    /// Lets calls in flight finish, takes no new ones, and ends ``run()``.
    public func shutDown() { client.beginGracefulShutdown() }

    public func call(
        _ method: RPCMethod, request: [UInt8], metadata: RPCMetadata, deadline: Duration
    ) async throws(RPCFailure) -> [UInt8] {
        var sent = Metadata()
        for (key, value) in metadata + fixedMetadata { sent.addString(value, forKey: key) }
        var options = CallOptions.defaults
        options.timeout = deadline
        options.maxResponseMessageBytes = responseBytesMax
        options.compression = compression
        do {
            return try await client.unary(
                request: ClientRequest(message: request, metadata: sent),
                descriptor: MethodDescriptor(fullyQualifiedService: method.service, method: method.name),
                serializer: PlainBytes(), deserializer: PlainBytes(), options: options
            ) { response in try response.message }
        } catch let error as RPCError {
            throw RPCFailure(error)
        } catch is CancellationError {
            throw RPCFailure(.cancelled, "the caller went away")
        } catch {
            throw RPCFailure(.unavailable, "\(error)")
        }
    }

    /// Opens a transport for the time of `body`.
    public static func withTransport<Result: Sendable>(
        _ options: GRPCTransportOptions, _ body: @Sendable (GRPCTransport) async throws -> Result
    ) async throws -> Result {
        let transport = try GRPCTransport(options)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await transport.run() }
            do {
                let result = try await body(transport)
                transport.shutDown()
                try await group.waitForAll()
                return result
            } catch {
                transport.shutDown()
                group.cancelAll()
                throw error
            }
        }
    }

    private static func target(_ options: GRPCTransportOptions) -> any ResolvableTarget {
        let isIPv4 = options.host.allSatisfy { $0.isNumber || $0 == "." }
        if isIPv4 { return .ipv4(address: options.host, port: options.port) }
        if options.host.contains(":") { return .ipv6(address: options.host, port: options.port) }
        return .dns(host: options.host, port: options.port)
    }

    private static func security(_ options: GRPCTransportOptions) -> HTTP2ClientTransport.Posix.TransportSecurity {
        switch options.security {
        case .plaintext: return .plaintext
        case .tls(let files):
            return .tls { config in
                if let roots = files.trustRootsFile {
                    config.trustRoots = .certificates([.file(path: roots, format: .pem)])
                }
                if let certificate = files.certificateFile, let key = files.privateKeyFile {
                    config.certificateChain = [.file(path: certificate, format: .pem)]
                    config.privateKey = .file(path: key, format: .pem)
                }
            }
        }
    }
}

/// Messages that are already encoded.
private struct PlainBytes: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { [UInt8]($0) }
    }
}

extension RPCFailure {
    fileprivate init(_ error: RPCError) {
        let details = error.metadata[binaryValues: "grpc-status-details-bin"].first { _ in true }
        self.init(Code(rawValue: error.code.rawValue) ?? .unknown, error.message, statusDetails: details)
    }
}
