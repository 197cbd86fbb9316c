/// Event 55: options of an open run were changed, or a start that met it left something with it.
public struct WorkflowExecutionOptionsUpdated: Hashable, Sendable {
    public var versioningOverride: Blob?
    public var unsetVersioningOverride: Bool
    /// The request id of a start that was answered with this run.
    public var attachedRequestID: RequestID
    public var identity: String
    /// All of it, when any part changed.
    public var priority: Priority?
    /// What that start was linked to.
    public var links: [Blob]

    public init(
        versioningOverride: Blob? = nil, unsetVersioningOverride: Bool = false, attachedRequestID: RequestID = "",
        identity: String = "", priority: Priority? = nil, links: [Blob] = []
    ) {
        self.versioningOverride = versioningOverride
        self.unsetVersioningOverride = unsetVersioningOverride
        self.attachedRequestID = attachedRequestID
        self.identity = identity
        self.priority = priority
        self.links = links
    }
}
