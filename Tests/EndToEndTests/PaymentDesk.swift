import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServerTestKit

/// A shop, its finance department and the world outside, talking to a stage over HTTP and SQL.
struct PaymentDesk: Sendable {
    let stage: Stage
    private let http = HTTPClient.shared

    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var text: String
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(self.text.utf8))) as? [String: Any] ?? [:]
        }
    }

    func call(
        _ method: String, _ url: String, headers: [(String, String)] = [], body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        for header in headers { request.headers.add(name: header.0, value: header.1) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await self.http.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, text: String(buffer: bytes))
    }

    // MARK: The shop

    static func order(_ fields: [String: Any] = [:]) -> String {
        var body: [String: Any] = [
            "merchant_id": "shop", "order_id": "order-1", "amount": 1250, "currency": "EUR",
            "payment_method": "tok_visa",
            "shipping": ["country": "DE"],
        ]
        body.merge(fields) { _, new in new }
        let data = (try? JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    func post(_ body: String, key: String = UUID().uuidString) async throws -> Answer {
        try await self.call(
            "POST", "\(self.stage.gatewayURL)/v1/payments", headers: [("idempotency-key", key)], body: body)
    }

    /// Starts a payment and returns its id.
    func pay(_ fields: [String: Any] = [:], key: String = UUID().uuidString) async throws -> String {
        let answer = try await self.post(Self.order(fields), key: key)
        guard answer.status == 202, let id = answer.json["payment_id"] as? String else {
            throw ServerFailure("expected 202, got \(answer.status): \(answer.text)")
        }
        return id
    }

    func refund(_ payment: String, amount: Int, key: String = UUID().uuidString) async throws -> Answer {
        try await self.call(
            "POST", "\(self.stage.gatewayURL)/v1/payments/\(payment)/refunds", headers: [("idempotency-key", key)],
            body: #"{"amount": \#(amount), "reason": "returned"}"#)
    }

    /// The payment's row: status, substate, captured, refunded.
    func row(_ payment: String) async throws -> [String] {
        try await self.rows(
            "select concat_ws('/', status, substate, captured, refunded) from wf_pay.payment where id = '\(payment)'")
    }

    /// Waits for the payment's end.
    func finished(_ payment: String, seconds: Double = 60) async throws -> String {
        var last = ""
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            last = try await self.rows("select status from wf_pay.payment where id = '\(payment)'").first ?? ""
            if ["COMPLETED", "FAILED", "REFUNDED"].contains(last) { return last }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerFailure("payment \(payment) is still \(last) after \(seconds) s: \(try await self.ops(payment))")
    }

    func until(_ what: String, seconds: Double = 60, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerFailure("did not happen in \(seconds) s: \(what)")
    }

    // MARK: The outside

    func fault(_ json: String) async throws {
        let answer = try await self.call("POST", "\(self.stage.sandboxURL)/_ctl/faults", body: json)
        guard answer.status == 201 else { throw ServerFailure("the fault was refused: \(answer.text)") }
    }

    func clearFaults() async throws { _ = try await self.call("DELETE", "\(self.stage.sandboxURL)/_ctl/faults") }

    struct Visit {
        var method: String
        var path: String
        var key: String?
        var effects: [String]
        var at: Double
    }

    func journal(_ payment: String) async throws -> [Visit] {
        let answer = try await self.call("GET", "\(self.stage.sandboxURL)/_ctl/journal?payment_id=\(payment)")
        return ((answer.json["entries"] as? [[String: Any]]) ?? []).map { entry in
            Visit(
                method: entry["method"] as? String ?? "", path: entry["path"] as? String ?? "",
                key: entry["key"] as? String,
                effects: ((entry["effects"] as? [[String: Any]]) ?? []).compactMap { $0["kind"] as? String },
                at: entry["at"] as? Double ?? 0)
        }
    }

    func effects(_ payment: String) async throws -> [String] { try await self.journal(payment).flatMap(\.effects) }

    /// Requests with an effect in mind, by path.
    func keys(_ payment: String, _ path: String) async throws -> [String] {
        try await self.journal(payment).filter { $0.method == "POST" && $0.path.hasSuffix(path) }.compactMap(\.key)
    }

    func totals() async throws -> (captured: Int, refunded: Int) {
        let json = try await self.call("GET", "\(self.stage.sandboxURL)/_ctl/totals").json
        func sum(_ name: String) -> Int { ((json[name] as? [String: Int]) ?? [:]).values.reduce(0, +) }
        return (sum("captured"), sum("refunded"))
    }

    func completeAction(_ payment: String, outcome: String = "succeed") async throws {
        let reference =
            try await self.rows("select provider_ref from wf_pay.payment where id = '\(payment)'").first ?? ""
        _ = try await self.call(
            "POST", "\(self.stage.sandboxURL)/_ctl/intents/\(reference)/complete_action",
            body: #"{"outcome": "\#(outcome)"}"#)
    }

    // MARK: Finance

    func rows(_ sql: String) async throws -> [String] {
        let pool = PostgresPool(PostgresConfiguration(url: self.stage.databaseURL, applicationName: "desk"))
        defer { pool.close() }
        let rows = try await pool.query(Statement("desk_\(sql.hashValue.magnitude)", sql))
        return try rows.map { row throws(PostgresError) in try row.textOrNil(0) ?? "" }
    }

    func execute(_ sql: String) async throws {
        let pool = PostgresPool(PostgresConfiguration(url: self.stage.databaseURL, applicationName: "desk"))
        defer { pool.close() }
        try await pool.withConnection { try await $0.script(sql) }
    }

    func ledger(_ payment: String) async throws -> [String] {
        try await self.rows(
            "select kind || ' ' || purpose || ' ' || amount from wf_pay.transfer where payment_id = '\(payment)' order by id"
        )
    }

    func events(_ payment: String) async throws -> [String] {
        try await self.rows(
            "select subject_seq || ' ' || type from outbox.event where subject = '\(payment)' order by subject_seq")
    }

    func ops(_ payment: String) async throws -> [String] {
        try await self.rows(
            """
            select op_id || ' tries ' || attempts || ' ' || coalesce(result::text, 'open') from wf_pay.op
            where payment_id = '\(payment)' order by started_at
            """)
    }

    func stock(_ sku: String, _ count: Int) async throws {
        try await self.execute(
            "insert into wf_pay.stock_item (sku, available) values ('\(sku)', \(count)) on conflict do nothing")
    }

    /// The rules that hold whatever happened; the answer lists what is wrong.
    func audit() async throws -> [String] {
        var wrong: [String] = []
        let posted = try await self.rows("select coalesce(sum(posted), 0)::text from wf_pay.balance")
        if posted != ["0"] { wrong.append("debits and credits differ by \(posted)") }
        let sums = try await self.rows(
            """
            select coalesce(sum(amount) filter (where purpose = 'capture'), 0) || '/' ||
                coalesce(sum(amount) filter (where purpose = 'refund'), 0) from wf_pay.transfer where kind = 'post'
            """)
        let totals = try await self.totals()
        if sums != ["\(totals.captured)/\(totals.refunded)"] {
            wrong.append("ledger \(sums), provider \(totals.captured)/\(totals.refunded)")
        }
        let gaps = try await self.rows(
            "select subject from outbox.event group by subject having max(subject_seq) <> count(*) or min(subject_seq) <> 1"
        )
        if !gaps.isEmpty { wrong.append("events with gaps: \(gaps)") }
        let doubled = try await self.rows(
            """
            select payment_id::text from wf_pay.transfer where purpose = 'capture' group by payment_id having count(*) > 1
            """)
        if !doubled.isEmpty { wrong.append("captured twice: \(doubled)") }
        return wrong
    }
}
