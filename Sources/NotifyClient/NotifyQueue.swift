import Foundation

/// The queue as a value: what waits, in which order it leaves, and what goes when there is no room. Does no I/O.
struct NotifyQueue {
    struct Item: Hashable {
        var id: NotifyID
        var message: NotifyMessage
        var number: Int
        var isStored: Bool
        var isUnderWay = false
    }

    /// What an offer led to.
    enum Offer: Hashable {
        case taken
        /// Taken in place of an older, less urgent one.
        case replaced(NotifyID)
        case refused
    }

    let capacity: Int
    private(set) var items: [NotifyID: Item] = [:]
    /// By priority, oldest first; ids of messages that have left stay until they come to the front.
    private var lines: [[NotifyID]] = [[], [], []]
    private var heads = [0, 0, 0]
    private var nextNumber = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { self.items.count }
    var storedCount: Int { self.items.values.count(where: \.isStored) }

    mutating func offer(_ message: NotifyMessage, id: NotifyID, isStored: Bool = false) -> Offer {
        guard self.items[id] == nil else { return .taken }
        var offer = Offer.taken
        if self.items.count >= self.capacity {
            guard let victim = self.leastUrgent(below: message.priority) else { return .refused }
            self.items[victim] = nil
            offer = .replaced(victim)
        }
        self.items[id] = Item(id: id, message: message, number: self.nextNumber, isStored: isStored)
        self.nextNumber += 1
        self.lines[message.priority.rawValue].append(id)
        return offer
    }

    /// The oldest of the least urgent ones that nobody is handing over right now.
    private func leastUrgent(below priority: NotifyPriority) -> NotifyID? {
        for line in 0..<priority.rawValue {
            for id in self.lines[line][self.heads[line]...] {
                if let item = self.items[id], !item.isUnderWay { return id }
            }
        }
        return nil
    }

    /// The most urgent, oldest message on the disk that nobody is handing over.
    mutating func next() -> Item? {
        for line in stride(from: 2, through: 0, by: -1) {
            self.trim(line)
            for id in self.lines[line][self.heads[line]...] {
                guard let item = self.items[id], item.isStored, !item.isUnderWay else { continue }
                self.items[id]?.isUnderWay = true
                return item
            }
        }
        return nil
    }

    private mutating func trim(_ line: Int) {
        while self.heads[line] < self.lines[line].count, self.items[self.lines[line][self.heads[line]]] == nil {
            self.heads[line] += 1
        }
        if self.heads[line] > 1000, self.heads[line] * 2 > self.lines[line].count {
            self.lines[line].removeFirst(self.heads[line])
            self.heads[line] = 0
        }
    }

    mutating func markStored(_ ids: [NotifyID]) { for id in ids { self.items[id]?.isStored = true } }
    mutating func putBack(_ id: NotifyID) { self.items[id]?.isUnderWay = false }
    mutating func remove(_ id: NotifyID) { self.items[id] = nil }

    /// In the order in which they came.
    var all: [Item] { self.items.values.sorted { $0.number < $1.number } }
}
