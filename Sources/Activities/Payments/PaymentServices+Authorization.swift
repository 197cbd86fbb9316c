import Postgres

/// Authorizing, looking what became of it, and voiding.
extension PaymentServices {
    func authorize(_ input: AuthorizeInput, _ scope: EffectScope) async throws -> Authorization {
        try await self.outside(
            "Authorize", op: PaymentServices.authorizeOp(scope, input.generation), paymentID: input.paymentID,
            tries: input.tries,
            scope: scope,
            prepare: { transaction in
                if transaction.payment.status == .pending {
                    try await transaction.change { $0.move(to: .processing, .none) }
                }
            },
            call: { payment throws(EffectFailure) in
                var fields = [
                    ("amount", String(payment.amount)), ("currency", payment.currency.lowercased()),
                    ("payment_method", input.paymentMethod), ("capture_method", "manual"), ("confirm", "true"),
                    ("metadata[payment_id]", payment.id), ("metadata[order_id]", payment.orderID),
                    ("metadata[generation]", String(input.generation)),
                ]
                if input.isOffSession { fields.append(("off_session", "true")) }
                return try await self.provider.post(
                    ProviderIntent.self, "/v1/payment_intents", fields, key: "\(payment.id)/auth/g\(input.generation)",
                    tenant: payment.merchant, scope: scope)
            },
            settle: { transaction, intent in try await PaymentServices.adopt(intent, &transaction) })
    }

    /// Asks the provider what became of an authorization or a capture, and takes its word over ours.
    ///
    /// A read: it has no key of its own. What it finds is written as the operation's outcome.
    func reconcileIntent(_ input: ReconcileInput, _ scope: EffectScope) async throws -> Reconciled {
        try scope.checkTime()
        let step = input.subject == .authorization ? "Authorize" : "Capture"
        let op = OperationID(workflow: scope.workflowID, step: step, generation: input.generation)
        let id = try PaymentTransaction.uuid(input.paymentID)
        let row = try await self.query(PaymentStatements.readPayment) { $0.uuid(id) }
        guard row.count == 1 else { throw EffectFailure(.invalid, "there is no payment \(input.paymentID)") }
        let payment = try PaymentRow(row[0])
        let intent = try await self.find(payment, input, scope)
        let known = try await self.query(PaymentStatements.readOp) { $0.text(op.value) }
        let age = known.count == 1 ? try known[0].double(2) : .infinity
        let seconds = age.isFinite ? age : 1e9
        guard let intent else { return Reconciled(secondsSinceAttempt: seconds) }
        let (found, capture) = try await self.transaction { connection -> (Authorization, Captured?) in
            var transaction = try await PaymentTransaction(
                connection, paymentID: input.paymentID, op: op.value, scope: scope)
            let found = try await PaymentServices.adopt(intent, &transaction)
            var capture: Captured?
            if intent.status == .succeeded { capture = try await PaymentServices.recordCapture(intent, &transaction) }
            return (found, capture)
        }
        return Reconciled(authorization: found, secondsSinceAttempt: seconds, capture: capture)
    }

    private func find(
        _ payment: PaymentRow, _ input: ReconcileInput, _ scope: EffectScope
    ) async throws -> ProviderIntent? {
        switch input.subject {
        case .capture:
            guard let id = payment.providerRef else { return nil }
            return try await self.provider.intent(id, tenant: payment.merchant, scope: scope)
        case .authorization:
            let all = try await self.provider.intents(ofPayment: payment.id, tenant: payment.merchant, scope: scope)
            return all.first { $0.metadata["generation"] == String(input.generation) }
        }
    }

