import Crypto
import Foundation
import Postgres

/// Steps 6 to 8: render, wait for a token, choose a provider, make one attempt.
extension NotificationServices {
    /// A message about to leave.
    private struct Load {
        var op: OperationID
        var address: String
        var locale: String
        var message: RenderedMessage
        var hash: [UInt8]
    }

    /// What earlier attempts of the same effect left behind.
    private struct Trace {
        var isSent = false
        var providerRef: String?
        var provider: String?
        /// The last attempt's outcome is not known: only its provider can tell two messages from one.
        var isUncertain = false
        /// This very attempt was begun before and never ended: its worker died.
        var wasInterrupted = false
        /// This very attempt ended, and its answer was lost on the way to the server.
        var ended: SendOutcome?
    }

    /// One attempt. Whatever a provider says comes back as an answer; only our own failures are thrown.
    func send(_ input: SendInput, _ scope: EffectScope) async throws -> SendOutcome {
        try scope.checkTime()
        let op = Self.sendOp(input)
        let trace = try await self.trace(op, number: input.number)
        if let ended = trace.ended { return ended }
        let request: NotificationRequest
        do {
            request = try await self.opener(input.request)
        } catch let failure as EffectFailure {
            guard case .permanent = failure.kind else { throw failure }
            return SendOutcome(.permanent, code: "erased", text: failure.message)
        }
        if trace.isSent {
            return SendOutcome(.accepted, provider: trace.provider ?? "", providerRef: trace.providerRef)
        }
        let load: Load
        switch try await self.load(input, request, op) {
        case .ready(let ready): load = ready
        case .refused(let outcome): return outcome
        }
        if trace.wasInterrupted, request.atMostOnce {
            let unknown = SendOutcome(
                .ambiguous, code: "unknown", text: "the worker died while it was sending",
                provider: trace.provider ?? "")
            try await self.settle(input, load, unknown, scope)
            return unknown
        }
        let isBound = trace.isUncertain || trace.wasInterrupted
        let candidates = try await self.routes.candidates(
            channel: input.channel, address: load.address, wanted: isBound ? trace.provider : request.provider)
        var refusal = SendOutcome(.permanent, code: "no_provider", text: "no provider serves this channel")
        for candidate in candidates {
            guard
                await self.throttle.take(
                    "\(candidate.name)/\(request.tenant)", priority: request.priority, perSecond: candidate.perSecond,
                    within: self.tokenLimit(scope))
            else {
                return SendOutcome(
                    .throttled, code: "rate_limited", text: "no token in time", provider: candidate.name,
                    notBefore: Date().timeIntervalSince1970 + 1, isCounted: false)
            }
            switch try await self.attempt(input, load, candidate.name, scope) {
            case .made(let outcome): return outcome
            case .notMade(let outcome): refusal = outcome
            }
        }
        return refusal
    }

    static func sendOp(_ input: SendInput) -> OperationID {
        OperationID(
            workflow: input.request.root, step: "Send", index: input.channel.rawValue, generation: input.generation)
    }

    private func tokenLimit(_ scope: EffectScope) -> Duration {
        let limit = Duration.seconds(self.policy.tokenSecondsMax)
        guard let left = scope.timeRemaining else { return limit }
        return max(.zero, min(limit, left / 2))
    }

    private func trace(_ op: OperationID, number wanted: Int32) async throws -> Trace {
        let rows = try await self.query(NotificationStatements.attemptsOfDelivery) { $0.text(op.value) }
        var trace = Trace()
        for index in 0..<rows.count {
            let row = rows[index]
            let state = try row.text(0)
            trace.isSent = state == "SENT" || state == "DELIVERED"
            trace.provider = try row.text(1)
            trace.providerRef = try row.textOrNil(2)
            guard let number = try row.int32OrNil(3) else { continue }
            let outcome = try row.textOrNil(6).map { text in try PaymentJSON.value(SendOutcome.self, text) }
            trace.isUncertain = outcome == nil || outcome?.outcome == .ambiguous
            if number == wanted {
                trace.ended = outcome
                trace.wasInterrupted = outcome == nil
            }
        }
        return trace
    }

