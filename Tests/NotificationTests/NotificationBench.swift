import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import Sandbox
import ServerTestKit
import Testing

@testable import Activities

/// A private Postgres with the notification tables, a sandbox over HTTP, a mail server where asked for, and the activities between.
struct NotificationBench: Sendable {
    let pool: PostgresPool
    let http: HTTPClient
    let sandboxURL: String
    let sink: MailSink?
    let settings: NotificationSettings

    struct Options: Sendable {
        var sink: MailSink.Options?
        var change: @Sendable (inout NotificationSettings) -> Void = { _ in }
    }

    /// Runs `body` with everything started, and stops it.
    static func with(
        _ options: Options = Options(), _ body: @escaping @Sendable (NotificationBench) async throws -> Void
    ) async throws {
        let postgres = try await PrivatePostgres.temporary()
        let result: Result<Void, any Error>
        do { result = .success(try await self.with(postgres, options, body)) } catch { result = .failure(error) }
        await postgres.stop()
        try result.get()
    }

    private static func with(
        _ postgres: PrivatePostgres, _ options: Options,
        _ body: @escaping @Sendable (NotificationBench) async throws -> Void
    ) async throws {
        let pool = PostgresPool(PostgresConfiguration(url: postgres.url()))
        defer { pool.close() }
        try await pool.withConnection { connection in
            try await connection.script(
                try String(contentsOf: Self.root.appending(path: "schema.sql"), encoding: .utf8))
            for _ in 0..<2 {  // applying them again changes nothing
                try await connection.script(DeadLetterSchema.sql)
                try await connection.script(NotificationSchema.sql)
            }
        }
        var sink: MailSink?
        if let wanted = options.sink { sink = try await MailSink.start(wanted) }
        let sandbox = try SandboxServer(configuration: SandboxConfiguration(), logger: Self.quiet)
        let http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup)
        let mail = sink
        let result: Result<Void, any Error>
        do {
            try await Self.withSandbox(sandbox) { port in
                let url = "http://127.0.0.1:\(port)"
                var settings = NotificationSettings.sandbox(
                    url: url, mail: .init(host: "127.0.0.1", port: mail?.port ?? 1))
                options.change(&settings)
                try await body(
                    NotificationBench(pool: pool, http: http, sandboxURL: url, sink: mail, settings: settings))
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await sink?.stop()
        try await http.shutdown()
        try result.get()
    }

    private static func withSandbox(
        _ sandbox: SandboxServer, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let (ports, portFound) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup { group in
            group.addTask {
                do { try await sandbox.run { portFound.yield($0) } } catch is CancellationError {}
                portFound.finish()
            }
            for await port in ports {
                try await body(port)
                break
            }
            group.cancelAll()
        }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static var quiet: Logger {
        var logger = Logger(label: "sandbox")
        logger.logLevel = .critical
        return logger
    }

    // MARK: A worker

    /// A worker's activities; a new one knows nothing of what the one before it did.
    func services(
        policy: NotificationPolicy = NotificationPolicy(), failpoints: String? = nil,
        schedule: any DeliverySchedule = AlwaysOpen()
    ) -> NotificationServices {
        NotificationServices(
            pool: self.pool, client: self.http, renderer: PlainRenderer(), schedule: schedule, settings: self.settings,
            policy: policy, failpoints: failpoints.flatMap { Failpoints(parsing: $0) } ?? .none)
    }

    static func request(
        _ id: String, _ recipient: Recipient, _ channel: Activities.Channel = .email,
        _ change: (inout NotificationRequest) -> Void = { _ in }
    ) -> NotificationRequest {
        var request = NotificationRequest(
            id: id, tenant: "shop", recipient: recipient, template: .init(id: "hello"),
            variables: ["name": .string("Ann")], channels: [channel])
        change(&request)
        return request
    }

    static func scope(_ request: NotificationRequest) -> EffectScope {
        EffectScope(workflowID: request.workflowID, timeRemaining: .seconds(30))
    }

    /// Accepts a notification and sends it once.
    func send(
        _ services: NotificationServices, _ request: NotificationRequest, attempt: Int = 1, generation: Int = 0
    ) async throws -> SendOutcome {
        let scope = Self.scope(request)
        _ = try await services.accept(request, scope)
        return try await services.send(
            SendInput(
                request: request, channel: request.channels.first ?? .email, generation: generation, attempt: attempt),
            scope)
    }

    func policy(_ services: NotificationServices, _ request: NotificationRequest, now: Double = 1_800_000_000)
        async throws -> PolicyVerdict
    {
        try await services.checkPolicy(
            PolicyInput(request: request, channel: request.channels.first ?? .email, now: now), Self.scope(request))
    }

    // MARK: Asking

    func control(_ method: String, _ path: String, _ body: String? = nil) async throws -> JSONValue {
        var request = HTTPClientRequest(url: self.sandboxURL + path)
        request.method = .init(rawValue: method)
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(Array(body.utf8))
        }
        let response = try await self.http.execute(request, timeout: .seconds(10))
        let text = String(buffer: try await response.body.collect(upTo: 8 << 20))
        return try #require(JSONValue(parsing: text), "\(text)")
    }

    func fault(_ json: String) async throws { _ = try await self.control("POST", "/_ctl/faults", json) }

    /// `kind reference` of every effect in the outside world, in order.
    func effects() async throws -> [String] {
        let journal = try await self.control("GET", "/_ctl/journal")
        return (journal["entries"]?.array ?? []).flatMap { entry in
            (entry["effects"]?.array ?? []).map { "\($0["kind"]?.string ?? "") \($0["reference"]?.string ?? "")" }
        }
    }

    /// Requests to one path.
    func requests(_ path: String) async throws -> Int {
        let journal = try await self.control("GET", "/_ctl/journal")
        return (journal["entries"]?.array ?? []).count { $0["path"]?.string == path }
    }

    /// What the mail server saw.
    func seen(_ event: String) throws -> [MailSink.Line] { try self.sink?.lines(event) ?? [] }

    func texts(_ sql: String) async throws -> [String] {
        let rows = try await self.pool.query(Statement("test_\(sql.hashValue.magnitude)", sql))
        return try rows.map { row throws(PostgresError) in try row.textOrNil(0) ?? "NULL" }
    }

    func run(_ sql: String) async throws {
        try await self.pool.withConnection { connection in try await connection.script(sql) }
    }

    func events(_ id: String) async throws -> [String] {
        try await self.texts("select type from outbox.event where subject = 'shop/\(id)' order by subject_seq")
    }
}

/// Any minute is open.
struct AlwaysOpen: DeliverySchedule {
    func nextOpening(
        notBefore earliest: Double, window: DeliveryWindow?, quietHours: QuietHours?, timeZone: String
    ) -> Double? { earliest }
}

/// A message without templates; the variable `broken` makes none.
struct PlainRenderer: MessageRenderer {
    func render(_ request: RenderRequest) async throws -> RenderedMessage {
        if request.variables["broken"] != nil {
            throw EffectFailure(.permanent(code: "TemplateError"), "a variable is missing")
        }
        var name = ""
        if case .string(let text) = request.variables["name"] ?? .null { name = text }
        return RenderedMessage(
            subject: "Hello \(name)", text: "Dear \(name)\n.\nBye", html: "<p>Dear \(name)</p>", segments: 1,
            fields: ["thing1": "Dear \(name)"], providerTemplate: "tmpl_1")
    }
}
