/// Refunds.
extension ProviderState {
    mutating func createRefund(_ request: SandboxRequest, at now: Int) throws(ProviderError) -> JSONValue {
        guard let id = request.form["payment_intent"] else {
            throw .invalid(
                "Missing required param: payment_intent.", code: "parameter_missing", parameter: "payment_intent")
        }
        var intent = try self.intent(id)
        guard var charge = intent.charge, charge.amountCaptured > 0 else {
            throw .unexpectedState(intent, action: "refunded")
        }
        let left = charge.amountCaptured - charge.amountRefunded
        guard left > 0 else {
            throw ProviderError(
                status: 400, kind: .invalidRequest, code: "charge_already_refunded",
                message: "Charge \(charge.id) has already been refunded.", executed: true)
        }
        let amount = request.form["amount"].flatMap { Int($0) } ?? left
        guard amount >= 1, amount <= left else {
            throw .invalid(
                "Refund amount (\(amount)) is greater than unrefunded amount on charge (\(left)).",
                code: "amount_too_large",
                parameter: "amount")
        }
        let transaction = BalanceTransaction(
            id: self.mint("txn"), kind: .refund, amount: -amount, fee: 0, currency: intent.currency, source: charge.id,
            paymentID: intent.metadata["payment_id"], created: now)
        self.store(transaction)
        charge.amountRefunded += amount
        intent.charge = charge
        self.store(intent)
        let refund = Refund(
            id: self.mint("re"), intent: intent.id, charge: charge.id, amount: amount, currency: intent.currency,
            status: .succeeded, reason: request.form["reason"], metadata: request.form.table("metadata"), created: now,
            transaction: transaction.id)
        self.store(refund)
        self.record("refund.created", intent, amount: amount, id: refund.id)
        self.announce("charge.refunded", charge.json(of: intent, expandingTransaction: false), at: now)
        self.announce("refund.created", refund.json, at: now)
        return refund.json
    }

    /// A refund the bank sends back later.
    mutating func failRefund(_ id: String, at now: Int) throws(ProviderError) -> JSONValue {
        guard var refund = self.refunds.first(where: { $0.id == id }), refund.status == .succeeded else {
            throw .missing(id, parameter: "refund")
        }
        var intent = try self.intent(refund.intent)
        refund.status = .failed
        refund.failureReason = "expired_or_canceled_card"
        self.store(refund)
        intent.charge?.amountRefunded -= refund.amount
        self.store(intent)
        let transaction = BalanceTransaction(
            id: self.mint("txn"), kind: .refund, amount: refund.amount, fee: 0, currency: intent.currency,
            source: refund.charge, paymentID: intent.metadata["payment_id"], created: now)
        self.store(transaction)
        self.record("refund.failed", intent, amount: refund.amount, id: refund.id)
        self.announce("refund.failed", refund.json, at: now)
        return refund.json
    }
}
