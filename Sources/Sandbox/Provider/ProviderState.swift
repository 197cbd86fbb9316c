/// The payment provider as a value: requests in, answers, effects and events out.
///
/// It has no clock and no randomness, so that folding the journal again rebuilds the same provider with the same ids.
struct ProviderState: Sendable {
    private(set) var intents: [String: PaymentIntent] = [:]
    private(set) var intentOrder: [String] = []
    private(set) var refunds: [Refund] = []
    private(set) var transactions: [BalanceTransaction] = []
    private(set) var events: [ProviderEvent] = []
    private(set) var endpoints: [WebhookEndpoint] = []
    private var lastNumber = 0
    /// What the current request did; taken by ``takeEffects()``.
    private var effects: [SandboxEffect] = []

    struct WebhookEndpoint: Hashable, Sendable {
        var id: String
        var url: String
        var secret: String

        func json(showingSecret: Bool) -> JSONValue {
            [
                "id": .string(self.id), "object": "webhook_endpoint", "url": .string(self.url), "status": "enabled",
                "enabled_events": ["*"], "secret": showingSecret ? .string(self.secret) : nil,
            ]
        }
    }

    /// What is to happen to a card in this request, whatever its token says.
    struct Override: Hashable, Sendable {
        var decline: CardDecline?
    }

    /// Answers one request.
    ///
    /// - Parameter now: unix seconds.
    mutating func answer(
        _ request: SandboxRequest, at now: Int, override: Override
    ) throws(ProviderError) -> JSONValue {
        let path = request.segments.dropFirst()
        switch (request.method, path.first, path.dropFirst().first, path.dropFirst(2).first) {
        case ("POST", "payment_intents", nil, nil): return try self.createIntent(request, at: now, override: override)
        case ("GET", "payment_intents", nil, nil): return self.listIntents(request)
        case ("GET", "payment_intents", "search", nil): return try self.searchIntents(request)
        case ("GET", "payment_intents", let id?, nil):
            return try self.intent(id).json(expanding: request.form.list("expand"))
        case ("POST", "payment_intents", let id?, "confirm"):
            return try self.confirmIntent(id, request, at: now, override: override)
        case ("POST", "payment_intents", let id?, "capture"): return try self.captureIntent(id, request, at: now)
        case ("POST", "payment_intents", let id?, "cancel"): return try self.cancelIntent(id, request, at: now)
        case ("POST", "refunds", nil, nil): return try self.createRefund(request, at: now)
        case ("GET", "refunds", nil, nil): return self.listRefunds(request)
        case ("GET", "refunds", let id?, nil):
            guard let refund = self.refunds.first(where: { $0.id == id }) else {
                throw .missing(id, parameter: "refund")
            }
            return refund.json
        case ("GET", "balance_transactions", nil, nil): return self.listTransactions(request)
        case ("GET", "balance_transactions", let id?, nil):
            guard let found = self.transactions.first(where: { $0.id == id }) else {
                throw .missing(id, parameter: "id")
            }
            return found.json
        case ("GET", "events", nil, nil): return self.listEvents(request)
        case ("GET", "events", let id?, nil):
            guard let event = self.events.first(where: { $0.id == id }) else { throw .missing(id, parameter: "id") }
            return event.json
        case ("POST", "webhook_endpoints", nil, nil): return try self.createEndpoint(request)
        default:
            throw ProviderError(
                status: 404, kind: .invalidRequest,
                message: "Unrecognized request URL (\(request.method): \(request.path)).")
        }
    }

    /// The effects of the last request, once.
    mutating func takeEffects() -> [SandboxEffect] {
        defer { self.effects = [] }
        return self.effects
    }

    func intent(_ id: String) throws(ProviderError) -> PaymentIntent {
        guard let intent = self.intents[id] else { throw .missing(id) }
        return intent
    }

    mutating func store(_ intent: PaymentIntent) {
        if self.intents.updateValue(intent, forKey: intent.id) == nil { self.intentOrder.append(intent.id) }
    }

    mutating func store(_ refund: Refund) {
        if let index = self.refunds.firstIndex(where: { $0.id == refund.id }) {
            self.refunds[index] = refund
        } else {
            self.refunds.append(refund)
        }
    }

    mutating func store(_ transaction: BalanceTransaction) { self.transactions.append(transaction) }
    mutating func removeTransaction(_ id: String) { self.transactions.removeAll { $0.id == id } }

    mutating func alterTransaction(_ id: String, amount: Int) {
        for index in self.transactions.indices where self.transactions[index].id == id {
            self.transactions[index].amount = amount
        }
    }

    mutating func mint(_ prefix: String) -> String {
        self.lastNumber += 1
        let digits = String(self.lastNumber)
        return "\(prefix)_sbx\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits)"
    }

    mutating func record(_ kind: String, _ intent: PaymentIntent, amount: Int? = nil, id: String? = nil) {
        self.effects.append(
            SandboxEffect(
                kind: kind, id: id ?? intent.id, amount: amount ?? intent.amount, currency: intent.currency,
                paymentID: intent.metadata["payment_id"]))
    }

    mutating func announce(_ type: String, _ object: JSONValue, at now: Int) {
        self.events.append(ProviderEvent(id: self.mint("evt"), type: type, created: now, object: object))
    }

    private mutating func createEndpoint(_ request: SandboxRequest) throws(ProviderError) -> JSONValue {
        guard let url = request.form["url"], url.hasPrefix("http") else {
            throw .invalid("Invalid URL", code: "url_invalid", parameter: "url")
        }
        let id = self.mint("we")
        let endpoint = WebhookEndpoint(id: id, url: url, secret: "whsec_\(id)")
        self.endpoints.append(endpoint)
        return endpoint.json(showingSecret: true)
    }

    /// Adds an endpoint whose secret is known beforehand (from the command line).
    mutating func addEndpoint(url: String, secret: String) {
        guard !self.endpoints.contains(where: { $0.url == url }) else { return }
        self.endpoints.append(WebhookEndpoint(id: "we_config\(self.endpoints.count)", url: url, secret: secret))
    }
}
