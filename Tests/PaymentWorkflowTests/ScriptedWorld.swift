import Activities
import Synchronization
import Worker

/// Activities without a world: they note that they ran and answer what the test wrote down, or the good answer.
final class ScriptedWorld: Sendable {
    /// What an activity shall do the next times; when none is left it does its good answer.
    enum Act: Sendable {
        case fail(EffectFailure)
        case answer(any Codable & Sendable)
    }

    private struct State: Sendable {
        var calls: [String] = []
        var keys: [String] = []
        var scripts: [String: [Act]] = [:]
        var policy = PaymentPolicy()
    }

    private let state = Mutex(State())

    var calls: [String] { self.state.withLock { $0.calls } }
    /// `{activity}/g{generation}` for every outside effect.
    var keys: [String] { self.state.withLock { $0.keys } }

    func script(_ activity: String, _ acts: Act...) {
        self.state.withLock { $0.scripts[activity, default: []] += acts }
    }

    func policy(_ change: @Sendable (inout PaymentPolicy) -> Void) {
        self.state.withLock { change(&$0.policy) }
    }

    /// No more failures.
    func heal() { self.state.withLock { $0.scripts = [:] } }

    /// Without the looks, which have no effect.
    var effects: [String] { self.calls.filter { !["ReconcileIntent", "ReconcileRefund", "RiskScreen"].contains($0) } }

    private func act<Output: Codable & Sendable>(_ name: String, key: String? = nil, _ good: Output) throws -> Output {
        let act = self.state.withLock { state -> Act? in
            state.calls.append(name)
            if let key { state.keys.append("\(name)/\(key)") }
            guard var acts = state.scripts[name], !acts.isEmpty else { return nil }
            let next = acts.removeFirst()
            state.scripts[name] = acts
            return next
        }
        switch act {
        case .fail(let failure): throw failure
        case .answer(let answer as Output): return answer
        case .answer, nil: return good
        }
    }

    private static let authorized = Authorization(state: .authorized, intentID: "pi_1")

    var activities: [RegisteredActivity] {
        [
            RegisteredActivity("CreatePayment") { [self] (input: ChargeInput, _) in
                try act(
                    "CreatePayment", CreatedPayment(paymentID: input.paymentID, policy: state.withLock { $0.policy }))
            },
            RegisteredActivity("RiskScreen") { [self] (input: RiskInput, _) in
                let isLarge = input.reviewOver.map { input.amount > $0 } ?? false
                return try act("RiskScreen", RiskDecision(needsReview: isLarge, reason: ""))
            },
            RegisteredActivity("Authorize") { [self] (input: AuthorizeInput, _) in
                try act("Authorize", key: "g\(input.generation)", ScriptedWorld.authorized)
            },
            RegisteredActivity("ReconcileIntent") { [self] (input: ReconcileInput, _) in
                try act(
                    "ReconcileIntent",
                    Reconciled(authorization: ScriptedWorld.authorized, secondsSinceAttempt: 60))
            },
            self.ledger("HoldFunds"), self.ledger("VoidHold"), self.ledger("PostLedger"),
            RegisteredActivity("ReserveStock") { [self] (_: ReserveStockInput, _) in try act("ReserveStock", Done()) },
            RegisteredActivity("Capture") { [self] (input: CaptureInput, _) in
                try act(
                    "Capture", key: "g\(input.generation)", Captured(amount: input.amount, fee: 66, intentID: "pi_1"))
            },
            RegisteredActivity("ScheduleShipment") { [self] (_: ShipInput, _) in
                try act("ScheduleShipment", Shipped(carrierRef: "shp_1"))
            },
            RegisteredActivity("CompletePayment") { [self] (_: StepInput, _) in
                try act("CompletePayment", ClosedPayment(status: "COMPLETED", captured: 1250, refunded: 0))
            },
            RegisteredActivity("FailPayment") { [self] (_: FailInput, _) in
                let isRefunded = state.withLock { $0.calls.contains("RefundLedger") }
                return try act(
                    "FailPayment",
                    isRefunded
                        ? ClosedPayment(status: "REFUNDED", captured: 1250, refunded: 1250)
                        : ClosedPayment(status: "FAILED", captured: 0, refunded: 0))
            },
            RegisteredActivity("VoidAuth") { [self] (_: StepInput, _) in
                try act("VoidAuth", VoidedAuthorization(state: .voided))
            },
            RegisteredActivity("ReleaseStock") { [self] (_: StepInput, _) in try act("ReleaseStock", Done()) },
            RegisteredActivity("RefundPsp") { [self] (input: RefundStep, _) in
                let isCaptured = state.withLock { $0.calls.contains("PostLedger") } || input.refundID != nil
                return try act(
                    "RefundPsp", key: "g\(input.generation)",
                    isCaptured ? Refunded(refundRef: "re_1", amount: input.amount ?? 1250) : Refunded(amount: 0))
            },
            RegisteredActivity("ReconcileRefund") { [self] (_: RefundStep, _) in
                try act("ReconcileRefund", RefundLook(secondsSinceAttempt: 60))
            },
            RegisteredActivity("RefundLedger") { [self] (_: RefundStep, _) in
                try act("RefundLedger", LedgerState(entries: []))
            },
            RegisteredActivity("CancelShipment") { [self] (_: StepInput, _) in
                try act("CancelShipment", Shipped(carrierRef: nil))
            },
            RegisteredActivity("AnnounceStuck") { [self] (_: StuckInput, _) in try act("AnnounceStuck", Done()) },
            RegisteredActivity("BeginRefund") { [self] (_: RefundInput, _) in try act("BeginRefund", Done()) },
            RegisteredActivity("FinishRefund") { [self] (input: RefundInput, _) in
                try act("FinishRefund", ClosedPayment(status: "COMPLETED", captured: 1250, refunded: input.amount))
            },
            RegisteredActivity("FailRefund") { [self] (_: RefundInput, _) in try act("FailRefund", Done()) },
        ]
    }

    private func ledger(_ name: String) -> RegisteredActivity {
        RegisteredActivity(name) { [self] (_: StepInput, _) in try act(name, LedgerState(entries: [])) }
    }
}