    private enum Loaded {
        case ready(Load)
        case refused(SendOutcome)
    }

    private func load(
        _ input: SendInput, _ request: NotificationRequest, _ op: OperationID
    ) async throws -> Loaded {
        let known = try await self.recipient(request, input.channel)
        guard let address = known.contact.address(for: input.channel) else {
            return .refused(SendOutcome(.permanent, code: "no_contact", text: "the recipient has no such address"))
        }
        let link =
            request.category == .marketing
            ? self.settings.unsubscribe.url(
                tenant: request.tenant, subject: request.recipient.subject, list: request.category.rawValue) : nil
        do {
            let locale = request.template.locale ?? known.contact.locale
            let message = try await self.renderer.render(
                RenderRequest(
                    tenant: request.tenant, template: request.template.id, version: request.template.version,
                    locale: locale, channel: input.channel, category: request.category, variables: request.variables,
                    unsubscribeURL: link))
            let content = "\(message.subject)\n\(message.text)\n\(message.html ?? "")"
            return .ready(
                Load(
                    op: op, address: address, locale: locale, message: message,
                    hash: Array(SHA256.hash(data: Data(content.utf8)))))
        } catch let failure as EffectFailure {
            if case .permanent = failure.kind {
                return .refused(SendOutcome(.invalid, code: "template_error", text: failure.message))
            }
            throw failure
        }
    }

    private enum Attempted {
        case made(SendOutcome)
        /// The provider may not be called now; nothing was sent.
        case notMade(SendOutcome)
    }

    private func attempt(
        _ input: SendInput, _ load: Load, _ provider: String, _ scope: EffectScope
    ) async throws -> Attempted {
        try await self.begin(input, load, provider)
        try await self.failpoints.pass(input.channel.stepName, .beforeEffect)
        let outcome: SendOutcome
        do throws(EffectFailure) {
            let reference = try await self.call(input, load, provider, scope)
            outcome = SendOutcome(.accepted, provider: provider, providerRef: reference)
        } catch {
            let failure = error
            if failure.isRefusedHere {
                try await self.query(NotificationStatements.takeBackAttempt) {
                    $0.text(load.op.value)
                    $0.int32(input.number)
                }
                var held = Self.outcome(of: failure, provider: provider, address: load.address)
                held.isCounted = false
                return .notMade(held)
            }
            outcome = Self.outcome(of: failure, provider: provider, address: load.address)
        }
        try await self.failpoints.pass(input.channel.stepName, .afterEffect)
        try await self.settle(input, load, outcome, scope)
        try await self.failpoints.pass(input.channel.stepName, .afterResult)
        return .made(outcome)
    }

    private func begin(_ input: SendInput, _ load: Load, _ provider: String) async throws {
        let hash = AddressHash(input.channel, load.address)
        try await self.query(NotificationStatements.beginAttempt) { parameters in
            parameters.text(load.op.value)
            parameters.text(input.request.tenant)
            parameters.text(input.request.id)
            parameters.text(input.channel.rawValue)
            parameters.int32(Int32(clamping: input.generation))
            parameters.text(provider)
            parameters.int32(input.number)
            parameters.bytea(hash.bytes)
            parameters.bytea(load.hash)
            parameters.int32(Int32(clamping: load.message.segments))
        }
    }

    private func call(
        _ input: SendInput, _ load: Load, _ provider: String, _ scope: EffectScope
    ) async throws(EffectFailure) -> String? {
        let request = input.request
        switch input.channel {
        case .email:
            guard let mail = self.mail[provider] else { throw Self.unknown(provider) }
            let link =
                request.category == .marketing
                ? self.settings.unsubscribe.url(
                    tenant: request.tenant, subject: request.recipient.subject, list: request.category.rawValue) : nil
            return try await mail.send(
                load.message, to: load.address, name: "\(request.tenant).\(request.id)", unsubscribeURL: link,
                mailbox: self.settings.unsubscribe.mailbox, tenant: request.tenant, scope: scope)
        case .sms:
            guard let sms = self.sms[provider] else { throw Self.unknown(provider) }
            return try await sms.send(
                load.message.text, to: load.address, key: load.op.value,
                tenant: request.tenant, scope: scope)
        case .wechat:
            guard let wechat = self.wechat[provider] else { throw Self.unknown(provider) }
            return try await wechat.send(
                load.message, to: load.address, key: load.op.value, tenant: request.tenant, scope: scope)
        }
    }

