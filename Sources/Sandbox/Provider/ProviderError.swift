/// An error as the provider's API words it.
struct ProviderError: Error, Hashable, Sendable {
    enum Kind: String, Hashable, Sendable {
        case api = "api_error"
        case card = "card_error"
        case idempotency = "idempotency_error"
        case invalidRequest = "invalid_request_error"
    }

    var status: Int
    var kind: Kind
    var code: String?
    var declineCode: String?
    var adviceCode: String?
    var message: String
    var parameter: String?
    /// The intent the error is about, as the provider encloses it.
    var intent: JSONValue?
    /// Whether anything was executed; only then is the answer kept under the idempotency key.
    var executed = false

    static func invalid(_ message: String, code: String? = nil, parameter: String? = nil) -> ProviderError {
        ProviderError(status: 400, kind: .invalidRequest, code: code, message: message, parameter: parameter)
    }

    static func missing(_ id: String, parameter: String = "intent") -> ProviderError {
        ProviderError(
            status: 404, kind: .invalidRequest, code: "resource_missing", message: "No such object: '\(id)'",
            parameter: parameter)
    }

    static func unexpectedState(_ intent: PaymentIntent, action: String) -> ProviderError {
        ProviderError(
            status: 400, kind: .invalidRequest, code: "payment_intent_unexpected_state",
            message: "This PaymentIntent could not be \(action) because it has a status of \(intent.status.rawValue).",
            intent: intent.json(expanding: []), executed: true)
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", .string(self.kind.rawValue)), .init("message", .string(self.message)),
        ]
        if let code { members.append(.init("code", .string(code))) }
        if let declineCode { members.append(.init("decline_code", .string(declineCode))) }
        if let adviceCode { members.append(.init("advice_code", .string(adviceCode))) }
        if let parameter { members.append(.init("param", .string(parameter))) }
        if let intent { members.append(.init("payment_intent", intent)) }
        return ["error": .object(members)]
    }
}
