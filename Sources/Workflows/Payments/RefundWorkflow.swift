public import Activities
import Foundation
public import Worker

/// Gives part or all of a completed payment back.
///
/// Fails with the type `RefundExceedsCaptured` or `NotRefundable` before anything happened, when the payment does not allow it.
public final class RefundWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "pay.Refund"

    private var isPaused = false { didSet { self.steps?.isPaused = self.isPaused } }
    private var steps: StepRunner?
    private var ledger = LedgerState(entries: [])
    private var references = ProviderReferences()

    private static let generationsMax = 32

    public init() {}

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<RefundWorkflow>) {
        handlers.signal("pause") { $0.isPaused = true }
        handlers.signal("resume") { $0.isPaused = false }
        handlers.query("progress") { workflow in
            var progress = workflow.steps?.progress ?? PaymentProgress()
            progress.lastEventID = workflow.steps?.context.historyLength ?? 0
            return progress
        }
        handlers.query("ledger") { $0.ledger }
        handlers.query("provider_refs") { $0.references }
    }

    public func run(_ input: RefundInput, _ context: WorkflowContext) async throws -> ChargeResult {
        let steps = StepRunner(context: context, provider: input.provider)
        steps.isPaused = self.isPaused
        steps.progress.operationID = input.paymentID
        self.steps = steps
        do {
            let _: Done = try await steps.run(.beginRefund, input)
        } catch let failure as StepFailure {
            steps.progress.status = .failed
            throw ApplicationFailure(failure.message, type: failure.code, isNonRetryable: true)
        }
        // The amount is reserved: from here the refund goes to its end.
        return try await context.shielded { try await self.finish(input, steps) }
    }

    private func finish(_ input: RefundInput, _ steps: StepRunner) async throws -> ChargeResult {
        let refunded: Refunded
        do {
            refunded = try await self.refund(input, steps)
        } catch let failure as StepFailure {
            try await steps.undo("FailRefund") { _ in let _: Done = try await steps.run(.failRefund, input) }
            steps.progress.status = .failed
            throw ApplicationFailure(failure.message, type: failure.code, isNonRetryable: true)
        }
        if let reference = refunded.refundRef { self.references.refundRefs.append(reference) }
        let booking = RefundStep(
            paymentID: input.paymentID, refundID: input.refundID, amount: refunded.amount,
            tries: steps.policy.triesPerGeneration)
        try await steps.undo("RefundLedger") { _ in self.ledger = try await steps.run(.refundLedger, booking) }
        let closed: ClosedPayment = try await steps.run(.finishRefund, input)
        steps.progress.status = .succeeded
        steps.progress.percent = 100
        return ChargeResult(
            paymentID: input.paymentID, status: closed.status, captured: closed.captured, refunded: closed.refunded)
    }

    private func refund(_ input: RefundInput, _ steps: StepRunner) async throws -> Refunded {
        var generation = 0
        while true {
            do {
                return try await RefundSteps.refund(
                    RefundStep(
                        paymentID: input.paymentID, refundID: input.refundID, amount: input.amount,
                        reason: input.reason,
                        generation: generation, tries: steps.policy.triesPerGeneration), steps)
            } catch let failure as StepFailure {
                guard failure.isUnresolved, generation < Self.generationsMax else { throw failure }
                generation += 1
            }
        }
    }
}
