import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The demo's shop: posts orders to the gateway and asks how they go.
struct DemoShop: Sendable {
    let gateway: String
    let sandbox: String
    private let http = HTTPClient.shared

    struct Order: Sendable {
        var title: String
        var amount: Int64
        var card: String
        var country: String
    }

    struct Step: Sendable, Hashable {
        var name: String
        var state: String
        var attempts: Int64
    }

    struct Progress: Sendable {
        var status: String
        var steps: [Step]
    }

    func pay(_ order: Order, number: Int) async throws -> String {
        let body = Printable.object([
            ("merchant_id", .string("shop")), ("order_id", .string("order-\(number)")),
            ("amount", .integer(order.amount)),
            ("currency", .string("EUR")), ("payment_method", .string(order.card)),
            ("shipping", .object([("country", .string(order.country))])),
        ]).json
        let (status, answer) = try await call(
            "POST", "\(gateway)/v1/payments", body: body,
            headers: [("idempotency-key", "demo-\(number)-\(UUID().uuidString)")])
        guard status == 202, let id = answer["payment_id"]?.string else {
            throw CommandFailure("POST /v1/payments answered \(status): \(answer.text)")
        }
        return id
    }

    func progress(_ payment: String) async throws -> Progress? {
        let (status, answer) = try await call("GET", "\(gateway)/v1/operations/\(payment)")
        guard status == 200, let state = answer["status"]?.string else { return nil }
        guard case .array(let steps)? = answer["progress"]?["steps"] else { return Progress(status: state, steps: []) }
        return Progress(
            status: state,
            steps: steps.compactMap { step in
                guard let name = step["name"]?.string, let state = step["state"]?.string else { return nil }
                var attempts: Int64 = 1
                if case .integer(let count)? = step["attempts"] { attempts = count }
                return Step(name: name, state: state, attempts: attempts)
            })
    }

    struct Totals: Sendable, Equatable {
        var captured: Int64
        var refunded: Int64
    }

    func providerTotals() async throws -> Totals {
        let (_, answer) = try await call("GET", "\(sandbox)/_ctl/totals")
        func sum(_ name: String) -> Int64 {
            guard case .object(let amounts)? = answer[name] else { return 0 }
            return amounts.values.reduce(0) { sum, value in
                if case .integer(let amount) = value { return sum + amount }
                return sum
            }
        }
        return Totals(captured: sum("captured"), refunded: sum("refunded"))
    }

    /// What the provider was asked for this payment, and what it did.
    func journal(_ payment: String) async throws -> [String] {
        let (_, answer) = try await call("GET", "\(sandbox)/_ctl/journal?payment_id=\(payment)")
        guard case .array(let entries)? = answer["entries"] else { return [] }
        return entries.flatMap { entry -> [String] in
            guard case .array(let effects)? = entry["effects"] else { return [] }
            return effects.compactMap { $0["kind"]?.string }
        }
    }

    private func call(
        _ method: String, _ url: String, body: String? = nil, headers: [(String, String)] = []
    ) async throws -> (Int, JSONValue) {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        for header in headers { request.headers.add(name: header.0, value: header.1) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await http.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))
        return (Int(response.status.code), value ?? .null)
    }
}
