import AsyncHTTPClient
import Foundation
import NIOHTTP1

/// A carrier for SMS, shaped like Twilio's Messages. Our operation's key goes along, so that a repeat is the same message.
struct SmsProvider: Sendable {
    let http: HTTPClient
    let settings: NotificationSettings.Sms
    let gate: PeerGate

    private struct Message: Decodable { var sid: String }
    private struct Refusal: Decodable {
        var code: Int?
        var message: String?
    }

    /// - Returns: the carrier's name of the message.
    func send(
        _ text: String, to phone: String, key: String, tenant: String, scope: EffectScope
    ) async throws(EffectFailure) -> String? {
        var fields = [("To", phone), ("From", self.settings.from), ("Body", text)]
        if let callback = self.settings.callbackURL {
            fields.append(("StatusCallback", callback.replacing("{provider}", with: self.settings.name)))
        }
        let secret = Data("\(self.settings.account):\(self.settings.token)".utf8).base64EncodedString()
        let call = HTTPCall(
            method: .POST, url: "\(self.settings.baseURL)/2010-04-01/Accounts/\(self.settings.account)/Messages.json",
            headers: [
                ("authorization", "Basic \(secret)"), ("content-type", "application/x-www-form-urlencoded"),
                ("idempotency-key", key),
            ], body: ProviderClient.form(fields))
        return try await self.gate.call(tenant: tenant) { () async throws(EffectFailure) -> String? in
            let answer = try await call.run(self.http, within: scope.callLimit)
            guard (200..<300).contains(answer.status) else { throw Self.failure(answer) }
            guard let message = try? JSONDecoder().decode(Message.self, from: answer.body) else {
                throw EffectFailure(.ambiguous, "the answer cannot be read")
            }
            return message.sid
        }
    }

    /// The class of an error answer.
    static func failure(_ answer: HTTPCall.Answer) -> EffectFailure {
        let body = try? JSONDecoder().decode(Refusal.self, from: answer.body)
        let message = "carrier answered \(answer.status) \(body?.message ?? "")"
        let code = body?.code.map(String.init)
        var failure: EffectFailure
        switch answer.status {
        case 429:
            let seconds = answer.headers.first(name: "retry-after").flatMap { Double($0) } ?? 1
            failure = EffectFailure(.throttled(after: .milliseconds(Int64(seconds * 1000))), message)
            failure.code = code ?? "20429"
        case 500...:
            // The key makes a repeat the same message: what happened is only open until then.
            failure = EffectFailure(.transient, message)
            failure.code = "provider_5xx"
        case 401, 403: failure = EffectFailure(.permanent(code: "provider_auth"), message)
        default: failure = EffectFailure(.permanent(code: code ?? "rejected"), message)
        }
        return failure
    }
}
