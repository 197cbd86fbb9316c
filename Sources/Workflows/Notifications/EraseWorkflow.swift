public import Activities
public import Worker

/// Makes everything about one subject unreadable: its keys are destroyed, its rows cleared. Its id is `erase:{tenant}:{subject}`.
public final class EraseWorkflow: WorkflowDefinition {
    public static let name = "ntf.Erase"

    public init() {}

    public func run(_ input: EraseInput, _ context: WorkflowContext) async throws -> Erased {
        // Once begun it goes to its end: half erased is not erased.
        try await context.shielded {
            try await context.executeActivity(
                "EraseSubject", input,
                options: ActivityOptions(
                    startToCloseTimeout: .seconds(60),
                    retryPolicy: RetryPolicy(
                        initialInterval: .milliseconds(100), backoffCoefficient: 2, maximumInterval: .seconds(60))),
                returning: Erased.self)
        }
    }
}
