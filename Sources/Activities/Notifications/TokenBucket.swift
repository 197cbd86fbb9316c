/// A token bucket as a value: so many tokens a second, and no more than a second's worth at once.
struct TokenBucket: Hashable, Sendable {
    private(set) var perSecond: Double
    private var tokens: Double
    private var last: Duration

    init(perSecond: Double, at now: Duration) {
        self.perSecond = max(perSecond, 0.001)
        self.tokens = max(1, self.perSecond)
        self.last = now
    }

    mutating func change(perSecond: Double, at now: Duration) {
        self.fill(at: now)
        self.perSecond = max(perSecond, 0.001)
        self.tokens = min(self.tokens, max(1, self.perSecond))
    }

    /// - Returns: nil when a token was taken, or how long until there is one.
    mutating func take(at now: Duration) -> Duration? {
        self.fill(at: now)
        guard self.tokens < 1 else {
            self.tokens -= 1
            return nil
        }
        return .seconds((1 - self.tokens) / self.perSecond)
    }

    private mutating func fill(at now: Duration) {
        guard now > self.last else { return }
        self.tokens = min(max(1, self.perSecond), self.tokens + (now - self.last) / .seconds(1) * self.perSecond)
        self.last = now
    }
}

/// Who waits for tokens, by priority: of fourteen tokens ten go to high, three to normal, one to low, while all of them wait.
struct PriorityLine: Hashable, Sendable {
    private var waiting: [Priority: [UInt64]] = [:]
    private var turn = 0

    private static let turns: [Priority] = [
        .high, .high, .high, .normal, .high, .high, .high, .normal, .high, .high, .low, .high, .high, .normal,
    ]

    var isEmpty: Bool { self.waiting.allSatisfy { $0.value.isEmpty } }

    mutating func add(_ id: UInt64, _ priority: Priority) { self.waiting[priority, default: []].append(id) }

    /// - Returns: whether it was still in the line.
    mutating func remove(_ id: UInt64) -> Bool {
        for priority in Priority.allCases {
            if let index = self.waiting[priority]?.firstIndex(of: id) {
                self.waiting[priority]?.remove(at: index)
                return true
            }
        }
        return false
    }

    /// Takes out who is next.
    mutating func next() -> UInt64? {
        for _ in Self.turns {
            let priority = Self.turns[self.turn]
            self.turn = (self.turn + 1) % Self.turns.count
            if let first = self.waiting[priority]?.first {
                self.waiting[priority]?.removeFirst()
                return first
            }
        }
        return nil
    }
}
