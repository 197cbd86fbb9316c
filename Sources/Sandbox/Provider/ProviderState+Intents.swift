/// Payment intents: create, confirm, capture, cancel.
extension ProviderState {
    private static let amountMax = 99_999_999
    static let currencies: Set<String> = [
        "eur", "usd", "gbp", "jpy", "kwd", "chf", "sek", "nok", "dkk", "pln", "czk", "huf", "cny", "hkd", "sgd", "aud",
        "cad",
        "nzd", "inr", "brl", "mxn", "zar", "krw", "thb", "ils", "try", "ron", "bhd", "jod", "omr", "tnd",
    ]

    mutating func createIntent(
        _ request: SandboxRequest, at now: Int, override: Override
    ) throws(ProviderError) -> JSONValue {
        guard let amount = request.form["amount"].flatMap({ Int($0) }), amount >= 1 else {
            throw .invalid(
                "Invalid integer: \(request.form["amount"] ?? "")", code: "parameter_invalid_integer",
                parameter: "amount")
        }
        guard amount <= ProviderState.amountMax else {
            throw .invalid(
                "Amount must be no more than \(ProviderState.amountMax)", code: "amount_too_large", parameter: "amount")
        }
        guard let currency = request.form["currency"]?.lowercased(), ProviderState.currencies.contains(currency) else {
            throw .invalid("Invalid currency: \(request.form["currency"] ?? "")", code: nil, parameter: "currency")
        }
        let method = request.form["payment_method"]
        var intent = PaymentIntent(
            id: self.mint("pi"), amount: amount, currency: currency,
            status: method == nil ? .requiresPaymentMethod : .requiresConfirmation,
            captureManually: request.form["capture_method"] == "manual", paymentMethod: method,
            metadata: request.form.table("metadata"), created: now)
        self.store(intent)
        self.record("intent.created", intent)
        self.announce("payment_intent.created", intent.json(expanding: []), at: now)
        if request.form["confirm"] == "true" {
            try self.authorize(&intent, at: now, override: override)
        }
        return intent.json(expanding: request.form.list("expand"))
    }

    mutating func confirmIntent(
        _ id: String, _ request: SandboxRequest, at now: Int, override: Override
    ) throws(ProviderError) -> JSONValue {
        var intent = try self.intent(id)
        switch intent.status {
        case .requiresPaymentMethod, .requiresConfirmation, .requiresAction: break
        case .requiresCapture, .succeeded, .canceled: throw .unexpectedState(intent, action: "confirmed")
        }
        if let method = request.form["payment_method"] { intent.paymentMethod = method }
        try self.authorize(&intent, at: now, override: override)
        return intent.json(expanding: request.form.list("expand"))
    }

    /// Asks the card. A refusal leaves the intent without a payment method, as the provider does.
    private mutating func authorize(
        _ intent: inout PaymentIntent, at now: Int, override: Override
    ) throws(ProviderError) {
        guard let token = intent.paymentMethod else {
            throw .invalid("You must provide a payment method.", code: "parameter_missing", parameter: "payment_method")
        }
        var outcome = CardToken(token)
        if let decline = override.decline { outcome = .declined(decline) }
        switch outcome {
        case .accepted: self.accept(&intent, at: now)
        case .requiresAction:
            intent.status = .requiresAction
            self.store(intent)
            self.record("intent.action_required", intent)
            self.announce("payment_intent.requires_action", intent.json(expanding: []), at: now)
        case .declined(let decline):
            intent.status = .requiresPaymentMethod
            intent.paymentMethod = nil
            var refusal = ProviderError(
                status: 402, kind: .card, code: decline.code, declineCode: decline.declineCode,
                adviceCode: decline.adviceCode,
                message: "Your card was declined.", executed: true)
            intent.lastError = refusal.json["error"]
            self.store(intent)
            self.record("intent.declined", intent)
            self.announce("payment_intent.payment_failed", intent.json(expanding: []), at: now)
            refusal.intent = intent.json(expanding: [])
            throw refusal
        }
    }

