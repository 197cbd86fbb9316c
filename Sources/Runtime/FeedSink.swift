/// Where committed events go for the feed. Calls come after the commit, in commit order per lane, and must not block.
public protocol FeedSink: Sendable {
    /// The node now writes this lane; what is stored up to its last sequence may not be on the stream yet.
    func laneAcquired(_ lease: LaneLease)
    /// The node writes this lane no longer; stop publishing it.
    func laneLost(_ lane: Int16)
    /// Entries that were just committed, so that they need not be read from the store.
    func committed(_ entries: [OutboxEntry])
}
