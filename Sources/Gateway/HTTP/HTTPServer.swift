import FoundationEssentials
import Hummingbird
public import Logging
import NIOCore

/// Serves an ``HTTPService`` over HTTP/1.1 with Hummingbird.
public final class HTTPServer: Sendable {
    private let service: HTTPService
    private let host: String
    private let requestedPort: Int
    private let logger: Logger
    private static let headerBytesMax = 32 << 10
    private static let idleTimeout = TimeAmount.seconds(60)
    private let boundPort = AsyncStream<Int>.makeStream()

    /// - Parameter port: 0 takes a free one.
    public init(service: HTTPService, host: String = "127.0.0.1", port: Int = 7243, logger: Logger) {
        self.service = service
        self.host = host
        requestedPort = port
        // The library calls the cancellation of open connections at the end an error; our own messages do not go through it.
        var quiet = logger
        quiet.logLevel = .critical
        self.logger = quiet
    }

    /// Listens until the task is cancelled. Call once.
    public func run() async throws {
        let bound = boundPort.continuation
        // Header lists above 32 KiB and connections that say nothing for a minute are cut off.
        let application = Application(
            responder: Responder(service: service),
            server: .http1(
                configuration: .init(
                    idleTimeout: Self.idleTimeout,
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: Self.headerBytesMax, maxHeaderListSize: Self.headerBytesMax))),
            configuration: .init(address: .hostname(host, port: requestedPort), serverName: nil),
            onServerRunning: { channel in bound.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        defer { bound.finish() }
        try await application.run()
    }

    /// The port that is listened on; waits until it is. Ask once. nil when the server could not start.
    public func port() async -> Int? {
        for await port in boundPort.stream { return port }
        return nil
    }
}

private struct Responder: HTTPResponder {
    typealias Context = BasicRequestContext
    private typealias Field = HTTPFields.Element

    let service: HTTPService

    func respond(to request: Request, context: Context) async throws -> Response {
        // The library takes the host out of the headers; signatures over our address need it.
        let host = request.head.authority.map { [(name: "host", value: $0)] } ?? []
        let fields = host + request.headers.map { (name: $0.name.canonicalName, value: $0.value) }
        var question = HTTPQuestion(
            method: request.method.rawValue, path: request.uri.path, query: QueryString.parse(request.uri.query ?? ""),
            headers: fields)
        let answer: HTTPAnswer
        let limit = service.options.bodyBytesMax(of: question.path)
        if service.isUpload(question) {
            answer = await service.upload(question, request.body)
        } else if let body = try await Self.collect(request.body, limit: limit) {
            question.body = body
            answer = await service.answer(question)
        } else {
            var refused = HTTPService.tooLarge(limit, path: question.path).answer(requestID: question.requestID)
            refused.headers.append(.init("X-Request-Id", question.requestID))
            answer = refused
        }
        var headers = HTTPFields()
        for header in answer.headers {
            if let name = Field.Name(header.name) { headers.append(Field(name: name, value: header.value)) }
        }
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    /// So much of a body that is too large is read and thrown away: whoever is cut off while sending never sees the answer.
    private static let ignoredBytesMax = 32 << 20

    /// - Returns: nil for a body that is too large.
    private static func collect(_ body: RequestBody, limit: Int) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var count = 0
        for try await part in body {
            count += part.readableBytes
            if count <= limit {
                bytes += part.readableBytesView
            } else if count > limit + Self.ignoredBytesMax {
                break
            } else {
                bytes = []
            }
        }
        return count <= limit ? bytes : nil
    }
}
