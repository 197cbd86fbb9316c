/// The workflows of a worker, by type; of two with the same name the later one counts.
struct WorkflowTypes: Sendable {
    private let named: [String: RegisteredWorkflow]
    private let dynamic: RegisteredWorkflow?

    init(_ workflows: [RegisteredWorkflow]) {
        named = Dictionary(workflows.filter { !$0.isDynamic }.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        dynamic = workflows.last { $0.isDynamic }
    }

    func workflow(ofType type: String) -> RegisteredWorkflow? { named[type] ?? dynamic }

    /// As the wire has it.
    func versioning(ofType type: String) -> Int { workflow(ofType: type)?.versioning.rawValue ?? 0 }
}

/// What becomes of an open run when a new version of the worker is deployed.
public enum VersioningBehavior: Int, Hashable, Sendable {
    /// Whatever the worker's options say.
    case unspecified = 0
    /// It stays with the version that began it.
    case pinned = 1
    /// It moves on to the new version.
    case autoUpgrade = 2
}
