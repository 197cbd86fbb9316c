import CNats
import Dispatch

/// One message to publish.
public struct OutgoingMessage: Sendable {
    public var subject: String
    /// `Nats-Msg-Id`: the stream drops a repetition within its window.
    public var id: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    public init(subject: String, id: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.subject = subject
        self.id = id
        self.headers = headers
        self.body = body
    }
}

/// What a stream holds.
public struct StreamInfo: Sendable, Hashable {
    public var created: Int64
    public var firstSequence: UInt64
    public var lastSequence: UInt64
    public var messages: UInt64
}

/// One TCP session with the broker, and the only owner of its C pointers. It never reconnects by itself.
///
/// libnats can reconnect and send what it had buffered, but then messages published later may overtake ones that were lost,
/// so the order per run would break. Here a lost session is over: ``JetStreamClient`` opens another, and whatever was not
/// acknowledged is published again, in order.
///
/// Blocking calls run on the connection's own queue.
final class JetStreamConnection: @unchecked Sendable {
    let router: CallbackRouter
    private let queue = DispatchQueue(label: "aloft.nats")
    // Touched on `queue` only.
    nonisolated(unsafe) private var connection: OpaquePointer?
    nonisolated(unsafe) private var jetStream: OpaquePointer?

    private init(router: CallbackRouter) { self.router = router }

    static func connect(_ configuration: NATSConfiguration) async throws(NATSError) -> JetStreamConnection {
        let made = JetStreamConnection(router: CallbackRouter())
        try await made.run { () throws(NATSError) in try made.open(configuration) }
        return made
    }

    /// Runs `body` on the connection's queue.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws(NATSError) -> Value) async throws(NATSError)
        -> Value
    {
        let result: Result<Value, NATSError> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(NATSError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private func open(_ configuration: NATSConfiguration) throws(NATSError) {
        var options: OpaquePointer?
        try check(natsOptions_Create(&options))
        defer { natsOptions_Destroy(options) }
        try check(natsOptions_SetURL(options, configuration.url))
        try check(natsOptions_SetName(options, configuration.name))
        try check(natsOptions_SetAllowReconnect(options, false))
        try check(natsOptions_SetTimeout(options, MessagingLimits.connectMillisecondsMax))
        if let user = configuration.user {
            try check(natsOptions_SetUserInfo(options, user, configuration.password ?? ""))
        }
        if let token = configuration.token { try check(natsOptions_SetToken(options, token)) }
        if configuration.useTLS {
            try check(natsOptions_SetSecure(options, true))
            if let file = configuration.certificateAuthorityFile {
                try check(natsOptions_LoadCATrustedCertificates(options, file))
            }
        }
        // Callbacks may come late, from libnats' threads: the router (a few hundred bytes a session) is never freed.
        let closure = Unmanaged.passRetained(router).toOpaque()
        try check(
            natsOptions_SetClosedCB(
                options,
                { _, closure in
                    guard let closure else { return }
                    Unmanaged<CallbackRouter>.fromOpaque(closure).takeUnretainedValue().closed()
                }, closure))
        // Slow consumers and the like: without a handler libnats prints to stderr.
        try check(natsOptions_SetErrorHandler(options, { _, _, _, _ in }, nil))
        try check(natsConnection_Connect(&connection, options))
        var settings = jsOptions()
        try check(jsOptions_Init(&settings))
        settings.Wait = MessagingLimits.requestMillisecondsMax
        settings.PublishAsync.MaxPending = Int64(MessagingLimits.publishBatchMax)
        settings.PublishAsync.AckHandlerClosure = closure
        settings.PublishAsync.AckHandler = { _, message, ack, failure, closure in
            var message = message
            defer { natsMsg_Destroy(message) }
            guard let closure else { return }
            let batch = Unmanaged<CallbackRouter>.fromOpaque(closure).takeUnretainedValue().batch
            if let ack {
                var value: UnsafePointer<CChar>?
                guard natsMsgHeader_Get(message, "Nats-Msg-Id", &value) == NATS_OK, let value else { return }
                batch?.acknowledged(id: String(cString: value), sequence: ack.pointee.Sequence)
            } else if let failure {
                let text = failure.pointee.ErrText.map { String(cString: $0) } ?? "publish refused"
                if failure.pointee.Err == NATS_TIMEOUT {
                    batch?.failed(.timeout)
                } else if failure.pointee.ErrCode == JSStreamMessageExceedsMaximumErr {
                    batch?.failed(.tooLarge)
                } else {
                    batch?.failed(.failed(text))
                }
            }
            message = nil
        }
        try check(natsConnection_JetStream(&jetStream, connection, &settings))
    }

    /// Ends the session; what is not acknowledged fails.
    func close() {
        queue.async { [self] in
            if let connection { natsConnection_Close(connection) }
        }
    }

    deinit {
        // Closing joins libnats' threads, which may be the one that let go of us last.
        nonisolated(unsafe) let (connection, jetStream) = (connection, jetStream)
        queue.async {
            if let connection { natsConnection_Close(connection) }
            jsCtx_Destroy(jetStream)
            natsConnection_Destroy(connection)
        }
    }

    /// For the extensions that make calls; only on `queue`.
    func withContext<Value>(_ body: (OpaquePointer) throws(NATSError) -> Value) throws(NATSError) -> Value {
        dispatchPrecondition(condition: .onQueue(queue))
        guard let jetStream, !router.isClosed else { throw .notConnected }
        return try body(jetStream)
    }
}

func check(_ status: natsStatus) throws(NATSError) {
    guard status == NATS_OK else { throw NATSError(status) }
}
