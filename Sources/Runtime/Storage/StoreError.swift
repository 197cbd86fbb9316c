public import History

/// The world failed. Says whether a retry is safe and whether the commit may have happened.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The store cannot be reached; nothing was changed.
    case unavailable(String)
    /// The connection broke after the commit was sent: it may or may not have happened. Reload before deciding anything.
    case outcomeUnknown(String)
    /// Another writer owns or changed these runs; nothing was changed.
    case conflict([RunKey])
    /// Another workflow with this id was started, or a request key was claimed, by somebody else; nothing was changed.
    case alreadyExists([RunKey])
    /// This node does not own the slot any more; nothing was changed.
    case notOwner(slots: [Int16])
    /// The outbox of these lanes is further than the batch says: a commit that was believed lost happened after all. Nothing was
    /// changed; a renewed lease says how far the lane got.
    case outOfStep(lanes: [Int16])
    /// The stored data contradict themselves or the schema.
    case corrupt(String)
    case closed

    public var description: String {
        switch self {
        case .unavailable(let why): "store unavailable: \(why)"
        case .outcomeUnknown(let why): "commit outcome unknown: \(why)"
        case .conflict(let keys): "conflicting writer on \(keys.count) run(s)"
        case .alreadyExists(let keys): "already exists: \(keys.count) key(s)"
        case .notOwner(let slots): "not the owner of \(slots.count) slot(s)"
        case .outOfStep(let lanes): "the outbox is further than known in \(lanes.count) lane(s)"
        case .corrupt(let why): "stored data are corrupt: \(why)"
        case .closed: "store closed"
        }
    }
}
