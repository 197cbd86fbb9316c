public import History

/// A pending child as status pages show it.
public struct PendingChildDescription: Hashable, Sendable {
    public var workflowID: WorkflowID
    /// The first run of its chain; nil until it is started.
    public var run: RunID?
    public var workflowType: String
    public var initiatedEventID: EventID
    public var parentClosePolicy: ParentClosePolicy
}

extension Run {
    /// In the order in which they were asked for.
    public var pendingChildren: [PendingChildDescription] {
        children.table.all.filter { !$0.endIsBuffered }.map {
            PendingChildDescription(
                workflowID: $0.workflowID, run: $0.run ?? $0.bufferedRun, workflowType: $0.workflowType,
                initiatedEventID: $0.initiatedEventID, parentClosePolicy: $0.parentClosePolicy)
        }
    }

    /// Signals and cancel requests that other workflows have not answered.
    public var pendingExternalCount: Int { externals.table.count }
}
