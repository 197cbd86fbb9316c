import History

/// Something that has to happen by itself at a moment.
protocol Deadlined {
    var deadline: Timestamp? { get }
}

/// Pending things in the order of the events that began them.
///
/// Beginnings come in rising order, so adding is cheap; an end leaves a hole that is closed when half of the table is
/// holes. Deadlines stand apart in one flat array: finding the next one never touches the values.
/// While tracking, every change can be taken back at once (``rollBack(_:)``).
struct EventTable<Value: Hashable & Sendable & Deadlined>: Hashable, Sendable {
    private struct Change: Sendable {
        let key: EventID
        let before: Value?
    }

    private var keys: [EventID] = []
    private var values: [Value?] = []
    private var deadlines: [Timestamp] = []
    private(set) var count = 0
    private var changes: [Change] = []
    private var isTracking = false

    var isEmpty: Bool { count == 0 }

    /// The values that are present, in order.
    var all: [Value] { values.compactMap { $0 } }

    /// The earliest deadline of all, `nil` without any.
    var deadline: Timestamp? {
        var earliest = Timestamp.distantFuture
        for moment in deadlines where moment < earliest { earliest = moment }
        return earliest == .distantFuture ? nil : earliest
    }

    /// Everything whose deadline is at or before `now`, in order of deadline and then of event.
    func due(at now: Timestamp) -> [(at: Timestamp, key: EventID)] {
        var found: [(at: Timestamp, key: EventID)] = []
        for index in deadlines.indices where deadlines[index] <= now && deadlines[index] != .distantFuture {
            found.append((deadlines[index], keys[index]))
        }
        found.sort { ($0.at, $0.key) < ($1.at, $1.key) }
        return found
    }

    subscript(key: EventID) -> Value? {
        guard let index = self.index(of: key) else { return nil }
        return values[index]
    }

    /// Puts `value` in; `key` is normally above every key so far.
    mutating func insert(_ value: Value, for key: EventID) {
        note(key)
        set(value, for: key)
    }

    /// Changes the value of `key` in place; nothing happens when there is none.
    mutating func update(_ key: EventID, _ change: (inout Value) -> Void) {
        guard let index = index(of: key), values[index] != nil else { return }
        note(key)
        change(&values[index]!)
        deadlines[index] = values[index]!.deadline ?? .distantFuture
    }

    @discardableResult
    mutating func remove(_ key: EventID) -> Value? {
        guard let index = index(of: key), let value = values[index] else { return nil }
        note(key)
        clear(at: index)
        return value
    }

    mutating func removeAll() {
        // A completion may be refused after the command that closed the run.
        if isTracking { for key in keys where self[key] != nil { note(key) } }
        keys = []
        values = []
        deadlines = []
        count = 0
    }

    /// From now on changes are remembered, until ``keepChanges()`` or ``rollBack(_:)``.
    mutating func trackChanges() { isTracking = true }

    mutating func keepChanges() {
        isTracking = false
        changes = []
    }

    /// Takes back every change since ``trackChanges()``, last first; `each` hears what was there and what is there again.
    mutating func rollBack(_ each: (_ key: EventID, _ taken: Value?, _ restored: Value?) -> Void) {
        isTracking = false
        let undone = changes
        changes = []
        for change in undone.reversed() {
            each(change.key, self[change.key], change.before)
            if let before = change.before {
                set(before, for: change.key)
            } else if let index = index(of: change.key), values[index] != nil {
                clear(at: index)
            }
        }
    }

    private mutating func note(_ key: EventID) {
        if isTracking { changes.append(Change(key: key, before: self[key])) }
    }

    private mutating func set(_ value: Value, for key: EventID) {
        let moment = value.deadline ?? .distantFuture
        let place = position(of: key)
        if place < keys.count, keys[place] == key {
            if values[place] == nil { count += 1 }
            values[place] = value
            deadlines[place] = moment
            return
        }
        keys.insert(key, at: place)
        values.insert(value, at: place)
        deadlines.insert(moment, at: place)
        count += 1
    }

    private mutating func clear(at index: Int) {
        values[index] = nil
        deadlines[index] = .distantFuture
        count -= 1
        if keys.count >= 16, count * 2 < keys.count { closeHoles() }
    }

    private mutating func closeHoles() {
        var keep = 0
        for index in keys.indices where values[index] != nil {
            if keep != index {
                keys[keep] = keys[index]
                values.swapAt(keep, index)
                deadlines[keep] = deadlines[index]
            }
            keep += 1
        }
        keys.removeLast(keys.count - keep)
        values.removeLast(values.count - keep)
        deadlines.removeLast(deadlines.count - keep)
    }

    /// The index of `key`, or where it would go.
    private func position(of key: EventID) -> Int {
        guard let last = keys.last, key <= last else { return keys.count }
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func index(of key: EventID) -> Int? {
        let place = position(of: key)
        return place < keys.count && keys[place] == key ? place : nil
    }

    static func == (left: EventTable, right: EventTable) -> Bool {
        left.count == right.count && left.all == right.all
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(count)
    }
}
