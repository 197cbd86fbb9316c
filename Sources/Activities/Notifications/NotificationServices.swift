public import AsyncHTTPClient
import Foundation
public import Postgres

/// What the notification activities need of the world.
public struct NotificationServices: Sendable {
    let pool: PostgresPool
    let renderer: any MessageRenderer
    let schedule: any DeliverySchedule
    let settings: NotificationSettings
    let policy: NotificationPolicy
    let failpoints: Failpoints
    let opener: @Sendable (NotificationRequest) async throws -> NotificationRequest
    let throttle = TokenThrottle()
    let routes: ProviderRoutes
    let mail: [String: MailProvider]
    let sms: [String: SmsProvider]
    let wechat: [String: WeChatProvider]

    /// - Parameters:
    ///   - failpoints: armed only for tests.
    ///   - opener: opens what is sealed in a request; a `permanent` failure means that nobody can any more.
    public init(
        pool: PostgresPool, client: HTTPClient, renderer: any MessageRenderer, schedule: any DeliverySchedule,
        settings: NotificationSettings, policy: NotificationPolicy = NotificationPolicy(),
        failpoints: Failpoints = .none,
        opener: @escaping @Sendable (NotificationRequest) async throws -> NotificationRequest = { $0 }
    ) {
        self.pool = pool
        self.renderer = renderer
        self.schedule = schedule
        self.settings = settings
        self.policy = policy
        self.failpoints = failpoints
        self.opener = opener
        self.routes = ProviderRoutes(pool: pool)
        func gate(_ name: String) -> PeerGate { PeerGate(name: name, breaker: policy.breaker, wait: .seconds(10)) }
        self.mail = Dictionary(
            settings.mail.map { ($0.name, MailProvider(settings: $0, gate: gate($0.name))) }, uniquingKeysWith: { $1 })
        self.sms = Dictionary(
            settings.sms.map { ($0.name, SmsProvider(http: client, settings: $0, gate: gate($0.name))) },
            uniquingKeysWith: { $1 })
        self.wechat = Dictionary(
            settings.wechat.map { ($0.name, WeChatProvider(http: client, settings: $0, gate: gate($0.name))) },
            uniquingKeysWith: { $1 })
    }

    /// Ends the threads that speak SMTP.
    public func close() { for provider in self.mail.values { provider.close() } }

    /// Runs a transaction and names its failures as ours.
    func transaction<Result>(_ body: (PostgresTransaction) async throws -> Result) async throws -> Result {
        do {
            return try await self.pool.withTransaction(body)
        } catch let error as PostgresError {
            throw EffectFailure(error)
        }
    }

    /// Runs one statement and names its failures as ours.
    @discardableResult
    func query(_ statement: Statement, _ fill: (inout Parameters) -> Void) async throws -> ResultSet {
        do {
            return try await self.pool.query(statement, fill)
        } catch {
            throw EffectFailure(error)
        }
    }

    /// An effect on our own tables: one transaction, done once however often it is asked for.
    func once<Result: Codable & Sendable>(
        _ name: String, op: OperationID, _ request: NotificationRequest, scope: EffectScope,
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        try scope.checkTime()
        try await self.failpoints.pass(name, .beforeEffect)
        let result = try await self.transaction { connection in
            let claimed = try await connection.query(NotificationStatements.claimOp) {
                $0.text(op.value)
                $0.text(request.tenant)
                $0.text(request.id)
                $0.text(name)
            }
            if claimed.count == 0 {
                let rows = try await connection.query(NotificationStatements.readOp) { $0.text(op.value) }
                guard rows.count == 1, let text = try rows[0].textOrNil(0) else {
                    throw EffectFailure(.conflict, "the operation is under way elsewhere")
                }
                return try PaymentJSON.value(Result.self, text)
            }
            let result = try await body(connection)
            let text = try PaymentJSON.text(result)
            try await connection.query(NotificationStatements.endOp) {
                $0.text(op.value)
                $0.text(text)
            }
            return result
        }
        try await self.failpoints.pass(name, .afterEffect)
        try await self.failpoints.pass(name, .afterResult)
        return result
    }

    /// Puts an event into the outbox; it becomes visible with the transaction. No address and no content is in it.
    func publish(
        _ type: String, _ request: NotificationRequest, _ data: [String: JSONScalar], op: String, scope: EffectScope,
        in connection: PostgresTransaction
    ) async throws {
        var body = data
        body["notification_id"] = .string(request.id)
        body["template"] = .string(request.template.id)
        body["category"] = .string(request.category.rawValue)
        let text = try PaymentJSON.text(body)
        try await connection.query(NotificationStatements.publish) { parameters in
            parameters.text(scope.namespace)
            parameters.text(type)
            parameters.text("\(request.tenant)/\(request.id)")
            parameters.text(text)
            parameters.text(op)
            parameters.text(scope.workflowID)
            parameters.text(request.tenant)
        }
    }
}
