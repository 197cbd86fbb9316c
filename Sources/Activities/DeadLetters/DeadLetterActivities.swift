public import Worker

/// The activities of `ntf.Redrive`, by the names histories know.
public enum DeadLetterActivities {
    public static func all(_ services: RedriveServices) -> [RegisteredActivity] {
        [
            self.step("OpenRedrive", services.open), self.step("RedriveBatch", services.batch),
            self.step("CloseRedrive", services.close),
        ]
    }

    private static func step<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ name: String, _ body: @escaping @Sendable (Input, EffectScope) async throws -> Output
    ) -> RegisteredActivity {
        let backoff = RetryBackoff(base: .milliseconds(100), cap: .seconds(5))
        return RegisteredActivity(name, retryBackoff: backoff) { (input: Input, context: ActivityContext) in
            let scope = EffectScope(
                workflowID: context.info.workflowID, namespace: context.info.namespace,
                timeRemaining: context.timeRemaining)
            async let _ = ActivityPulse.beat(context)  // ends with the scope
            return try await body(input, scope)
        }
    }
}
