public import Activities
public import Worker

/// Of which upgrade the leftovers are removed.
public struct CleanupInput: Codable, Hashable, Sendable {
    public var step: FleetStep

    public init(step: FleetStep) { self.step = step }
}

/// Waits until nobody needs an upgrade's backups any more, and deletes them.
public final class CleanupWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "mig.Cleanup"

    private static let backupRetention = Duration.seconds(7 * 24 * 3600)

    public init() {}

    public func run(_ input: CleanupInput, _ context: WorkflowContext) async throws -> NoValue {
        if input.step.request.backup {
            try await context.sleep(for: Self.backupRetention, summary: "backup retention")
            let _: Done = try await context.perform(.deleteBackups, input.step, budget: 0)
        }
        return NoValue()
    }
}
