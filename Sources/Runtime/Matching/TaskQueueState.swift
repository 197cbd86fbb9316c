import History

struct TaskQueueKey: Hashable, Sendable {
    var namespace: NamespaceID
    var name: TaskQueueName
    var kind: TaskKind
}

/// One task queue in memory: offers in order, parked pollers in order.
struct TaskQueueState {
    /// So many pollers are remembered for `describe`.
    static let pollersMax = 100
    /// A sticky queue without a poller for so long is as good as dead (protocol.md 2.5).
    static let stickyPatience = TimeSpan.seconds(10)
    /// A queue that nobody used for so long is forgotten.
    static let idleMax = TimeSpan.minutes(10)

    struct Poller {
        var ticket: ParkingLot<Delivery>.Ticket
        var instanceKey: String
    }

    private var ranks: [Fifo<TaskOffer>] = Array(repeating: Fifo(), count: 5)
    private var names: Set<TaskOfferName> = []
    private var undelivered: [PolledActivityTask] = []
    var parked: [Poller] = []
    /// Polls that wait for their moment under a rate limit.
    var resting: [Poller] = []
    private(set) var rates = TaskRates()
    private(set) var limit: TaskRateLimit?
    private(set) var pollers: [String: Timestamp] = [:]
    private(set) var lastPoll: Timestamp?
    private(set) var lastUse: Timestamp
    private var isDead = false
    /// Offers were dropped for want of room.
    private(set) var hasSpilled = false

    init(now: Timestamp) { lastUse = now }

    var count: Int { names.count + undelivered.count }

    /// Does anybody poll it? Only asked of sticky queues.
    func isAlive(at now: Timestamp) -> Bool {
        if isDead { return false }
        if !parked.isEmpty { return true }
        guard let lastPoll else { return false }
        return now.since(lastPoll) < Self.stickyPatience
    }

    func isForgettable(at now: Timestamp) -> Bool {
        parked.isEmpty && resting.isEmpty && count == 0 && !hasSpilled && Self.idleMax < now.since(lastUse)
    }

    mutating func polled(by identity: String, at now: Timestamp) {
        lastPoll = now
        lastUse = now
        isDead = false
        if pollers[identity] == nil, pollers.count >= Self.pollersMax,
            let oldest = pollers.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
        {
            pollers[oldest.key] = nil
        }
        pollers[identity] = now
    }

    /// A poll of this queue just ended: until then somebody was there.
    mutating func pollEnded(at now: Timestamp) {
        lastPoll = max(lastPoll ?? now, now)
        lastUse = now
    }

    /// Puts an offer in line, unless it waits there already or there is no room.
    mutating func insert(_ offer: TaskOffer, most: Int) {
        lastUse = max(lastUse, offer.offeredAt)
        guard names.count < most else {
            hasSpilled = true
            return
        }
        guard names.insert(offer.name).inserted else { return }
        rates.added(at: offer.offeredAt)
        ranks[offer.rank].append(offer)
    }

    /// An offer that goes to a waiting poller without standing in line.
    mutating func passed(at now: Timestamp) {
        rates.added(at: now)
        rates.dispatched(at: now)
    }

    mutating func dispatched(at now: Timestamp) { rates.dispatched(at: now) }

    /// When a poll may have a task, if its worker wants at most `rate` of them in a second; nil: not before its deadline.
    mutating func reserve(_ rate: Double, at now: Timestamp, deadline: Timestamp) -> Timestamp? {
        var limit = self.limit ?? TaskRateLimit(perSecond: rate)
        defer { self.limit = limit }
        return limit.reserve(rate, at: now, deadline: deadline)
    }

    /// What waits, by priority: how many, and when the oldest of them came.
    var waiting: [(priority: Int32, count: Int, oldest: Timestamp?)] {
        ranks.indices.map { (Int32($0) + 1, ranks[$0].count, ranks[$0].first?.offeredAt) }
    }

    mutating func putBack(_ offer: TaskOffer) {
        guard names.insert(offer.name).inserted else { return }
        ranks[offer.rank].prepend(offer)
    }

    mutating func insert(undelivered task: PolledActivityTask) { undelivered.append(task) }

    mutating func takeFirst() -> Delivery? {
        if !undelivered.isEmpty { return .startedActivity(undelivered.removeFirst()) }
        for rank in ranks.indices {
            guard let offer = ranks[rank].popFirst() else { continue }
            names.remove(offer.name)
            return .offer(offer)
        }
        return nil
    }

    /// Ends the queue and hands out what waited in it.
    mutating func die() -> [TaskOffer] {
        isDead = true
        var left: [TaskOffer] = []
        for rank in ranks.indices {
            while let offer = ranks[rank].popFirst() { left.append(offer) }
        }
        names = []
        return left
    }

    /// The queue has drained after a spill: look for the dropped offers in what is stored.
    mutating func takeSpill() -> Bool {
        guard hasSpilled, names.isEmpty else { return false }
        hasSpilled = false
        return true
    }

    /// When the oldest of its offers came.
    var oldest: Timestamp? { ranks.compactMap { $0.first?.offeredAt }.min() }
}

/// A first-in first-out line.
struct Fifo<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var first: Element? { head < elements.count ? elements[head] : nil }
    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }

    var all: [Element] { elements[head...].compactMap { $0 } }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            elements[head] = element
        } else {
            elements.insert(element, at: 0)
        }
    }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.capacity <= 1024)
            head = 0
        } else if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
