public import Logging
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// Serves a ``WireService`` over gRPC: HTTP/2 with prior knowledge, or TLS.
///
/// It sits on NIO's HTTP/2 itself: requests pass as bytes, one task answers each, and every method name is looked up in the
/// service's own table, so that an unknown one is answered as clients expect. Compressed requests are inflated, answers go out
/// as they are.
public final class GRPCServer: Sendable {
    private struct State {
        var isShutDown = false
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var port: Result<Int, any Error>?
        var portWaiters: [CheckedContinuation<Int, any Error>] = []
        var endWaiter: CheckedContinuation<Void, Never>?
    }

    private let answering: GRPCAnswering
    private let options: GRPCServerOptions
    private let tls: NIOSSLContext?
    private let logger: Logger
    private let state = Mutex(State())

    /// - Throws: when certificates cannot be read.
    public init(service: WireService, options: GRPCServerOptions, logger: Logger) throws {
        answering = GRPCAnswering(service: service)
        self.options = options
        self.logger = logger
        tls = try options.tls.map(Self.context)
    }

    /// Listens until ``shutDown()`` or cancellation, and until the last connection is closed. Call once.
    ///
    /// - Throws: when the address cannot be listened on.
    public func run() async throws {
        do {
            let listener = try await bootstrap().bind(host: options.host, port: options.port).get()
            let isTooLate = state.withLock { state in
                state.listener = listener
                return state.isShutDown
            }
            if isTooLate { listener.close(promise: nil) }
            settlePort(.success(listener.localAddress?.port ?? 0))
            await withTaskCancellationHandler {
                try? await listener.closeFuture.get()
                await connectionsEnd()
            } onCancel: {
                self.shutDown()
            }
        } catch {
            settlePort(.failure(error))
            throw error
        }
    }

    /// The port that is listened on; waits until it is.
    public var port: Int {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state in
                    if state.port == nil { state.portWaiters.append(continuation) }
                    return state.port
                }
                if let known { continuation.resume(with: known) }
            }
        }
    }

    /// Takes no new calls, ends long polls, lets the others finish, and ends ``run()``.
    public func shutDown() {
        let (listener, connections) = state.withLock { state in
            state.isShutDown = true
            return (state.listener, Array(state.connections.values))
        }
        listener?.close(promise: nil)
        for connection in connections { Self.quiesce(connection) }
        answering.shutDown()
    }

    private static func quiesce(_ connection: any Channel) {
        connection.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    private func settlePort(_ port: Result<Int, any Error>) {
        let waiters = state.withLock { state in
            state.port = port
            defer { state.portWaiters = [] }
            return state.portWaiters
        }
        for waiter in waiters { waiter.resume(with: port) }
    }

    // MARK: Connections

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel) }
            }
    }

    private func prepare(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        let life = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: nil, maxAge: nil, maxGraceTime: TimeAmount(options.graceTime),
                keepalive: .init(
                    pingInterval: TimeAmount(options.keepaliveTime), ackTimeout: TimeAmount(options.keepaliveTimeout))))
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: options.concurrentStreamsMax),
            HTTP2Setting(parameter: .initialWindowSize, value: options.windowBytes),
            HTTP2Setting(parameter: .maxHeaderListSize, value: options.headerBytesMax),
        ]
        connection.targetWindowSize = options.windowBytes
        connection.maximumRecentlyResetStreams = options.concurrentStreamsMax
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = options.windowBytes
        stream.streamResetFrameRateLimit.maximumCount = options.streamResetsMax
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: stream,
            streamDelegate: life.http2StreamDelegate
        ) { [answering] channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(GRPCStream(answering))
            }
        }
        try pipeline.addHandler(life)
        try pipeline.addHandler(GRPCConnectionErrors(logger))
        opened(channel)
    }

    private func opened(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isTooLate = state.withLock { state in
            state.connections[id] = channel
            return state.isShutDown
        }
        if isTooLate { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.connections[id] = nil
                guard state.connections.isEmpty else { return nil }
                defer { state.endWaiter = nil }
                return state.endWaiter
            }
            waiter?.resume()
        }
    }

    private func connectionsEnd() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.connections.isEmpty { state.endWaiter = continuation }
                return state.connections.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    private static func context(_ tls: GRPCServerOptions.TLS) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(tls.certificateFile)
        let key = try NIOSSLPrivateKey(file: tls.privateKeyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.applicationProtocols = ["h2"]
        configuration.minimumTLSVersion = .tlsv12
        if let authorities = tls.clientAuthoritiesFile {
            configuration.trustRoots = .file(authorities)
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// What goes wrong on a connection ends it, and only it.
private final class GRPCConnectionErrors: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}  // frames of the connection are the library's

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("connection broken", metadata: ["why": "\(error)"])
        context.close(promise: nil)
    }
}
