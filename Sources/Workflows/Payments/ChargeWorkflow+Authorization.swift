import Activities
import Foundation
import Logging
import Worker

/// Getting an authorization: the ambiguity rule, declines, 3-D Secure.
extension ChargeWorkflow {
    /// New keys that a payment may need before it gives up.
    private static let generationsMax = 32

    func authorize(_ input: ChargeInput, _ steps: StepRunner) async throws -> Authorization {
        var token = input.paymentMethod
        var dunnings = 0
        while true {
            let found = try await self.authorizeOnce(token, input, steps)
            switch found.state {
            case .authorized, .captured: return found
            case .canceled: throw StepFailure(code: "AuthCanceled", message: "the authorization was canceled")
            case .requiresAction:
                let settled = try await self.awaitAction(found, steps)
                if let settled, settled.state == .authorized || settled.state == .captured { return settled }
                if let settled, settled.state != .requiresAction {
                    throw StepFailure(
                        code: "CardDeclined", message: "the cardholder did not authenticate", decline: settled.decline)
                }
                guard let method = self.newPaymentMethod else {
                    throw StepFailure(code: "AuthenticationTimeout", message: "3-D Secure was not finished in time")
                }
                token = method
                self.newPaymentMethod = nil
                try await self.voidEarlier(steps)
            case .declined:
                let decline = found.decline
                let failure = StepFailure(
                    code: "CardDeclined", message: decline?.declineCode ?? "declined", decline: decline)
                token = try await self.afterDecline(failure, token, input, steps, dunnings: &dunnings)
            }
            self.generation += 1
            self.references.generation = self.generation
            guard self.generation < Self.generationsMax else {
                throw StepFailure(code: "CardDeclined", message: "declined too often")
            }
        }
    }

    /// What the card's advice says: stop, ask for another card, or come back later.
    ///
    /// - Returns: the token of the next attempt.
    private func afterDecline(
        _ failure: StepFailure, _ token: String, _ input: ChargeInput, _ steps: StepRunner, dunnings: inout Int
    ) async throws -> String {
        switch (failure.decline?.adviceCode, input.mode) {
        case ("confirm_card_data", _), ("try_again_later", .interactive):
            let isGiven = try await steps.wait(
                .external, "provide_payment_method", seconds: steps.policy.paymentMethodSeconds
            ) { self.newPaymentMethod != nil }
            guard isGiven, let method = self.newPaymentMethod else { throw failure }
            self.newPaymentMethod = nil
            return method
        case ("try_again_later", .offSession):
            guard dunnings < steps.policy.dunningSeconds.count else { throw failure }
            let seconds = steps.policy.dunningSeconds[dunnings]
            dunnings += 1
            steps.context.logger.info("declined, trying again later", metadata: ["dunning": "\(dunnings)"])
            _ = try await steps.wait(.timer, "dunning \(dunnings)", seconds: seconds) { self.newPaymentMethod != nil }
            defer { self.newPaymentMethod = nil }
            return self.newPaymentMethod ?? token
        default: throw failure  // do_not_try_again, and whatever we do not know
        }
    }

    /// One generation's authorization, with the look that follows when its outcome is not known. The generation moves only after a
    /// definite "there is none".
    private func authorizeOnce(_ token: String, _ input: ChargeInput, _ steps: StepRunner) async throws -> Authorization
    {
        while true {
            do {
                return try await steps.run(
                    .authorize,
                    AuthorizeInput(
                        paymentID: input.paymentID, paymentMethod: token, isOffSession: input.mode == .offSession,
                        generation: self.generation, tries: steps.policy.triesPerGeneration))
            } catch let failure as StepFailure {
                if failure.code == "CardDeclined" {
                    return Authorization(state: .declined, intentID: "", decline: failure.decline)
                }
                guard failure.isUnresolved, self.generation < Self.generationsMax else { throw failure }
                if steps.context.isCancelRequested { throw failure }
                if let found = try await self.look(.authorization, self.generation, steps).authorization {
                    return found
                }
                self.generation += 1
                self.references.generation = self.generation
            }
        }
    }

    /// Asks the provider; "none" is believed only some time after the last attempt.
    func look(_ subject: ReconcileInput.Subject, _ generation: Int, _ steps: StepRunner) async throws -> Reconciled {
        let input = ReconcileInput(paymentID: steps.progress.operationID, subject: subject, generation: generation)
        while true {
            let seen: Reconciled = try await steps.run(.reconcileIntent, input)
            let left = steps.policy.ambiguitySeconds - seen.secondsSinceAttempt
            let isSettled: Bool
            switch subject {
            case .authorization: isSettled = seen.authorization != nil
            case .capture: isSettled = seen.capture != nil || seen.authorization?.state != .authorized
            }
            if isSettled || left <= 0 { return seen }
            _ = try await steps.wait(.timer, "ambiguity", seconds: left + 0.05) { false }
        }
    }

    /// Waits for the cardholder: the webhook says that something changed, the provider says what. The clock is not restarted by it.
    ///
    /// - Returns: Nil when another payment method came instead.
    private func awaitAction(_ found: Authorization, _ steps: StepRunner) async throws -> Authorization? {
        let ends = steps.now + steps.policy.actionSeconds
        var seen = 0
        self.references.intentID = found.intentID
        while true {
            let isTold = try await steps.wait(.external, "provider_event", seconds: ends - steps.now) {
                self.providerEvents.count > seen || self.newPaymentMethod != nil
            }
            seen = self.providerEvents.count
            let state = try await self.look(.authorization, self.generation, steps).authorization
            if let state, state.state != .requiresAction { return state }
            if self.newPaymentMethod != nil { return nil }
            if !isTold { return state ?? found }
        }
    }

    /// Voids what an earlier method left behind.
    private func voidEarlier(_ steps: StepRunner) async throws {
        let input = StepInput(paymentID: steps.progress.operationID, generation: self.nextVoid())
        let _: VoidedAuthorization = try await steps.run(.voidAuth, input)
    }

    func nextVoid() -> Int {
        defer { self.voids += 1 }
        return self.voids
    }
}
