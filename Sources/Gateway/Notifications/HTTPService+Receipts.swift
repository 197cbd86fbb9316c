import Crypto
import FoundationEssentials
import Runtime

/// `POST /v1/hooks/ntf/{provider}`: what a mail, SMS or WeChat provider reports about a message.
extension HTTPService {
    static func addReceiptRoutes(_ table: inout RouteTable<Handler>) {
        table.add("POST", "/v1/hooks/ntf/{provider}") {
            try await $0.receiveReceipt($1, provider: $2["provider"] ?? "")
        }
    }

    /// Signed over its time and body, so that it can neither be made up nor sent again later; stored once by its id.
    private func receiveReceipt(_ question: HTTPQuestion, provider: String) async throws -> HTTPAnswer {
        guard let secrets = options.webhookSecrets["ntf-\(provider)"], !secrets.isEmpty else {
            throw Problem.notFound("there is no such provider")
        }
        if let signature = question.header("x-twilio-signature") {
            return try await receiveForm(question, provider: provider, signature: signature, secrets: secrets)
        }
        guard let header = question.header("webhook-signature") else {
            throw Self.badSignature("the signature header is missing")
        }
        try WebhookSignature.verify(
            header, body: question.body, secrets: secrets, now: now, toleranceSeconds: options.webhookToleranceSeconds)
        let json = try strictJSON(question)
        guard let id = json["id"]?.text, !id.isEmpty, id.utf8.count <= 255, HeaderText.isSafe(id) else {
            throw Problem.validation([.init(pointer: "/id", detail: "is required")])
        }
        let verdict = try await notificationDesk().receipt(
            WebhookDelivery(
                provider: provider, eventID: id, type: json["type"]?.text ?? "", body: question.body, json: json,
                receivedAt: now))
        if case .accepted(let signals) = verdict { try await tell(signals, eventID: id) }
        return .json(.record(("received", true), ("duplicate", .bool(verdict.isDuplicate))))
    }

    /// A status callback of an SMS carrier: a form, signed over our address and its fields. Without a time in it a replay has a
    /// good signature too; its id, made of message and status, makes it nothing new.
    private func receiveForm(
        _ question: HTTPQuestion, provider: String, signature: String, secrets: [String]
    ) async throws -> HTTPAnswer {
        let fields = QueryString.parse(String(decoding: question.body, as: UTF8.self))
        let base = options.publicURL ?? "http://\(question.header("host") ?? "")"
        guard FormSignature.isValid(signature, url: base + question.path, fields: fields, secrets: secrets) else {
            throw Self.badSignature("no signature fits")
        }
        func field(_ name: String) -> String { fields.first { $0.name == name }?.value ?? "" }
        let (message, status) = (field("MessageSid"), field("MessageStatus"))
        let types = ["delivered": "delivered", "undelivered": "bounced", "failed": "bounced"]
        guard !message.isEmpty, message.utf8.count <= 100, HeaderText.isSafe(message) else {
            throw Problem.validation([.init(pointer: "/MessageSid", detail: "is required")])
        }
        guard let type = types[status] else { return .json(.record(("received", true), ("duplicate", false))) }
        let id = "\(provider)/\(message)/\(status)"
        let json = JSONValue.record(
            ("id", .string(id)), ("type", .string(type)), ("reference", .string(message)),
            ("code", .string(field("ErrorCode"))))
        let verdict = try await notificationDesk().receipt(
            WebhookDelivery(
                provider: provider, eventID: id, type: type, body: JSONWriter.write(json), json: json, receivedAt: now))
        if case .accepted(let signals) = verdict { try await tell(signals, eventID: id) }
        return .json(.record(("received", true), ("duplicate", .bool(verdict.isDuplicate))))
    }
}

/// HMAC-SHA1, in base64, over an address and a form's fields in the order of their names: what SMS carriers sign with.
enum FormSignature {
    static func isValid(
        _ signature: String, url: String, fields: [(name: String, value: String)], secrets: [String]
    ) -> Bool {
        guard signature.utf8.count <= 64, let given = Data(base64Encoded: signature) else { return false }
        let text = url + fields.sorted { $0.name < $1.name }.map { $0.name + $0.value }.joined()
        return secrets.contains { secret in
            SigningKey.areEqual(Self.code(text, secret: secret), [UInt8](given))
        }
    }

    static func code(_ text: String, secret: String) -> [UInt8] {
        Array(
            HMAC<Insecure.SHA1>.authenticationCode(
                for: Array(text.utf8), using: SymmetricKey(data: Array(secret.utf8))))
    }
}
