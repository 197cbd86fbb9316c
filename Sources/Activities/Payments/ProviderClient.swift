import AsyncHTTPClient
import Foundation
import NIOHTTP1

/// The payment provider's API as we use it: form-encoded requests, our operation's key on every write.
struct ProviderClient: Sendable {
    let http: HTTPClient
    let baseURL: String
    let secret: String
    let gate: PeerGate

    /// Longer than this no single call is waited for.
    static let callMax = Duration.seconds(20)

    struct Refused: Hashable, Sendable {
        var status: Int
        var body: ProviderErrorBody?
    }

    /// Reads an intent.
    func intent(_ id: String, tenant: String, scope: EffectScope) async throws(EffectFailure) -> ProviderIntent {
        try await self.get(
            ProviderIntent.self, "/v1/payment_intents/\(id)", [("expand[]", "latest_charge.balance_transaction")],
            tenant, scope)
    }

    /// All intents that carry this payment's id, newest first.
    func intents(ofPayment payment: String, tenant: String, scope: EffectScope) async throws(EffectFailure)
        -> [ProviderIntent]
    {
        try await self.get(
            ProviderList<ProviderIntent>.self, "/v1/payment_intents",
            [("metadata[payment_id]", payment), ("limit", "100")], tenant,
            scope
        ).data
    }

    func refunds(ofIntent intent: String, tenant: String, scope: EffectScope) async throws(EffectFailure)
        -> [ProviderRefund]
    {
        try await self.get(
            ProviderList<ProviderRefund>.self, "/v1/refunds", [("payment_intent", intent), ("limit", "100")], tenant,
            scope
        ).data
    }

    func post<Answer: Decodable & Sendable>(
        _ type: Answer.Type, _ path: String, _ fields: [(String, String)], key: String, tenant: String,
        scope: EffectScope
    ) async throws(EffectFailure) -> Answer {
        try await self.gate.call(tenant: tenant) { () async throws(EffectFailure) -> Answer in
            let call = HTTPCall(
                method: .POST, url: self.baseURL + path,
                headers: self.headers + [
                    ("idempotency-key", key), ("content-type", "application/x-www-form-urlencoded"),
                ],
                body: ProviderClient.form(fields))
            return try ProviderClient.decode(
                type, try await call.run(self.http, within: scope.callLimit), isWrite: true)
        }
    }

    private func get<Answer: Decodable & Sendable>(
        _ type: Answer.Type, _ path: String, _ fields: [(String, String)], _ tenant: String, _ scope: EffectScope
    ) async throws(EffectFailure) -> Answer {
        try await self.gate.call(tenant: tenant) { () async throws(EffectFailure) -> Answer in
            let call = HTTPCall(
                method: .GET, url: self.baseURL + path + "?" + ProviderClient.form(fields), headers: self.headers,
                body: nil)
            return try ProviderClient.decode(
                type, try await call.run(self.http, within: scope.callLimit), isWrite: false)
        }
    }

    private var headers: [(name: String, value: String)] {
        [("authorization", "Bearer \(self.secret)"), ("accept", "application/json")]
    }

    private static func decode<Answer: Decodable>(
        _ type: Answer.Type, _ answer: HTTPCall.Answer, isWrite: Bool
    ) throws(EffectFailure) -> Answer {
        guard (200..<300).contains(answer.status) else {
            let body = try? JSONDecoder().decode(ProviderErrorEnvelope.self, from: answer.body)
            var failure = ProviderClient.failure(answer, body?.error, isWrite: isWrite)
            failure.isReplayed = answer.headers.first(name: "idempotent-replayed") == "true"
            throw failure
        }
        do {
            return try JSONDecoder().decode(type, from: answer.body)
        } catch {
            throw EffectFailure(isWrite ? .ambiguous : .transient, "the answer cannot be read")
        }
    }

    /// The class of an error answer.
    static func failure(_ answer: HTTPCall.Answer, _ body: ProviderErrorBody?, isWrite: Bool) -> EffectFailure {
        let message = "provider answered \(answer.status) \(body?.code ?? body?.type ?? "")"
        let advice = answer.headers.first(name: "stripe-should-retry")
        switch answer.status {
        case 402: return EffectFailure(.permanent(code: "CardDeclined"), message, decline: body?.decline)
        case 401, 403: return EffectFailure(.permanent(code: "AuthFailed"), message)
        case 409: return EffectFailure(.transient, message)
        case 429:
            let seconds = answer.headers.first(name: "retry-after").flatMap { Double($0) } ?? 1
            return EffectFailure(.throttled(after: .milliseconds(Int64(seconds * 1000))), message)
        case 500...:
            if advice == "false" { return EffectFailure(isWrite ? .unresolved : .transient, message) }
            return EffectFailure(isWrite && answer.status != 503 ? .ambiguous : .transient, message)
        default:
            if body?.type == "idempotency_error" { return EffectFailure(.permanent(code: "KeyReuseMismatch"), message) }
            switch body?.code {
            case "payment_intent_unexpected_state":
                return EffectFailure(.permanent(code: "UnexpectedState:\(body?.intent?.status ?? "")"), message)
            case "amount_too_large": return EffectFailure(.permanent(code: "AmountTooLarge"), message)
            case "charge_already_refunded": return EffectFailure(.permanent(code: "AlreadyRefunded"), message)
            default: return EffectFailure(.permanent(code: "InvalidRequest"), message)
            }
        }
    }

    static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\(ProviderClient.encode($0.0))=\(ProviderClient.encode($0.1))" }.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
                result.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}

extension EffectScope {
    /// How long one call may take: what is left of the attempt, less the time to write its outcome down.
    var callLimit: Duration {
        guard let timeRemaining else { return ProviderClient.callMax }
        return max(.milliseconds(100), min(ProviderClient.callMax, timeRemaining - .milliseconds(250)))
    }
}
