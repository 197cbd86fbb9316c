import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Synchronization

/// WeChat's subscription messages. The access token is fetched when it is needed, and once more when it was refused.
struct WeChatProvider: Sendable {
    let http: HTTPClient
    let settings: NotificationSettings.WeChat
    let gate: PeerGate
    private let token = TokenBox()

    private final class TokenBox: Sendable {
        let value = Mutex<String?>(nil)
    }

    init(http: HTTPClient, settings: NotificationSettings.WeChat, gate: PeerGate) {
        self.http = http
        self.settings = settings
        self.gate = gate
    }

    private struct Answer: Decodable {
        var errcode: Int?
        var errmsg: String?
        var msgid: Int64?
        var access_token: String?
    }

    private static let tokenRefused: Set<Int> = [40001, 40014, 42001]

    func send(
        _ message: RenderedMessage, to openID: String, key: String, tenant: String, scope: EffectScope
    ) async throws(EffectFailure) -> String? {
        try await self.gate.call(tenant: tenant) { () async throws(EffectFailure) -> String? in
            var answer = try await self.post(message, to: openID, key: key, token: try await self.token(scope), scope)
            if let code = answer.errcode, Self.tokenRefused.contains(code) {
                self.token.value.withLock { $0 = nil }
                answer = try await self.post(message, to: openID, key: key, token: try await self.token(scope), scope)
            }
            let code = answer.errcode ?? 0
            guard code == 0 else { throw Self.failure(code, answer.errmsg ?? "", now: Date()) }
            return answer.msgid.map(String.init)
        }
    }

    private func token(_ scope: EffectScope) async throws(EffectFailure) -> String {
        if let known = self.token.value.withLock({ $0 }) { return known }
        let query = ProviderClient.form([
            ("grant_type", "client_credential"), ("appid", self.settings.appID), ("secret", self.settings.secret),
        ])
        let call = HTTPCall(
            method: .GET, url: "\(self.settings.baseURL)/cgi-bin/token?\(query)", headers: [], body: nil)
        let answer = try self.read(try await call.run(self.http, within: scope.callLimit), isWrite: false)
        guard let token = answer.access_token else {
            throw EffectFailure(.permanent(code: "provider_auth"), "no token: \(answer.errcode ?? 0)")
        }
        self.token.value.withLock { $0 = token }
        return token
    }

    private func post(
        _ message: RenderedMessage, to openID: String, key: String, token: String, _ scope: EffectScope
    ) async throws(EffectFailure) -> Answer {
        let data = message.fields.isEmpty ? ["thing1": message.text] : message.fields
        let body: [String: JSONScalar] = [
            "touser": .string(openID), "template_id": .string(message.providerTemplate),
            "data": .object(data.mapValues { .object(["value": .string($0)]) }), "client_msg_id": .string(key),
        ]
        guard let text = try? PaymentJSON.text(body) else { throw EffectFailure(.invalid, "the message is no JSON") }
        let call = HTTPCall(
            method: .POST,
            url:
                "\(self.settings.baseURL)/cgi-bin/message/subscribe/send?\(ProviderClient.form([("access_token", token)]))",
            headers: [("content-type", "application/json"), ("idempotency-key", key)], body: text)
        return try self.read(try await call.run(self.http, within: scope.callLimit), isWrite: true)
    }

    private func read(_ answer: HTTPCall.Answer, isWrite: Bool) throws(EffectFailure) -> Answer {
        guard answer.status < 500 else {
            var failure = EffectFailure(.transient, "wechat answered \(answer.status)")
            failure.code = "provider_5xx"
            throw failure
        }
        guard let read = try? JSONDecoder().decode(Answer.self, from: answer.body) else {
            throw EffectFailure(isWrite ? .ambiguous : .transient, "the answer cannot be read")
        }
        return read
    }

    /// The class of an error code.
    static func failure(_ code: Int, _ text: String, now: Date) -> EffectFailure {
        let message = "wechat answered \(code) \(text)"
        var failure: EffectFailure
        switch code {
        case -1: failure = EffectFailure(.transient, message)
        case 45011: failure = EffectFailure(.throttled(after: .seconds(60)), message)
        case 45009: failure = EffectFailure(.throttled(after: .seconds(Self.secondsToNewDay(now))), message)
        default: failure = EffectFailure(.permanent(code: String(code)), message)
        }
        failure.code = String(code)
        return failure
    }

    /// Until 00:05 in Shanghai, where the day's quota begins anew; that zone has had no changes of clock since 1991.
    static func secondsToNewDay(_ now: Date) -> Double {
        let local = now.timeIntervalSince1970 + 8 * 3600
        let intoDay = local.truncatingRemainder(dividingBy: 86_400)
        let due = 5 * 60.0
        return intoDay < due ? due - intoDay : 86_400 - intoDay + due
    }
}
