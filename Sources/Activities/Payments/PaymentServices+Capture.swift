import Postgres

/// Taking the money and booking it.
extension PaymentServices {
    func capture(_ input: CaptureInput, _ scope: EffectScope) async throws -> Captured {
        let op = OperationID(workflow: scope.workflowID, step: "Capture", generation: input.generation)
        do {
            return try await self.outside(
                "Capture", op: op, paymentID: input.paymentID, tries: input.tries, scope: scope,
                prepare: { transaction in try await PaymentServices.pinStock(transaction) },
                call: { payment throws(EffectFailure) in
                    guard let intent = payment.providerRef else {
                        throw EffectFailure(.invalid, "the payment is not authorized")
                    }
                    return try await self.provider.post(
                        ProviderIntent.self, "/v1/payment_intents/\(intent)/capture",
                        [
                            ("amount_to_capture", String(input.amount)),
                            ("expand[]", "latest_charge.balance_transaction"),
                        ],
                        key: "\(payment.id)/capture/g\(input.generation)", tenant: payment.merchant, scope: scope)
                },
                settle: { transaction, intent in try await PaymentServices.recordCapture(intent, &transaction) })
        } catch let failure as EffectFailure {
            switch failure.kind {
            // Another key captured it: ask before saying anything.
            case .permanent(code: "UnexpectedState:succeeded"): throw EffectFailure(.unresolved, failure.message)
            case .permanent(code: "UnexpectedState:canceled"):
                throw EffectFailure(.permanent(code: "AuthExpired"), failure.message)
            case .permanent, .transient, .throttled, .ambiguous, .invalid, .conflict, .unresolved: throw failure
            }
        }
    }

    /// From here on the goods are not given to anybody else.
    private static func pinStock(_ transaction: PaymentTransaction) async throws {
        let id = try transaction.paymentUUID
        try await transaction.connection.query(PaymentStatements.commitHolds) { $0.uuid(id) }
        let loose = try await transaction.connection.query(PaymentStatements.looseHolds) { $0.uuid(id) }
        guard try loose[0].int64(0) == 0 else {
            throw EffectFailure(.permanent(code: "StockHoldExpired"), "the stock hold expired before capture")
        }
    }

    /// Writes a captured intent into the payment; again changes nothing.
    static func recordCapture(_ intent: ProviderIntent, _ transaction: inout PaymentTransaction) async throws
        -> Captured
    {
        let fee = intent.latestCharge?.fee ?? 0
        let captured = Captured(amount: intent.amountReceived, fee: fee, intentID: intent.id)
        if transaction.payment.status == .processing, transaction.payment.substate == .authorized {
            try await transaction.change { row in
                row.move(to: .processing, .captured)
                row.captured = intent.amountReceived
                row.fee = fee
            }
            try await transaction.publish(
                "payment.captured", ["amount": .integer(intent.amountReceived), "provider_ref": .string(intent.id)])
        }
        return captured
    }

    // MARK: Ledger

    /// Sets the amount aside: provider owes us, we owe the merchant, both pending.
    func holdFunds(_ input: StepInput, _ scope: EffectScope) async throws -> LedgerState {
        let op = OperationID(workflow: scope.workflowID, step: "HoldFunds", generation: input.generation)
        return try await self.once("HoldFunds", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            let payment = transaction.payment
            let provider = try await transaction.account("provider:\(payment.provider)", type: "asset")
            let merchant = try await transaction.account("merchant:\(payment.merchant)", type: "liability")
            try await transaction.transfer(
                "hold", kind: "pending", purpose: "hold", debit: provider, credit: merchant, amount: payment.amount)
            return try await PaymentServices.ledger(transaction)
        }
    }

    func voidHold(_ input: StepInput, _ scope: EffectScope) async throws -> LedgerState {
        let op = OperationID(workflow: scope.workflowID, step: "VoidHold", generation: input.generation)
        return try await self.once("VoidHold", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            if let hold = try await transaction.hold(), !hold.isResolved {
                try await transaction.transfer(
                    "void", kind: "void", purpose: "release", debit: hold.debit, credit: hold.credit,
                    amount: hold.amount,
                    pending: hold.id)
            }
            return try await PaymentServices.ledger(transaction)
        }
    }

    /// Books the capture: the hold is posted, the provider's fee is an expense.
    func postLedger(_ input: StepInput, _ scope: EffectScope) async throws -> LedgerState {
        let op = OperationID(workflow: scope.workflowID, step: "PostLedger", generation: input.generation)
        return try await self.once("PostLedger", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            try await PaymentServices.postHold(transaction)
            return try await PaymentServices.ledger(transaction)
        }
    }

    /// Reverses what was captured and given back; a capture that was not booked yet is booked first, so that the books show both.
    func refundLedger(_ input: RefundStep, _ scope: EffectScope) async throws -> LedgerState {
        let op = OperationID(workflow: scope.workflowID, step: "RefundLedger", index: input.refundID)
        return try await self.once("RefundLedger", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            if transaction.payment.captured > 0, let amount = input.amount, amount > 0 {
                try await PaymentServices.postHold(transaction)
                let payment = transaction.payment
                let provider = try await transaction.account("provider:\(payment.provider)", type: "asset")
                let merchant = try await transaction.account("merchant:\(payment.merchant)", type: "liability")
                try await transaction.transfer(
                    "refund", kind: "post", purpose: "refund", debit: merchant, credit: provider, amount: amount)
            }
            return try await PaymentServices.ledger(transaction)
        }
    }

    private static func postHold(_ transaction: PaymentTransaction) async throws {
        let payment = transaction.payment
        guard let hold = try await transaction.hold(), !hold.isResolved, payment.captured > 0 else { return }
        try await transaction.transfer(
            "post", kind: "post", purpose: "capture", debit: hold.debit, credit: hold.credit, amount: payment.captured,
            pending: hold.id)
        guard payment.fee > 0 else { return }
        let fees = try await transaction.account("fees:\(payment.provider)", type: "expense")
        try await transaction.transfer(
            "fee", kind: "post", purpose: "fee", debit: fees, credit: hold.debit, amount: payment.fee)
    }

    static func ledger(_ transaction: PaymentTransaction) async throws -> LedgerState {
        let id = try transaction.paymentUUID
        let rows = try await transaction.connection.query(PaymentStatements.transfersOfPayment) { $0.uuid(id) }
        return LedgerState(
            entries: try rows.map { row throws(PostgresError) in
                LedgerEntry(
                    kind: try row.text(0), purpose: try row.text(1), debit: try row.text(2), credit: try row.text(3),
                    amount: try row.int64(4), currency: try row.text(5))
            })
    }
}
