import Postgres

/// Giving money back: for a client's refund, and as the compensation of a capture.
extension PaymentServices {
    /// Reserves a refund's amount under the payment's lock, so that the refunds of a payment never exceed what was captured.
    func beginRefund(_ input: RefundInput, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(workflow: scope.workflowID, step: "BeginRefund")
        return try await self.once("BeginRefund", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            let payment = transaction.payment
            guard payment.status == .completed, input.amount > 0 else {
                throw EffectFailure(.permanent(code: "NotRefundable"), "the payment is \(payment.status.rawValue)")
            }
            let id = try transaction.paymentUUID
            let sum = try await transaction.connection.query(PaymentStatements.refundsSum) { $0.uuid(id) }
            let left = payment.captured - (try sum[0].int64(0))
            guard input.amount <= left else {
                throw EffectFailure(
                    .permanent(code: "RefundExceedsCaptured"), "\(input.amount) is more than the \(left) that is left")
            }
            try await transaction.connection.query(PaymentStatements.insertRefund) {
                $0.text(input.refundID)
                $0.uuid(id)
                $0.int64(input.amount)
                $0.text(input.reason ?? "")
            }
            return Done()
        }
    }

    /// Refunds at the provider. The compensation gives back all that is left, and nothing if nothing was taken.
    func refundAtProvider(_ input: RefundStep, _ scope: EffectScope) async throws -> Refunded {
        let op = OperationID(
            workflow: scope.workflowID, step: "RefundPsp", index: input.refundID, generation: input.generation)
        return try await self.outside(
            "RefundPsp", op: op, paymentID: input.paymentID, tries: input.tries, scope: scope,
            call: { payment throws(EffectFailure) in try await self.refund(payment, input, scope) },
            settle: { transaction, refunded in
                try await PaymentServices.recordRefund(refunded, input, &transaction)
                return refunded
            })
    }

    private func refund(_ payment: PaymentRow, _ input: RefundStep, _ scope: EffectScope) async throws(EffectFailure)
        -> Refunded
    {
        guard let intentID = payment.providerRef else { return Refunded(refundRef: nil, amount: 0) }
        var amount = input.amount ?? 0
        if input.amount == nil {
            let intent = try await self.provider.intent(intentID, tenant: payment.merchant, scope: scope)
            if let earlier = try await self.findRefund(payment, input, scope) { return earlier }
            amount = intent.amountReceived - (intent.latestCharge?.amountRefunded ?? 0)
            guard amount > 0 else { return Refunded(refundRef: nil, amount: 0) }
        }
        let refund = try await self.provider.post(
            ProviderRefund.self, "/v1/refunds",
            [
                ("payment_intent", intentID), ("amount", String(amount)), ("metadata[payment_id]", payment.id),
                ("metadata[refund_id]", PaymentServices.refundName(input)), ("reason", "requested_by_customer"),
            ], key: "\(payment.id)/refund/\(PaymentServices.refundName(input))/g\(input.generation)",
            tenant: payment.merchant,
            scope: scope)
        return Refunded(refundRef: refund.id, amount: refund.amount)
    }

    /// Looks whether a refund whose answer was lost exists.
    func reconcileRefund(_ input: RefundStep, _ scope: EffectScope) async throws -> RefundLook {
        try scope.checkTime()
        let op = OperationID(
            workflow: scope.workflowID, step: "RefundPsp", index: input.refundID, generation: input.generation)
        let id = try PaymentTransaction.uuid(input.paymentID)
        let rows = try await self.query(PaymentStatements.readPayment) { $0.uuid(id) }
        guard rows.count == 1 else { throw EffectFailure(.invalid, "there is no payment \(input.paymentID)") }
        let payment = try PaymentRow(rows[0])
        let found = try await self.findRefund(payment, input, scope)
        let known = try await self.query(PaymentStatements.readOp) { $0.text(op.value) }
        let seconds = known.count == 1 ? try known[0].double(2) : 1e9
        if let found {
            try await self.transaction { connection in
                var transaction = try await PaymentTransaction(
                    connection, paymentID: input.paymentID, op: op.value, scope: scope)
                try await PaymentServices.recordRefund(found, input, &transaction)
            }
        }
        return RefundLook(found: found, secondsSinceAttempt: seconds)
    }

    private func findRefund(
        _ payment: PaymentRow, _ input: RefundStep, _ scope: EffectScope
    ) async throws(EffectFailure) -> Refunded? {
        guard let intent = payment.providerRef else { return nil }
        let all = try await self.provider.refunds(ofIntent: intent, tenant: payment.merchant, scope: scope)
        let name = PaymentServices.refundName(input)
        guard let refund = all.first(where: { $0.metadata["refund_id"] == name && $0.status != "failed" }) else {
            return nil
        }
        return Refunded(refundRef: refund.id, amount: refund.amount)
    }

    /// The name a refund carries at the provider.
    private static func refundName(_ input: RefundStep) -> String { input.refundID ?? "compensation" }

    /// Writes a refund down; again changes nothing.
    private static func recordRefund(
        _ refunded: Refunded, _ input: RefundStep, _ transaction: inout PaymentTransaction
    ) async throws {
        guard let reference = refunded.refundRef, refunded.amount > 0 else { return }
        let id = try transaction.paymentUUID
        let name = input.refundID ?? "\(transaction.payment.id)/compensation"
        if input.refundID == nil {
            try await transaction.connection.query(PaymentStatements.insertRefund) {
                $0.text(name)
                $0.uuid(id)
                $0.int64(refunded.amount)
                $0.text("compensation")
            }
        }
        let ended = try await transaction.connection.query(PaymentStatements.endRefund) {
            $0.text(name)
            $0.text("SUCCEEDED")
            $0.text(reference)
        }
        guard ended.affectedRows == 1 else { return }
        if transaction.payment.captured == 0 {
            // The capture's own answer never came: the refund proves that it happened.
            try await transaction.change { row in
                row.captured = refunded.amount
                if row.substate == .authorized { row.move(to: .processing, .captured) }
            }
        }
        try await transaction.change { $0.refunded += refunded.amount }
    }

    /// The refund's end: status and event.
    func finishRefund(_ input: RefundInput, _ scope: EffectScope) async throws -> ClosedPayment {
        let op = OperationID(workflow: scope.workflowID, step: "FinishRefund")
        return try await self.once("FinishRefund", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            let isWhole = transaction.payment.refunded == transaction.payment.captured
            try await transaction.change { row in
                if isWhole { row.move(to: .refunded, .none) } else { row.move(to: .completed, .partiallyRefunded) }
            }
            try await transaction.publish(
                isWhole ? "payment.refunded" : "payment.partially_refunded",
                ["amount": .integer(input.amount), "refund_id": .string(input.refundID)])
            let payment = transaction.payment
            return ClosedPayment(
                status: payment.status.rawValue, captured: payment.captured, refunded: payment.refunded)
        }
    }

    /// A refund the provider refused for good gives its amount back to the payment.
    func failRefund(_ input: RefundInput, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(workflow: scope.workflowID, step: "FailRefund")
        return try await self.once("FailRefund", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            try await transaction.connection.query(PaymentStatements.endRefund) {
                $0.text(input.refundID)
                $0.text("FAILED")
                $0.text(nil)
            }
            try await transaction.publish("refund.failed", ["refund_id": .string(input.refundID)])
            return Done()
        }
    }
}
