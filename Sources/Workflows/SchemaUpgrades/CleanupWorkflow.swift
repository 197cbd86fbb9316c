public import Activities
public import Worker

/// Of which upgrade the leftovers are removed.
public struct CleanupInput: Codable, Hashable, Sendable {
    public var step: FleetStep

    public init(step: FleetStep) { self.step = step }
}

/// Waits until nobody needs an upgrade's old version and its backups any more, and removes them.
public final class CleanupWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "mig.Cleanup"

    /// How long the version before stays beside the new one.
    private static let versionRetention = Duration.seconds(24 * 3600)
    private static let backupRetention = Duration.seconds(7 * 24 * 3600)

    public init() {}

    public func run(_ input: CleanupInput, _ context: WorkflowContext) async throws -> NoValue {
        var rest = Self.backupRetention
        if input.step.request.strategy == .blueGreen {
            try await context.sleep(for: Self.versionRetention, summary: "version retention")
            rest -= Self.versionRetention
            let _: Done = try await context.perform(.retireVersions, input.step, budget: 0)
        }
        if input.step.request.backup {
            try await context.sleep(for: rest, summary: "backup retention")
            let _: Done = try await context.perform(.deleteBackups, input.step, budget: 0)
        }
        return NoValue()
    }
}
