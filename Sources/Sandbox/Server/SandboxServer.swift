import AsyncHTTPClient
import Foundation
import Hummingbird
public import Logging
import NIOCore
import Synchronization

/// The stand-ins over HTTP: payment provider under `/v1`, parcels under `/shipping/v1`, SMS under `/2010-04-01`, WeChat under
/// `/cgi-bin`, control under `/_ctl`.
public final class SandboxServer: Sendable {
    private let configuration: SandboxConfiguration
    private let store: SandboxStore
    private let logger: Logger

    private static let bodyBytesMax = 1 << 20

    /// - Throws: when the journal file cannot be read.
    public init(configuration: SandboxConfiguration = SandboxConfiguration(), logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        self.store = try SandboxStore(configuration: configuration)
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onReady: called once with the port that is listened on.
    public func run(onReady: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup)
        let courier = WebhookCourier(
            store: self.store, client: client, configuration: self.configuration, logger: self.logger)
        await courier.wake()
        let application = Application(
            responder: CallbackResponder<ConnectionContext> { [store] request, context in
                let response = try await SandboxServer.respond(to: request, on: context.channel, store: store)
                await courier.wake()
                return response
            },
            configuration: ApplicationConfiguration(
                address: .hostname(self.configuration.host, port: self.configuration.port), serverName: nil),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: Self.quiet(self.logger))
        do {
            try await application.run()
        } catch {
            await courier.stop()
            try await client.shutdown()
            throw error
        }
        await courier.stop()
        try await client.shutdown()
    }

    /// The library calls the cancellation of open connections at the end an error.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = .critical
        return quiet
    }

    private static func respond(
        to request: Request, on channel: any Channel, store: SandboxStore
    ) async throws -> Response {
        let parsed = try await self.parse(request)
        let (answer, hold) = try store.handle(parsed)
        await hold?.value
        switch answer.transport {
        case .send:
            var headers: HTTPFields = [:]
            headers[.contentType] = "application/json"
            for (name, value) in answer.headers.sorted(by: { $0.key < $1.key }) {
                SandboxServer.set(name, value, &headers)
            }
            SandboxServer.set("request-id", "req_\(UInt64.random(in: 1...UInt64.max))", &headers)
            return Response(
                status: HTTPResponse.Status(code: answer.status), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body.text)))
        case .drop:
            try? await channel.close().get()  // nothing can be written any more
            return Response(status: .serviceUnavailable)
        }
    }

    private static func set(_ name: String, _ value: String, _ headers: inout HTTPFields) {
        guard let name = HTTPFields.Element.Name(name) else { return }
        headers[name] = value
    }

    private static func parse(_ request: Request) async throws -> SandboxRequest {
        var request = request
        let buffer = try await request.collectBody(upTo: SandboxServer.bodyBytesMax)
        let body = String(buffer: buffer)
        var form = Form()
        if let query = request.uri.query { form = Form(parsing: query) }
        let isJSON = request.headers[.contentType]?.hasPrefix("application/json") == true
        if !isJSON { form.merge(Form(parsing: body)) }
        return SandboxRequest(
            method: request.method.rawValue, path: request.uri.path, form: form,
            key: request.headers.first { $0.name.canonicalName == "idempotency-key" }?.value,
            authorization: SandboxServer.judge(request.headers[.authorization]), json: isJSON ? body : nil)
    }

    /// Any secret test key is genuine, except those that start with `sk_bad`. The secret itself is not kept.
    private static func judge(_ header: String?) -> SandboxRequest.Authorization? {
        guard let header else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return .refused }
        var secret = parts[1]
        if parts[0].lowercased() == "basic", let data = Data(base64Encoded: secret) {
            secret = String(decoding: data, as: UTF8.self)
            // An SMS account is the name, its token the password.
            if secret.hasPrefix("AC"), let colon = secret.firstIndex(of: ":") {
                secret = String(secret[secret.index(after: colon)...])
            }
        }
        return secret.hasPrefix("sk_") && !secret.hasPrefix("sk_bad") ? .valid : .refused
    }
}

/// A request's context that knows its connection, so that it can be cut.
private struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.channel = source.channel
    }
}
