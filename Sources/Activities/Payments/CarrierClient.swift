import AsyncHTTPClient
import Foundation
import NIOHTTP1

/// The carrier's API: book a parcel, cancel it.
struct CarrierClient: Sendable {
    let http: HTTPClient
    let baseURL: String
    let gate: PeerGate

    struct Shipment: Decodable, Sendable {
        var id: String
        var status: String
    }

    private struct Booking: Encodable {
        var payment_id: String
        var order_id: String
        var address: [String: JSONScalar]
    }

    private struct Envelope: Decodable {
        struct Body: Decodable {
            var code: String
            var message: String
        }
        var error: Body
    }

    private struct Page: Decodable, Sendable {
        var data: [Shipment]
    }

    func schedule(
        payment: String, order: String, address: [String: JSONScalar], key: String, tenant: String, scope: EffectScope
    ) async throws(EffectFailure) -> Shipment {
        let body: String
        do {
            body = try PaymentJSON.text(Booking(payment_id: payment, order_id: order, address: address))
        } catch {
            throw EffectFailure(.invalid, "the address cannot be written as JSON")
        }
        return try await self.once(key) { key throws(EffectFailure) in
            try await self.send(
                Shipment.self, .POST, "/shipping/v1/shipments", body: body, key: key, tenant, scope)
        } done: { () throws(EffectFailure) in
            try await self.shipments(ofPayment: payment, tenant: tenant, scope: scope)
                .first { $0.status != "canceled" }
        }
    }

    /// Cancels a parcel of a payment.
    func cancel(_ id: String, payment: String, key: String, tenant: String, scope: EffectScope)
        async throws(EffectFailure) -> Shipment
    {
        try await self.once(key) { key throws(EffectFailure) in
            try await self.send(
                Shipment.self, .POST, "/shipping/v1/shipments/\(id)/cancel", body: "{}", key: key, tenant, scope)
        } done: { () throws(EffectFailure) in
            try await self.shipments(ofPayment: payment, tenant: tenant, scope: scope)
                .first { $0.id == id && $0.status == "canceled" }
        }
    }

    /// Keys of one operation that the carrier may have answered for good with an error.
    private static let keysMax = 8

    /// One write, under the first key that the carrier does not hold an error for.
    ///
    /// A carrier that repeats a stored error for a key will do so for ever. It has then done with that key: its list says
    /// whether the parcel is as we want it, and if not, the next key asks anew. Every attempt walks the same keys.
    private func once(
        _ key: String, _ write: (String) async throws(EffectFailure) -> Shipment,
        done: () async throws(EffectFailure) -> Shipment?
    ) async throws(EffectFailure) -> Shipment {
        for number in 1..<Self.keysMax {
            do throws(EffectFailure) {
                return try await write(number == 1 ? key : "\(key)/k\(number)")
            } catch  where error.isReplayed && error.kind == .ambiguous {
                if let shipment = try await done() { return shipment }
            }
        }
        return try await write("\(key)/k\(Self.keysMax)")
    }

    /// What the carrier has booked for a payment.
    func shipments(ofPayment payment: String, tenant: String, scope: EffectScope) async throws(EffectFailure)
        -> [Shipment]
    {
        try await self.send(
            Page.self, .GET, "/shipping/v1/shipments?payment_id=\(payment)", body: nil, key: nil, tenant, scope
        ).data
    }

    private func send<Answer: Decodable & Sendable>(
        _ type: Answer.Type, _ method: HTTPMethod, _ path: String, body: String?, key: String?, _ tenant: String,
        _ scope: EffectScope
    ) async throws(EffectFailure) -> Answer {
        try await self.gate.call(tenant: tenant) { () async throws(EffectFailure) -> Answer in
            var headers = [(name: "content-type", value: "application/json")]
            if let key { headers.append(("idempotency-key", key)) }
            let call = HTTPCall(method: method, url: self.baseURL + path, headers: headers, body: body)
            let answer = try await call.run(self.http, within: min(scope.callLimit, .seconds(12)))
            guard (200..<300).contains(answer.status) else {
                var failure = CarrierClient.failure(answer, isWrite: method == .POST)
                failure.isReplayed = answer.headers.first(name: "idempotent-replayed") == "true"
                throw failure
            }
            do {
                return try JSONDecoder().decode(type, from: answer.body)
            } catch {
                throw EffectFailure(method == .POST ? .ambiguous : .transient, "the carrier's answer cannot be read")
            }
        }
    }

    private static func failure(_ answer: HTTPCall.Answer, isWrite: Bool) -> EffectFailure {
        let code = (try? JSONDecoder().decode(Envelope.self, from: answer.body))?.error.code ?? ""
        let message = "carrier answered \(answer.status) \(code)"
        switch answer.status {
        case 409: return EffectFailure(.transient, message)
        case 429: return EffectFailure(.throttled(after: .seconds(1)), message)
        case 500...: return EffectFailure(isWrite && answer.status != 503 ? .ambiguous : .transient, message)
        default:
            return EffectFailure(
                .permanent(code: code == "address_rejected" ? "AddressRejected" : "InvalidRequest"), message)
        }
    }
}
