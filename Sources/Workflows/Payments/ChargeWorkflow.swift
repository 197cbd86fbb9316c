public import Activities
import Foundation
public import Worker

/// Charges a card, sets goods aside and books shipping across systems that share no transaction; undoes all of it when one refuses.
///
/// Ends with a ``ChargeResult`` whatever the card or the carrier said; a cancelled payment is compensated first and then closes
/// as cancelled; input that was wrong fails the workflow.
public final class ChargeWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "pay.Charge"

    // Set by signals; they may come before `run` has begun.
    private var isPaused = false { didSet { self.steps?.isPaused = self.isPaused } }
    private(set) var review: ReviewDecision?
    var newPaymentMethod: String?
    private(set) var providerEvents: [ProviderEventSignal] = []
    private var earlyResolutions: [CompensationResolution] = []

    private(set) var steps: StepRunner?
    var ledger = LedgerState(entries: [])
    var references = ProviderReferences()
    var generation = 0
    var voids = 0
    private var closed: ClosedPayment?

    public init() {}

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<ChargeWorkflow>) {
        handlers.signal("pause") { $0.isPaused = true }
        handlers.signal("resume") { $0.isPaused = false }
        handlers.signal("review", ReviewDecision.self) { workflow, decision in
            if workflow.review == nil, ["approve", "reject"].contains(decision.decision) { workflow.review = decision }
        }
        handlers.signal("provide_payment_method", NewPaymentMethod.self) { workflow, method in
            if method.token.hasPrefix("pm_") || method.token.hasPrefix("tok_") {
                workflow.newPaymentMethod = method.token
            }
        }
        handlers.signal("provider_event", ProviderEventSignal.self) { workflow, event in
            if !workflow.providerEvents.contains(where: { $0.id == event.id }) { workflow.providerEvents.append(event) }
        }
        handlers.signal("resolve_compensation", CompensationResolution.self) { workflow, resolution in
            if let steps = workflow.steps {
                steps.resolutions[resolution.step] = resolution
            } else {
                workflow.earlyResolutions.append(resolution)
            }
        }
        handlers.query("progress") { workflow in
            var progress = workflow.steps?.progress ?? PaymentProgress()
            progress.lastEventID = workflow.steps?.context.historyLength ?? 0
            progress.counts = ["provider_events": workflow.providerEvents.count, "generation": workflow.generation]
            return progress
        }
        handlers.query("ledger") { $0.ledger }
        handlers.query("provider_refs") { $0.references }
    }

    public func run(_ input: ChargeInput, _ context: WorkflowContext) async throws -> ChargeResult {
        let steps = StepRunner(context: context, provider: input.provider)
        steps.isPaused = self.isPaused
        steps.progress.operationID = input.paymentID
        for resolution in self.earlyResolutions { steps.resolutions[resolution.step] = resolution }
        self.steps = steps
        do {
            let closed = try await context.saga { saga in try await self.charge(input, steps, saga) }
            steps.progress.status = .succeeded
            steps.progress.percent = 100
            return ChargeResult(
                paymentID: input.paymentID, status: closed.status, captured: closed.captured, refunded: closed.refunded)
        } catch let failure as StepFailure {
            guard !context.isEvicted else { throw CancellationError() }
            if context.isCancelRequested {
                steps.progress.status = .canceled
                throw CanceledFailure("canceled and compensated")
            }
            let closed = self.closed
            steps.progress.status = (closed?.captured ?? 0) > 0 ? .rolledBack : .failed
            if failure.code == "Invalid" || failure.code == "DuplicatePayment" {
                throw ApplicationFailure(failure.message, type: failure.code, isNonRetryable: true)
            }
            return ChargeResult(
                paymentID: input.paymentID, status: closed?.status ?? "FAILED", captured: closed?.captured ?? 0,
                refunded: closed?.refunded ?? 0,
                failure: ChargeResult.Reason(code: failure.code, message: failure.message))
        } catch {
            if !context.isEvicted { steps.progress.status = .canceled }
            throw error
        }
    }

    /// The steps forward; each registers first what undoes it.
    private func charge(_ input: ChargeInput, _ steps: StepRunner, _ saga: Saga) async throws -> ClosedPayment {
        var failure = FailInput(paymentID: input.paymentID, code: "canceled", message: "the payment was canceled")
        saga.compensate("FailPayment") {
            try await steps.undo("FailPayment") { _ in self.closed = try await steps.run(.failPayment, failure) }
        }
        do {
            return try await self.stepsForward(input, steps, saga)
        } catch let error as StepFailure {
            failure = FailInput(paymentID: input.paymentID, code: error.code, message: error.message)
            throw error
        }
    }

    private func stepsForward(_ input: ChargeInput, _ steps: StepRunner, _ saga: Saga) async throws -> ClosedPayment {
        let payment = StepInput(paymentID: input.paymentID)
        let created: CreatedPayment = try await steps.run(.createPayment, input)
        steps.policy = created.policy
        try await self.screen(input, steps)

        saga.compensate("VoidAuth") { try await self.undoAuthorization(payment, steps) }
        steps.progress.percent = 20
        let authorization = try await self.authorize(input, steps)
        self.references.intentID = authorization.intentID
        steps.authorizationEnds = steps.context.now.addingTimeInterval(steps.policy.authorizationSeconds)

        saga.compensate("VoidHold") {
            try await steps.undo("VoidHold") { _ in self.ledger = try await steps.run(.voidHold, payment) }
        }
        steps.progress.percent = 40
        self.ledger = try await steps.run(.holdFunds, payment)

        saga.compensate("ReleaseStock") {
            try await steps.undo("ReleaseStock") { _ in let _: Done = try await steps.run(.releaseStock, payment) }
        }
        let _: Done = try await steps.run(
            .reserveStock,
            ReserveStockInput(
                paymentID: input.paymentID, items: input.items, holdSeconds: steps.policy.stockHoldSeconds))

        saga.compensate("RefundPsp") { try await self.undoCapture(payment, steps) }
        steps.progress.percent = 60
        try await self.capture(input, steps)
        steps.authorizationEnds = nil
        self.ledger = try await steps.run(.postLedger, payment)

        steps.progress.percent = 80
        if let address = input.shipping {
            saga.compensate("CancelShipment") {
                try await steps.undo("CancelShipment") { generation in
                    let _: Shipped = try await steps.run(
                        .cancelShipment, StepInput(paymentID: input.paymentID, generation: generation))
                }
            }
            let shipped: Shipped = try await steps.run(
                .scheduleShipment, ShipInput(paymentID: input.paymentID, address: address))
            self.references.shipmentRef = shipped.carrierRef
        }
        return try await steps.run(.completePayment, payment)
    }

    /// Looks at the risk, and waits for a person where it asks for one. A screen that is away lets small amounts pass.
    private func screen(_ input: ChargeInput, _ steps: StepRunner) async throws {
        var decision: RiskDecision
        do {
            decision = try await steps.run(
                .riskScreen, RiskInput(merchantID: input.merchantID, amount: input.amount, reviewOver: input.reviewOver)
            )
        } catch is StepFailure {
            decision = RiskDecision(
                needsReview: input.reviewOver.map { input.amount > $0 } ?? false, reason: "screen unavailable")
        }
        guard decision.needsReview else { return }
        let isDecided = try await steps.wait(.approval, "review", seconds: steps.policy.reviewSeconds) {
            self.review != nil
        }
        guard isDecided, self.review?.decision == "approve" else {
            throw StepFailure(
                code: "ReviewRejected", message: self.review?.reason ?? "nobody approved the payment in time")
        }
    }
}
