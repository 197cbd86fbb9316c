public import Worker

/// The payment family's activities, by the names histories know.
public enum PaymentActivities {
    /// Everything a payments worker registers.
    ///
    /// Names are the contract; each serves many attempts at once and is safe to run again.
    public static func all(_ services: PaymentServices) -> [RegisteredActivity] {
        let policy = services.policy
        let quick = RetryBackoff(base: .milliseconds(100), cap: .seconds(5))
        let ledger = RetryBackoff(base: .milliseconds(100), cap: .seconds(60))
        let provider = RetryBackoff(base: .milliseconds(Int64(policy.retryBaseSeconds * 1000)), cap: .seconds(30))
        let capture = RetryBackoff(base: .milliseconds(Int64(policy.retryBaseSeconds * 1000)), cap: .seconds(300))
        let second = RetryBackoff(base: .seconds(1), cap: .seconds(60))
        let undo = RetryBackoff(
            base: .milliseconds(Int64(policy.compensationBaseSeconds * 1000)),
            cap: .milliseconds(Int64(policy.compensationCapSeconds * 1000)))
        return [
            step("CreatePayment", quick, services.createPayment), step("RiskScreen", quick, services.riskScreen),
            step("Authorize", provider, services.authorize), step("ReconcileIntent", second, services.reconcileIntent),
            step("HoldFunds", quick, services.holdFunds), step("ReserveStock", quick, services.reserveStock),
            step("Capture", capture, services.capture), step("PostLedger", ledger, services.postLedger),
            step("ScheduleShipment", second, services.scheduleShipment),
            step("CompletePayment", ledger, services.completePayment),
            step("FailPayment", undo, services.failPayment), step("VoidAuth", undo, services.voidAuthorization),
            step("VoidHold", undo, services.voidHold), step("ReleaseStock", undo, services.releaseStock),
            step("RefundPsp", undo, services.refundAtProvider),
            step("ReconcileRefund", second, services.reconcileRefund),
            step("RefundLedger", undo, services.refundLedger), step("CancelShipment", undo, services.cancelShipment),
            step("AnnounceStuck", undo, services.announceStuck), step("BeginRefund", quick, services.beginRefund),
            step("FinishRefund", ledger, services.finishRefund), step("FailRefund", undo, services.failRefund),
        ]
    }

    private static func step<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ name: String, _ backoff: RetryBackoff, _ body: @escaping @Sendable (Input, EffectScope) async throws -> Output
    ) -> RegisteredActivity {
        RegisteredActivity(name, retryBackoff: backoff) { (input: Input, context: ActivityContext) in
            let scope = EffectScope(
                workflowID: context.info.workflowID, namespace: context.info.namespace,
                timeRemaining: context.timeRemaining)
            async let _ = ActivityPulse.beat(context)  // ends with the scope
            return try await body(input, scope)
        }
    }
}
