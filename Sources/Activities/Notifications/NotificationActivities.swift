public import Worker

/// The notification family's activities, by the names histories know.
public enum NotificationActivities {
    /// Everything a notification worker registers.
    ///
    /// Names are the contract; each serves many attempts at once and is safe to run again.
    public static func all(_ services: NotificationServices) -> [RegisteredActivity] {
        let quick = RetryBackoff(base: .milliseconds(100), cap: .seconds(5))
        let table = RetryBackoff(base: .milliseconds(100), cap: .seconds(60))
        let send = RetryBackoff(base: .milliseconds(500), cap: .seconds(30))
        return [
            step("AcceptNotification", quick, services.accept), step("CheckPolicy", quick, services.checkPolicy),
            step("ReserveCap", quick, services.reserveCap), step("MarkNotification", table, services.mark),
            step("SendEmail", send, services.send), step("SendSms", send, services.send),
            step("SendWeChat", send, services.send), step("RecordReceipt", table, services.recordReceipt),
            step("FinishNotification", table, services.finish),
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
