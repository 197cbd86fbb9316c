public import Engine
public import History

/// Which schedule is meant.
public struct ScheduleKey: Hashable, Sendable, CustomStringConvertible {
    public var namespace: NamespaceID
    public var id: ScheduleID
    public init(namespace: NamespaceID, id: ScheduleID) {
        self.namespace = namespace
        self.id = id
    }

    public var description: String { id.value }

    /// A schedule lives in a slot like a run does: the one that this workflow id hashes to.
    public var slot: Int16 {
        Slots.slot(namespace: namespace, workflow: WorkflowID("temporal-sys-scheduler:\(id)"))
    }
}

public struct StoredSchedule: Sendable {
    public var key: ScheduleKey
    public var version: Int64
    public var snapshot: [UInt8]
    public init(key: ScheduleKey, version: Int64, snapshot: [UInt8]) {
        self.key = key
        self.version = version
        self.snapshot = snapshot
    }
}

/// One schedule's part of a commit.
public struct ScheduleWrite: Sendable {
    public var key: ScheduleKey
    public var slot: Int16
    /// nil: it is new. Otherwise the version it must still have; it becomes one more.
    public var expectedVersion: Int64?
    /// nil: it is deleted.
    public var snapshot: [UInt8]?
    public var createTime: Timestamp
    public var isPaused: Bool
    /// Zero = load me after a crash; a moment = when I act next; nil = nothing will happen by itself.
    public var wakeAt: Timestamp?

    public init(
        key: ScheduleKey, slot: Int16, expectedVersion: Int64?, snapshot: [UInt8]?, createTime: Timestamp,
        isPaused: Bool, wakeAt: Timestamp?
    ) {
        self.key = key
        self.slot = slot
        self.expectedVersion = expectedVersion
        self.snapshot = snapshot
        self.createTime = createTime
        self.isPaused = isPaused
        self.wakeAt = wakeAt
    }
}

/// Many schedules' changes, stored together or not at all. A schedule appears at most once.
public struct ScheduleBatch: Sendable {
    /// Every lane that a write belongs to, once, in order of the lanes.
    public var lanes: [LaneEpoch]
    public var writes: [ScheduleWrite]
    public init(lanes: [LaneEpoch], writes: [ScheduleWrite]) {
        self.lanes = lanes
        self.writes = writes
    }
}

public struct ScheduleWakeEntry: Sendable, Hashable {
    public var key: ScheduleKey
    public var slot: Int16
    public var wakeAt: Timestamp
    public init(key: ScheduleKey, slot: Int16, wakeAt: Timestamp) {
        self.key = key
        self.slot = slot
        self.wakeAt = wakeAt
    }
}

/// Schedules as they are stored; written under the leases of their lanes, like runs.
public protocol ScheduleStore: Sendable {
    /// - Throws: ``StoreError/notOwner(slots:)`` for a lost lease, ``StoreError/conflict(_:)`` (with no keys) when a version
    ///   is not the expected one, ``StoreError/alreadyExists(_:)`` (with no keys) when a new one is there already.
    func commitSchedules(_ batch: ScheduleBatch) async throws(StoreError)
    func loadSchedule(_ key: ScheduleKey) async throws(StoreError) -> StoredSchedule?
    /// Schedules of these slots whose `wake_at` is at most `until`, ordered by it, after `cursor`.
    func schedulesToWake(
        slots: ClosedRange<Int16>, until: Timestamp, after cursor: ScheduleWakeEntry?, limit: Int
    ) async throws(StoreError) -> [ScheduleWakeEntry]
    /// In order of their ids.
    func listSchedules(namespace: NamespaceID, after: ScheduleID?, limit: Int) async throws(StoreError)
        -> [StoredSchedule]
    func countSchedules(namespace: NamespaceID) async throws(StoreError) -> Int64
}
