import Postgres

/// Opening and closing a payment.
extension PaymentServices {
    func createPayment(_ input: ChargeInput, _ scope: EffectScope) async throws -> CreatedPayment {
        try scope.checkTime()
        guard (1...self.policy.amountMax).contains(input.amount) else {
            throw EffectFailure(.invalid, "amount is out of range")
        }
        guard input.currency.count == 3, input.currency.allSatisfy({ $0.isASCII && $0.isUppercase }) else {
            throw EffectFailure(.invalid, "currency is no ISO 4217 code")
        }
        guard input.provider == PaymentServices.providerName else {
            throw EffectFailure(.invalid, "unknown provider")
        }
        let id = try PaymentTransaction.uuid(input.paymentID)
        let op = OperationID(workflow: scope.workflowID, step: "CreatePayment")
        try await self.failpoints.pass("CreatePayment", .beforeEffect)
        try await self.transaction { connection in
            let inserted = try await connection.query(PaymentStatements.insertPayment) { parameters in
                parameters.uuid(id)
                parameters.text(input.merchantID)
                parameters.text(input.idempotencyKey)
                parameters.text(input.orderID)
                parameters.int64(input.amount)
                parameters.text(input.currency)
                parameters.text(input.provider)
            }
            guard inserted.count == 1 else {
                let known = try await connection.query(PaymentStatements.paymentByKey) {
                    $0.text(input.merchantID)
                    $0.text(input.idempotencyKey)
                }
                guard known.count == 1, try known[0].text(0) == id.description else {
                    throw EffectFailure(.permanent(code: "DuplicatePayment"), "the key belongs to another payment")
                }
                return
            }
            let transaction = try await PaymentTransaction(
                connection, paymentID: input.paymentID, op: op.value, scope: scope)
            try await transaction.publish("payment.created", ["amount": .integer(input.amount)])
        }
        try await self.failpoints.pass("CreatePayment", .afterEffect)
        try await self.failpoints.pass("CreatePayment", .afterResult)
        return CreatedPayment(paymentID: input.paymentID, policy: self.policy)
    }

    /// Ends a payment that did not complete: FAILED, or REFUNDED when money had been taken and given back.
    func failPayment(_ input: FailInput, _ scope: EffectScope) async throws -> ClosedPayment {
        let op = OperationID(workflow: scope.workflowID, step: "FailPayment")
        let id = try PaymentTransaction.uuid(input.paymentID)
        let known = try await self.query(PaymentStatements.readPayment) { $0.uuid(id) }
        guard known.count == 1 else { return ClosedPayment(status: "FAILED", captured: 0, refunded: 0) }
        return try await self.once("FailPayment", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            let isRefund = transaction.payment.captured > 0
            switch transaction.payment.status {
            case .pending, .processing:
                try await transaction.change { row in
                    row.move(to: isRefund ? .refunded : .failed, .none)
                    row.failureCode = input.code
                    row.failureMessage = input.message
                }
                try await transaction.publish(
                    isRefund ? "payment.refunded" : "payment.failed",
                    ["code": .string(input.code), "amount": .integer(transaction.payment.refunded)])
            case .completed, .failed, .refunded: break
            }
            let payment = transaction.payment
            return ClosedPayment(
                status: payment.status.rawValue, captured: payment.captured, refunded: payment.refunded)
        }
    }

    func completePayment(_ input: StepInput, _ scope: EffectScope) async throws -> ClosedPayment {
        let op = OperationID(workflow: scope.workflowID, step: "CompletePayment")
        return try await self.once("CompletePayment", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            try await transaction.change { $0.move(to: .completed, .captured) }
            try await transaction.publish("payment.completed", ["amount": .integer(transaction.payment.captured)])
            let payment = transaction.payment
            return ClosedPayment(
                status: payment.status.rawValue, captured: payment.captured, refunded: payment.refunded)
        }
    }

    /// Large amounts, and merchants with many refusals in the last hour, are looked at by a person.
    func riskScreen(_ input: RiskInput, _ scope: EffectScope) async throws -> RiskDecision {
        try scope.checkTime()
        if let limit = input.reviewOver, input.amount > limit {
            return RiskDecision(needsReview: true, reason: "amount over \(limit)")
        }
        let rows = try await self.query(PaymentStatements.failedPayments) { $0.text(input.merchantID) }
        let failures = try rows[0].int64(0)
        let isSuspect = failures > PaymentServices.failuresPerHourMax && input.reviewOver != nil
        return RiskDecision(needsReview: isSuspect, reason: isSuspect ? "\(failures) refusals in an hour" : "")
    }

    private static let failuresPerHourMax: Int64 = 50

    /// Tells, once, that a compensation does not succeed.
    func announceStuck(_ input: StuckInput, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(workflow: scope.workflowID, step: "AnnounceStuck", index: input.step)
        return try await self.once("AnnounceStuck", op: op, paymentID: input.paymentID, scope: scope) { transaction in
            try await transaction.publish(
                "payment.compensation_stuck",
                ["step": .string(input.step), "attempts": .integer(Int64(input.attempts))])
            try await transaction.park(
                "compensation_stuck", key: "\(scope.workflowID)/\(input.step)",
                message: "a compensation has not succeeded in \(input.attempts) attempts")
            return Done()
        }
    }
}
