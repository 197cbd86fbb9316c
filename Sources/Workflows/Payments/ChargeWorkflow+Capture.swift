import Activities
import Foundation
import Worker

/// The pivot and its way back.
extension ChargeWorkflow {
    private static let generationsMax = 32

    func capture(_ input: ChargeInput, _ steps: StepRunner) async throws {
        var generation = 0
        while true {
            do {
                let _: Captured = try await steps.run(
                    .capture,
                    CaptureInput(
                        paymentID: input.paymentID, amount: input.amount, generation: generation,
                        tries: steps.policy.triesPerGeneration))
                return
            } catch let failure as StepFailure {
                guard failure.isUnresolved, generation < Self.generationsMax, !steps.context.isCancelRequested else {
                    throw failure
                }
                let seen = try await self.look(.capture, generation, steps)
                if seen.capture != nil { return }
                guard seen.authorization?.state == .authorized else {
                    throw StepFailure(code: "AuthExpired", message: "the authorization is gone")
                }
                generation += 1
            }
        }
    }

    /// Gives back what was captured, then books it. Accepts that nothing was.
    func undoCapture(_ payment: StepInput, _ steps: StepRunner) async throws {
        var refunded = Refunded(refundRef: nil, amount: 0)
        try await steps.undo("RefundPsp") { generation in
            let input = RefundStep(
                paymentID: payment.paymentID, generation: generation, tries: steps.policy.triesPerGeneration)
            refunded = try await RefundSteps.refund(input, steps)
        }
        guard let reference = refunded.refundRef else { return }
        self.references.refundRefs.append(reference)
        let booking = RefundStep(
            paymentID: payment.paymentID, amount: refunded.amount, tries: steps.policy.triesPerGeneration)
        try await steps.undo("RefundLedger") { _ in self.ledger = try await steps.run(.refundLedger, booking) }
    }

    /// Voids the authorization; one that was captured after all is refunded instead.
    func undoAuthorization(_ payment: StepInput, _ steps: StepRunner) async throws {
        var voided = VoidedAuthorization(state: .nothing)
        if self.references.refundRefs.isEmpty {
            try await steps.undo("VoidAuth") { _ in
                voided = try await steps.run(
                    .voidAuth, StepInput(paymentID: payment.paymentID, generation: self.nextVoid()))
            }
        }
        guard voided.state == .captured else { return }
        try await steps.undo("ReconcileIntent") { _ in
            let _: Reconciled = try await steps.run(
                .reconcileIntent, ReconcileInput(paymentID: payment.paymentID, subject: .capture, generation: 0))
        }
        try await self.undoCapture(payment, steps)
    }
}

/// One refund at the provider, and the look when its answer was lost.
enum RefundSteps {
    static func refund(_ input: RefundStep, _ steps: StepRunner) async throws -> Refunded {
        do {
            return try await steps.run(.refundPsp, input)
        } catch let failure as StepFailure where failure.isUnresolved {
            while true {
                let seen: RefundLook = try await steps.run(.reconcileRefund, input)
                if let found = seen.found { return found }
                let left = steps.policy.ambiguitySeconds - seen.secondsSinceAttempt
                if left <= 0 { throw StepFailure(code: "Unresolved", message: "the refund did not happen") }
                _ = try await steps.wait(.timer, "ambiguity", seconds: left + 0.05) { false }
            }
        }
    }
}
