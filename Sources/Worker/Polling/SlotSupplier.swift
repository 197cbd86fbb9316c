/// Who asks for a slot.
public struct SlotRequest: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case workflow
        case activity
        case localActivity
    }
    public var kind: Kind
    public var taskQueue: String
    /// A workflow task of the worker's own sticky queue, which continues a run in memory.
    public var isSticky: Bool

    public init(kind: Kind, taskQueue: String, isSticky: Bool = false) {
        self.kind = kind
        self.taskQueue = taskQueue
        self.isSticky = isSticky
    }
}

/// Decides how much a worker does at the same time: a task is asked for only when a slot was reserved for it.
///
/// The library calls it from many tasks at once. Every reservation is released exactly once, with the same request, when its
/// task has ended or none came. A supplier may serve several kinds and several workers.
public protocol SlotSupplier: Sendable {
    /// Waits until a slot may be used.
    /// - Returns: False when the calling task was cancelled; then there is nothing to release.
    func reserve(_ request: SlotRequest) async -> Bool

    /// Takes a slot if one may be used now, for a task that comes along with an answer.
    func tryReserve(_ request: SlotRequest) -> Bool

    /// A task has come without a reservation and is run all the same; ``release(_:)`` follows for it too.
    func overdraw(_ request: SlotRequest)

    /// The slot is free again.
    func release(_ request: SlotRequest)

    /// How it is called in the worker's status, for example `Fixed`.
    var kind: String { get }

    /// How many slots could be used now; nil when nobody can say.
    var available: Int? { get }
}

extension SlotSupplier {
    public func overdraw(_ request: SlotRequest) {}
    public var available: Int? { nil }
}

/// A fixed number of slots.
public struct FixedSlots: SlotSupplier {
    private let pool: SlotPool

    /// - Parameter size: At least 1.
    public init(_ size: Int) { pool = SlotPool(size: max(1, size)) }

    public func reserve(_ request: SlotRequest) async -> Bool { await pool.acquire() }
    public func tryReserve(_ request: SlotRequest) -> Bool { pool.take(upTo: 1) == 1 }
    public func overdraw(_ request: SlotRequest) { pool.overdraw(1) }
    public func release(_ request: SlotRequest) { pool.release() }
    public var kind: String { "Fixed" }
    public var available: Int? { max(0, pool.free) }
}
