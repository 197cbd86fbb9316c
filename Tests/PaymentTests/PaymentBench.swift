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

/// A private Postgres with the payment tables, a sandbox over HTTP, and the activities between them.
struct PaymentBench: Sendable {
    let pool: PostgresPool
    let http: HTTPClient
    let sandboxURL: String
    let services: PaymentServices

    /// Runs `body` with everything started, and stops it.
    static func with(
        policy: PaymentPolicy = PaymentPolicy(), failpoints: Failpoints = .none, journalPath: String? = nil,
        _ body: @escaping @Sendable (PaymentBench) async throws -> Void
    ) async throws {
        let postgres = try await PrivatePostgres.temporary()
        do {
            try await self.with(postgres, policy: policy, failpoints: failpoints, journalPath: journalPath, body)
        } catch {
            await postgres.stop()
            throw error
        }
        await postgres.stop()
    }

    private static func with(
        _ postgres: PrivatePostgres, policy: PaymentPolicy, failpoints: Failpoints, journalPath: String?,
        _ body: @escaping @Sendable (PaymentBench) async throws -> Void
    ) async throws {
        let pool = PostgresPool(PostgresConfiguration(url: postgres.url()))
        defer { pool.close() }
        try await pool.withConnection { connection in
            try await connection.script(try PaymentBench.engineSchema())
            try await connection.script(DeadLetterSchema.sql)
            try await connection.script(PaymentSchema.sql)
            try await connection.script(PaymentSchema.sql)  // applying it again changes nothing
        }
        let sandbox = try SandboxServer(
            configuration: SandboxConfiguration(journalPath: journalPath), logger: Self.quiet)
        let http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup)
        do {
            try await PaymentBench.withSandbox(sandbox) { port in
                let url = "http://127.0.0.1:\(port)"
                let services = PaymentServices(
                    pool: pool, client: http, providerURL: url, providerKey: "sk_test_aloft", carrierURL: url,
                    policy: policy, failpoints: failpoints)
                try await body(PaymentBench(pool: pool, http: http, sandboxURL: url, services: services))
            }
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    /// Runs a sandbox while `body` runs.
    static func withSandbox(_ sandbox: SandboxServer, _ body: @escaping @Sendable (Int) async throws -> Void)
        async throws
    {
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

    /// `schema.sql`, which brings the outbox.
    private static func engineSchema() throws -> String {
        try String(contentsOf: Self.root.appending(path: "schema.sql"), encoding: .utf8)
    }

    private static var quiet: Logger {
        var logger = Logger(label: "sandbox")
        logger.logLevel = .critical
        return logger
    }

    // MARK: Asking

    func control(_ method: String, _ path: String, _ body: String? = nil) async throws -> JSONValue {
        var request = HTTPClientRequest(url: self.sandboxURL + path)
        request.method = .init(rawValue: method)
        request.headers.add(name: "authorization", value: "Bearer sk_test_aloft")
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(Array(body.utf8))
        }
        let response = try await self.http.execute(request, timeout: .seconds(10))
        let text = String(buffer: try await response.body.collect(upTo: 8 << 20))
        return try #require(JSONValue(parsing: text), "\(text)")
    }

    func fault(_ json: String) async throws { _ = try await self.control("POST", "/_ctl/faults", json) }

    /// The effects of a payment in the outside world, in order.
    func effects(_ payment: String) async throws -> [String] {
        let journal = try await self.control("GET", "/_ctl/journal?payment_id=\(payment)")
        return (journal["entries"]?.array ?? []).flatMap {
            ($0["effects"]?.array ?? []).compactMap { $0["kind"]?.string }
        }
    }

    /// The keys used for one path, one for each request.
    func keys(_ payment: String, path: String) async throws -> [String] {
        let journal = try await self.control("GET", "/_ctl/journal?payment_id=\(payment)")
        return (journal["entries"]?.array ?? []).filter {
            $0["path"]?.string?.hasSuffix(path) == true && $0["method"]?.string == "POST"
        }
        .compactMap { $0["key"]?.string }
    }

    func requests(_ payment: String) async throws -> Int {
        (try await self.control("GET", "/_ctl/journal?payment_id=\(payment)"))["entries"]?.array?.count ?? 0
    }

    /// One row of text columns.
    func row(_ sql: String, columns: Int) async throws -> [String?] {
        let rows = try await self.pool.query(Statement("test_\(sql.hashValue.magnitude)", sql))
        guard rows.count > 0 else { return [] }
        var values: [String?] = []
        for column in 0..<columns { values.append(try rows[0].textOrNil(column)) }
        return values
    }

    func texts(_ sql: String) async throws -> [String] {
        let rows = try await self.pool.query(Statement("test_\(sql.hashValue.magnitude)", sql))
        return try rows.map { row throws(PostgresError) in try row.text(0) }
    }

    func events(_ payment: String) async throws -> [String] {
        try await self.texts("select type from outbox.event where subject = '\(payment)' order by subject_seq")
    }

    func stock(_ sku: String, _ count: Int) async throws {
        try await self.pool.withConnection { connection in
            try await connection.script("insert into wf_pay.stock_item (sku, available) values ('\(sku)', \(count))")
        }
    }

    /// Every rule that must hold whatever happened.
    func checkBooks() async throws {
        let sums = try await self.row(
            """
            select coalesce(sum(amount) filter (where purpose = 'capture'), 0)::text,
                coalesce(sum(amount) filter (where purpose = 'refund'), 0)::text from wf_pay.transfer where kind = 'post'
            """, columns: 2)
        let totals = try await self.control("GET", "/_ctl/totals")
        func total(_ name: String) -> Int {
            guard case .object(let members) = totals[name] ?? .null else { return 0 }
            return members.reduce(0) { $0 + ($1.value.int ?? 0) }
        }
        #expect(sums == [String(total("captured")), String(total("refunded"))])
        let posted = try await self.texts("select sum(posted)::text from wf_pay.balance group by currency")
        #expect(posted.allSatisfy { $0 == "0" })
    }

    static func payment(
        _ id: String, amount: Int64 = 1250, token: String = "tok_visa", items: [ChargeInput.Item] = []
    ) -> ChargeInput {
        ChargeInput(
            paymentID: id, idempotencyKey: "key-\(id)", merchantID: "shop", orderID: "order-1", amount: amount,
            currency: "EUR",
            paymentMethod: token, items: items)
    }

    static func scope(_ id: String) -> EffectScope {
        EffectScope(workflowID: "pay:shop:\(id)", timeRemaining: .seconds(10))
    }
}