    private static func unknown(_ provider: String) -> EffectFailure {
        EffectFailure(.permanent(code: "no_provider"), "this worker knows no provider \(provider)")
    }

    /// Writes down how an attempt ended, and what that means for the notification and the address.
    private func settle(_ input: SendInput, _ load: Load, _ outcome: SendOutcome, _ scope: EffectScope) async throws {
        let request = input.request
        let text = try PaymentJSON.text(outcome)
        let hash = AddressHash(input.channel, load.address)
        try await self.transaction { connection in
            let ended = try await connection.query(NotificationStatements.endAttempt) { parameters in
                parameters.text(load.op.value)
                parameters.int32(input.number)
                parameters.text(outcome.outcome.rawValue)
                parameters.text(outcome.code)
                parameters.text(outcome.text)
                parameters.text(text)
            }
            guard ended.affectedRows == 1 else { return }
            switch outcome.outcome {
            case .accepted:
                try await self.endDelivery(load.op.value, "SENT", outcome.providerRef, connection)
                try await self.setState(
                    request, .sent, reason: "", channel: input.channel, isTerminal: false, connection)
                try await self.publish(
                    "ntf.sent", request,
                    ["channel": .string(input.channel.rawValue), "provider": .string(outcome.provider)],
                    op: load.op.value, scope: scope, in: connection)
            case .permanent:
                try await self.endDelivery(load.op.value, "FAILED", nil, connection)
                if outcome.code == "21610" {
                    try await self.optOut(request, channel: input.channel.rawValue, category: "*", connection)
                    try await self.publish(
                        "ntf.opened_out", request, ["channel": .string(input.channel.rawValue)], op: load.op.value,
                        scope: scope, in: connection)
                } else if Self.deadAddressCodes.contains(outcome.code) {
                    try await self.suppress(request, input.channel, hash.bytes, reason: outcome.code, connection)
                }
            case .ambiguous: try await self.endDelivery(load.op.value, "UNKNOWN", nil, connection)
            case .transient, .throttled, .invalid: break
            }
        }
    }

    /// Codes that say that nobody is there, and nobody will be.
    private static let deadAddressCodes: Set<String> = ["invalid_address", "21211", "21614", "43004", "43101", "40003"]

    /// An attempt's failure as the workflow gets it; no reply of a provider brings an address into the histories.
    static func outcome(of failure: EffectFailure, provider: String, address: String) -> SendOutcome {
        let text = String(failure.message.replacing(address, with: "…").prefix(500))
        let now = Date().timeIntervalSince1970
        switch failure.kind {
        case .transient, .conflict:
            return SendOutcome(.transient, code: failure.code ?? "no_answer", text: text, provider: provider)
        case .throttled(let after):
            let seconds = Double(after.components.seconds) + Double(after.components.attoseconds) * 1e-18
            return SendOutcome(
                .throttled, code: failure.code ?? "throttled", text: text, provider: provider, notBefore: now + seconds)
        case .ambiguous, .unresolved:
            return SendOutcome(.ambiguous, code: failure.code ?? "no_answer", text: text, provider: provider)
        case .permanent(let code): return SendOutcome(.permanent, code: code, text: text, provider: provider)
        case .invalid: return SendOutcome(.invalid, code: failure.code ?? "invalid", text: text, provider: provider)
        }
    }
}

extension SendInput {
    /// The attempt's number in the table; those of a redrive begin beyond those before.
    var number: Int32 { Int32(clamping: self.request.redrive * 1000 + self.attempt) }
}

extension Channel {
    /// The activity that sends on it, as failpoints name it.
    var stepName: String {
        switch self {
        case .email: return "SendEmail"
        case .sms: return "SendSms"
        case .wechat: return "SendWeChat"
        }
    }
}
