/// A provider's payment intent with its one charge.
struct PaymentIntent: Hashable, Sendable {
    enum Status: String, Hashable, Sendable {
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case requiresAction = "requires_action"
        case requiresCapture = "requires_capture"
        case succeeded
        case canceled
    }

    var id: String
    var amount: Int
    var currency: String
    var status: Status
    var captureManually: Bool
    var paymentMethod: String?
    var metadata: [String: String]
    var created: Int
    var amountReceived = 0
    var cancellationReason: String?
    var lastError: JSONValue?
    var charge: Charge?

    var amountCapturable: Int { self.status == .requiresCapture ? self.amount : 0 }

    func json(expanding expansions: [String]) -> JSONValue {
        let charge: JSONValue
        if let own = self.charge {
            let whole = expansions.contains("latest_charge") || expansions.contains("latest_charge.balance_transaction")
            charge =
                whole
                ? own.json(of: self, expandingTransaction: expansions.contains("latest_charge.balance_transaction"))
                : .string(own.id)
        } else {
            charge = .null
        }
        let action: JSONValue =
            self.status == .requiresAction
            ? [
                "type": "redirect_to_url",
                "redirect_to_url": ["url": .string("/_ctl/intents/\(self.id)/complete_action"), "return_url": nil],
            ] : nil
        return [
            "id": .string(self.id), "object": "payment_intent", "amount": .int(self.amount),
            "amount_capturable": .int(self.amountCapturable), "amount_received": .int(self.amountReceived),
            "capture_method": .string(self.captureManually ? "manual" : "automatic"),
            "cancellation_reason": .optional(self.cancellationReason),
            "client_secret": .string("\(self.id)_secret_sandbox"),
            "confirmation_method": "automatic", "created": .int(self.created), "currency": .string(self.currency),
            "last_payment_error": self.lastError ?? nil, "latest_charge": charge, "livemode": false,
            "metadata": .table(self.metadata), "next_action": action, "payment_method": .optional(self.paymentMethod),
            "status": .string(self.status.rawValue),
        ]
    }
}

/// The charge behind an authorized intent.
struct Charge: Hashable, Sendable {
    var id: String
    var amount: Int
    var amountCaptured = 0
    var amountRefunded = 0
    var created: Int
    var transaction: BalanceTransaction?

    func json(of intent: PaymentIntent, expandingTransaction: Bool) -> JSONValue {
        let transaction: JSONValue
        switch (self.transaction, expandingTransaction) {
        case (nil, _): transaction = nil
        case (let known?, true): transaction = known.json
        case (let known?, false): transaction = .string(known.id)
        }
        return [
            "id": .string(self.id), "object": "charge", "amount": .int(self.amount),
            "amount_captured": .int(self.amountCaptured), "amount_refunded": .int(self.amountRefunded),
            "balance_transaction": transaction, "captured": .bool(self.amountCaptured > 0),
            "created": .int(self.created), "currency": .string(intent.currency), "metadata": .table(intent.metadata),
            "payment_intent": .string(intent.id), "payment_method": .optional(intent.paymentMethod),
            "refunded": .bool(self.amountCaptured > 0 && self.amountRefunded == self.amountCaptured),
            "status": "succeeded",
        ]
    }
}

/// One line of the provider's own books.
struct BalanceTransaction: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable { case charge, refund }

    var id: String
    var kind: Kind
    /// Negative for a refund.
    var amount: Int
    var fee: Int
    var currency: String
    var source: String
    var paymentID: String?
    var created: Int

    /// 2.9 % + 30 minor units, never more than the amount.
    static func fee(for amount: Int) -> Int { min(amount, amount * 29 / 1000 + 30) }

    var json: JSONValue {
        [
            "id": .string(self.id), "object": "balance_transaction", "amount": .int(self.amount), "fee": .int(self.fee),
            "net": .int(self.amount - self.fee), "currency": .string(self.currency),
            "type": .string(self.kind.rawValue),
            "source": .string(self.source), "created": .int(self.created), "status": "available",
            "description": .optional(self.paymentID), "exchange_rate": nil,
        ]
    }
}

/// Money given back.
struct Refund: Hashable, Sendable {
    enum Status: String, Hashable, Sendable { case succeeded, failed }

    var id: String
    var intent: String
    var charge: String
    var amount: Int
    var currency: String
    var status: Status
    var reason: String?
    var failureReason: String?
    var metadata: [String: String]
    var created: Int
    var transaction: String

    var json: JSONValue {
        [
            "id": .string(self.id), "object": "refund", "amount": .int(self.amount), "charge": .string(self.charge),
            "created": .int(self.created), "currency": .string(self.currency), "metadata": .table(self.metadata),
            "payment_intent": .string(self.intent), "reason": .optional(self.reason),
            "balance_transaction": .string(self.transaction), "failure_reason": .optional(self.failureReason),
            "status": .string(self.status.rawValue),
        ]
    }
}

/// Something the provider tells its customers about.
struct ProviderEvent: Hashable, Sendable {
    var id: String
    var type: String
    var created: Int
    /// The object as it was at that moment.
    var object: JSONValue
    /// Where this one goes and who signs it, when it does not go to the registered endpoints.
    var callback: Callback?

    /// A status callback of the SMS carrier.
    struct Callback: Hashable, Sendable {
        var url: String
        var account: String
        var fields: [JSONValue.Member]
    }

    var json: JSONValue {
        [
            "id": .string(self.id), "object": "event", "api_version": "2026-01-01", "created": .int(self.created),
            "type": .string(self.type), "livemode": false, "pending_webhooks": 1,
            "request": ["id": nil, "idempotency_key": nil],
            "data": ["object": self.object],
        ]
    }
}