    private mutating func accept(_ intent: inout PaymentIntent, at now: Int) {
        intent.charge = Charge(id: self.mint("ch"), amount: intent.amount, created: now)
        intent.lastError = nil
        intent.status = .requiresCapture
        self.record("intent.authorized", intent)
        guard intent.captureManually else {
            self.settle(&intent, amount: intent.amount, at: now)
            return
        }
        self.store(intent)
        self.announce("payment_intent.amount_capturable_updated", intent.json(expanding: []), at: now)
    }

    mutating func captureIntent(_ id: String, _ request: SandboxRequest, at now: Int) throws(ProviderError) -> JSONValue
    {
        var intent = try self.intent(id)
        guard intent.status == .requiresCapture else { throw .unexpectedState(intent, action: "captured") }
        let amount = request.form["amount_to_capture"].flatMap { Int($0) } ?? intent.amount
        guard amount >= 1, amount <= intent.amountCapturable else {
            throw .invalid(
                "The amount to capture is greater than the amount capturable.", code: "amount_too_large",
                parameter: "amount_to_capture")
        }
        self.settle(&intent, amount: amount, at: now)
        return intent.json(expanding: request.form.list("expand"))
    }

    private mutating func settle(_ intent: inout PaymentIntent, amount: Int, at now: Int) {
        guard var charge = intent.charge else { return }
        let transaction = BalanceTransaction(
            id: self.mint("txn"), kind: .charge, amount: amount, fee: BalanceTransaction.fee(for: amount),
            currency: intent.currency, source: charge.id, paymentID: intent.metadata["payment_id"], created: now)
        self.store(transaction)
        charge.amountCaptured = amount
        charge.transaction = transaction
        intent.charge = charge
        intent.amountReceived = amount
        intent.status = .succeeded
        self.store(intent)
        self.record("intent.captured", intent, amount: amount)
        self.announce("payment_intent.succeeded", intent.json(expanding: []), at: now)
    }

    mutating func cancelIntent(_ id: String, _ request: SandboxRequest, at now: Int) throws(ProviderError) -> JSONValue
    {
        var intent = try self.intent(id)
        switch intent.status {
        case .succeeded, .canceled: throw .unexpectedState(intent, action: "canceled")
        case .requiresPaymentMethod, .requiresConfirmation, .requiresAction, .requiresCapture: break
        }
        intent.status = .canceled
        intent.cancellationReason = request.form["cancellation_reason"] ?? "requested_by_customer"
        self.store(intent)
        self.record("intent.canceled", intent)
        self.announce("payment_intent.canceled", intent.json(expanding: []), at: now)
        return intent.json(expanding: request.form.list("expand"))
    }

    /// The cardholder finishes, or gives up, 3-D Secure.
    mutating func completeAction(_ id: String, succeeds: Bool, at now: Int) throws(ProviderError) -> JSONValue {
        var intent = try self.intent(id)
        guard intent.status == .requiresAction else { throw .unexpectedState(intent, action: "authenticated") }
        if succeeds {
            self.accept(&intent, at: now)
        } else {
            let refusal = ProviderError(
                status: 402, kind: .card, code: "payment_intent_authentication_failure",
                declineCode: "authentication_not_handled", adviceCode: "do_not_try_again",
                message: "The cardholder did not authenticate.")
            intent.status = .requiresPaymentMethod
            intent.paymentMethod = nil
            intent.lastError = refusal.json["error"]
            self.store(intent)
            self.record("intent.declined", intent)
            self.announce("payment_intent.payment_failed", intent.json(expanding: []), at: now)
        }
        return intent.json(expanding: [])
    }

    /// Lets an authorization lapse, as the card network does after seven days.
    mutating func expireIntent(_ id: String, at now: Int) throws(ProviderError) -> JSONValue {
        var intent = try self.intent(id)
        guard intent.status == .requiresCapture else { throw .unexpectedState(intent, action: "expired") }
        intent.status = .canceled
        intent.cancellationReason = "automatic"
        self.store(intent)
        self.record("intent.expired", intent)
        self.announce("payment_intent.canceled", intent.json(expanding: []), at: now)
        return intent.json(expanding: [])
    }
}