    /// Voids whatever is authorized; a payment whose card declined has nothing to void and causes no call.
    func voidAuthorization(_ input: StepInput, _ scope: EffectScope) async throws -> VoidedAuthorization {
        let op = OperationID(workflow: scope.workflowID, step: "VoidAuth", generation: input.generation)
        let id = try PaymentTransaction.uuid(input.paymentID)
        let attempts = try await self.query(PaymentStatements.authorizationOps) { $0.uuid(id) }
        let stored = try attempts.map { row throws(PostgresError) in try row.textOrNil(0) }
        let mayBeAuthorized = stored.contains { text in
            guard let text, let outcome = try? PaymentJSON.value(Stored<Authorization>.self, text) else { return true }
            switch outcome {
            case .result: return true
            case .failure(let failure): return failure.decline == nil && failure.code != "InvalidRequest"
            }
        }
        guard mayBeAuthorized else { return VoidedAuthorization(state: .nothing) }
        return try await self.outside(
            "VoidAuth", op: op, paymentID: input.paymentID, tries: self.policy.triesPerGeneration, scope: scope,
            call: { payment throws(EffectFailure) in try await self.cancelAll(payment, input.generation, scope) },
            settle: { transaction, state in VoidedAuthorization(state: state) })
    }

    private func cancelAll(
        _ payment: PaymentRow, _ generation: Int, _ scope: EffectScope
    ) async throws(EffectFailure) -> VoidedAuthorization.State {
        var state = VoidedAuthorization.State.nothing
        for intent in try await self.provider.intents(ofPayment: payment.id, tenant: payment.merchant, scope: scope) {
            switch intent.status {
            case .succeeded, .processing: return .captured
            case .canceled: state = .voided
            case .requiresPaymentMethod: break  // declined: holds no money
            case .requiresAction, .requiresCapture, .requiresConfirmation:
                do throws(EffectFailure) {
                    _ = try await self.provider.post(
                        ProviderIntent.self, "/v1/payment_intents/\(intent.id)/cancel",
                        [("cancellation_reason", "abandoned")],
                        key: "\(payment.id)/void/\(intent.id)/g\(generation)", tenant: payment.merchant, scope: scope)
                } catch {
                    if error.kind == .permanent(code: "UnexpectedState:succeeded") { return .captured }
                    if error.kind != .permanent(code: "UnexpectedState:canceled") { throw error }
                }
                state = .voided
            }
        }
        return state
    }

    static func authorizeOp(_ scope: EffectScope, _ generation: Int) -> OperationID {
        OperationID(workflow: scope.workflowID, step: "Authorize", generation: generation)
    }

    /// Writes an intent's state into the payment; writing it again changes and announces nothing.
    static func adopt(_ intent: ProviderIntent, _ transaction: inout PaymentTransaction) async throws -> Authorization {
        let payment = transaction.payment
        switch intent.status {
        case .requiresCapture:
            if payment.status == .processing, payment.substate == .none || payment.substate == .requiresAction {
                try await transaction.change { row in
                    row.move(to: .processing, .authorized)
                    row.providerRef = intent.id
                    row.authorized = min(intent.amount, row.amount)
                }
                try await transaction.publish(
                    "payment.authorized", ["amount": .integer(intent.amount), "provider_ref": .string(intent.id)])
            }
            return Authorization(state: .authorized, intentID: intent.id)
        case .requiresAction, .requiresConfirmation, .processing:
            if payment.status == .processing, payment.substate == .none {
                try await transaction.change { row in
                    row.move(to: .processing, .requiresAction)
                    row.providerRef = intent.id
                }
                try await transaction.publish("payment.action_required", ["provider_ref": .string(intent.id)])
            }
            return Authorization(state: .requiresAction, intentID: intent.id)
        case .requiresPaymentMethod:
            if payment.status == .processing, payment.substate == .requiresAction {
                try await transaction.change { $0.move(to: .processing, .none) }
            }
            return Authorization(state: .declined, intentID: intent.id, decline: intent.lastPaymentError?.decline)
        case .succeeded: return Authorization(state: .captured, intentID: intent.id)
        case .canceled: return Authorization(state: .canceled, intentID: intent.id)
        }
    }
}
