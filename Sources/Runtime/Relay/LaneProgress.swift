/// How far one lane is published, and what waits in memory. A value: the relay asks it what to send next.
///
/// Sequences run without gaps. Entries come from memory right after their commit; when memory is missing something (a restart, a
/// lost broker, a bound), `next` asks for the store instead.
struct LaneProgress: Sendable {
    enum Next: Equatable {
        case idle
        case fromMemory
        case fromStore(after: Int64)
    }

    /// Everything up to here is acknowledged by the stream.
    private(set) var published: Int64
    /// The highest sequence known to be committed.
    private(set) var committed: Int64
    private(set) var waiting: [OutboxEntry] = []
    private(set) var mark: RelayMark?

    /// Entries kept in memory; beyond it the lane falls back to reading the store.
    static let waitingMax = 8192

    init(published: Int64, committed: Int64, mark: RelayMark?) {
        self.published = published
        self.committed = max(committed, published)
        self.mark = mark
    }

    mutating func add(_ entry: OutboxEntry) {
        guard entry.sequence > committed else { return }
        let expected = (waiting.last?.sequence ?? published) + 1
        committed = entry.sequence
        if entry.sequence == expected, waiting.count < Self.waitingMax {
            waiting.append(entry)
        } else if waiting.count >= Self.waitingMax {
            waiting.removeAll()
        }
    }

    var next: Next {
        if let first = waiting.first, first.sequence == published + 1 { return .fromMemory }
        return published < committed ? .fromStore(after: published) : .idle
    }

    /// The front of what waits, in whole entries, until `budget` messages are reached (at least one entry).
    func batch(budget: Int) -> [OutboxEntry] {
        var taken: [OutboxEntry] = []
        var messages = 0
        for entry in waiting {
            if !taken.isEmpty, messages + entry.events.count > budget { break }
            taken.append(entry)
            messages += entry.events.count
        }
        return taken
    }

    mutating func acknowledged(through sequence: Int64, mark: RelayMark?) {
        published = max(published, sequence)
        committed = max(committed, published)
        if let mark { self.mark = mark }
        let done = waiting.prefix { $0.sequence <= published }.count
        if done > 0 { waiting.removeFirst(done) }
    }

    /// The stream lost its tail: publish again from `sequence` on.
    mutating func rewind(to sequence: Int64, mark: RelayMark?) {
        guard sequence < published else { return }
        published = sequence
        self.mark = mark
        waiting.removeAll()
    }

    /// The store has more than was known (a lane taken over, business events).
    mutating func learned(committed sequence: Int64) { committed = max(committed, sequence) }
}
