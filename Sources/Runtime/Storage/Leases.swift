public import History

/// A lane is a contiguous range of slots with one writer (``Slots/lane(of:laneCount:)``).
public struct LaneLease: Sendable, Hashable {
    public var lane: Int16
    /// Grows with every change of owner; a commit under an older epoch is refused.
    public var epoch: Int64
    public var expiresAt: Timestamp
    /// The last outbox sequence written in this lane.
    public var lastOutboxSequence: Int64
    public init(lane: Int16, epoch: Int64, expiresAt: Timestamp, lastOutboxSequence: Int64) {
        self.lane = lane
        self.epoch = epoch
        self.expiresAt = expiresAt
        self.lastOutboxSequence = lastOutboxSequence
    }
}

public protocol LeaseStore: Sendable {
    /// Takes lanes that are free or expired (by the database's clock), up to `limit`.
    func acquireLanes(node: String, address: String, limit: Int, seconds: Int) async throws(StoreError) -> [LaneLease]
    /// Extends what the node still owns; lanes missing from the answer are lost.
    func renewLanes(node: String, seconds: Int) async throws(StoreError) -> [LaneLease]
    func releaseLanes(node: String) async throws(StoreError)
    /// Which node owns each lane now (for forwarding and for `doctor`).
    func laneOwners() async throws(StoreError) -> [Int16: String]
    /// Where the owner of each lane is reached.
    func laneAddresses() async throws(StoreError) -> [Int16: String]
}
