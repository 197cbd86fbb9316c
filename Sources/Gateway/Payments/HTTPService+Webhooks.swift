import Crypto
import History
import Logging
import Runtime

/// `POST /v1/hooks/psp/{provider}`: what a payment provider tells us.
extension HTTPService {
    func receiveWebhook(_ question: HTTPQuestion, provider: String) async throws -> HTTPAnswer {
        guard let secrets = options.webhookSecrets[provider], !secrets.isEmpty else {
            throw Problem.notFound("there is no such provider")
        }
        guard
            let header = question.header("\(provider)-signature") ?? question.header("stripe-signature")
                ?? question.header("webhook-signature")
        else { throw Self.badSignature("the signature header is missing") }
        try WebhookSignature.verify(
            header, body: question.body, secrets: secrets, now: now, toleranceSeconds: options.webhookToleranceSeconds)
        let json = try json(question)
        guard let id = json["id"]?.text, !id.isEmpty, id.utf8.count <= 255, let type = json["type"]?.text else {
            throw Problem.malformed("expected an event with id and type", pointer: "/id")
        }
        let delivery = WebhookDelivery(
            provider: provider, eventID: id, type: type, body: question.body, json: json, receivedAt: now)
        let verdict = try await options.webhooks(delivery)
        if case .accepted(let signals) = verdict { try await tell(signals, eventID: id) }
        return .json(.record(("received", true), ("duplicate", .bool(verdict.isDuplicate))))
    }

    /// The request id makes a repeated delivery one signal. A workflow that is over needs no signal any more.
    func tell(_ signals: [WebhookSignal], eventID: String) async throws {
        let namespace = try await domainNamespace()
        for signal in signals {
            let told = WorkflowExecutionSignaled(
                signalName: signal.name, input: PlainPayloads.encode(signal.input), identity: "psp-webhook",
                requestID: RequestID("\(eventID)/\(signal.workflow)"))
            do {
                try await backend.signalWorkflow(RunTarget(namespace: namespace.id, workflow: signal.workflow), told)
            } catch let rejection as Rejection where rejection.kind == .notFound {
                logger.debug("webhook for a workflow that is over", metadata: ["workflow": "\(signal.workflow)"])
            }
        }
    }

    static func badSignature(_ detail: String) -> Problem {
        Problem(.unauthenticated, status: 400, "The signature is not good", detail: detail)
    }
}

extension WebhookVerdict {
    var isDuplicate: Bool {
        switch self {
        case .duplicate: true
        case .accepted, .unwanted: false
        }
    }
}

/// `t=…,v1=…`: HMAC-SHA256 over `{t}.{body}`; several `v1` while a secret is being changed.
enum WebhookSignature {
    static func verify(
        _ header: String, body: [UInt8], secrets: [String], now: Timestamp, toleranceSeconds: Int64
    ) throws(Problem) {
        var time: Int64?
        var signatures: [[UInt8]] = []
        for part in header.split(separator: ",").prefix(16) {
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
            guard pair.count == 2 else { continue }
            if pair[0] == "t" { time = Int64(pair[1]) }
            if pair[0] == "v1", let bytes = Hex.decode(pair[1]) { signatures.append(bytes) }
        }
        guard let time, !signatures.isEmpty else { throw HTTPService.badSignature("expected t=…,v1=…") }
        let age = now.nanoseconds / 1_000_000_000 - time
        guard abs(age) <= toleranceSeconds else {
            throw HTTPService.badSignature("the timestamp is too old or too new")
        }
        var isGood = false
        for secret in secrets {
            let expected = signature(time: time, body: body, secret: secret)
            for signature in signatures where SigningKey.areEqual(expected, signature) { isGood = true }
        }
        guard isGood else { throw HTTPService.badSignature("no signature fits") }
    }

    static func signature(time: Int64, body: [UInt8], secret: String) -> [UInt8] {
        var code = HMAC<Crypto.SHA256>(key: SymmetricKey(data: Array(secret.utf8)))
        code.update(data: Array("\(time).".utf8))
        code.update(data: body)
        return Array(code.finalize())
    }
}
