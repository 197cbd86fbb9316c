/// Chooses one of several targets for a request. A value: whoever shares it between threads locks it.
public struct RoutePicker: Sendable {
    public enum Strategy: String, Hashable, Sendable, CaseIterable {
        case roundRobin = "round-robin"
        case random
        /// In proportion to the weights, spread evenly: each target collects its weight, the richest is chosen and pays the sum.
        case weighted
        case leastConnections = "least-connections"
        /// Round-robin over targets whose health is good and whose breaker is not open.
        case healthAware = "health-aware"
        /// The less busy of two chosen at random.
        case powerOfTwo = "power-of-two"
    }

    public struct Target: Hashable, Sendable {
        public var name: String
        public var weight: Int
        /// From 0 to 100.
        public var health: Double
        public var isBreakerOpen: Bool
        public var connections: Int

        public init(
            _ name: String, weight: Int = 1, health: Double = 100, isBreakerOpen: Bool = false, connections: Int = 0
        ) {
            self.name = name
            self.weight = weight
            self.health = health
            self.isBreakerOpen = isBreakerOpen
            self.connections = connections
        }
    }

    /// A target with this health or less is left out by ``Strategy/healthAware``.
    public static let healthMin = 50.0

    public let strategy: Strategy
    public var targets: [Target] {
        didSet {
            if self.targets.count != self.credits.count {
                self.credits = Array(repeating: 0, count: self.targets.count)
            }
        }
    }
    private var next = 0
    private var credits: [Int]

    public init(_ strategy: Strategy, targets: [Target]) {
        self.strategy = strategy
        self.targets = targets
        self.credits = Array(repeating: 0, count: targets.count)
    }

    /// The place of the chosen target; nil when there is none to choose. Costs one look at each target at most.
    public mutating func pick(using numbers: inout some RandomNumberGenerator) -> Int? {
        guard !self.targets.isEmpty else { return nil }
        switch self.strategy {
        case .roundRobin: return self.turn { _ in true }
        case .healthAware: return self.turn { $0.health > Self.healthMin && !$0.isBreakerOpen }
        case .random: return Int.random(in: self.targets.indices, using: &numbers)
        case .weighted: return self.richest()
        case .leastConnections:
            return self.targets.indices.min { self.targets[$0].connections < self.targets[$1].connections }
        case .powerOfTwo:
            let first = Int.random(in: self.targets.indices, using: &numbers)
            guard self.targets.count > 1 else { return first }
            var second = Int.random(in: 0..<(self.targets.count - 1), using: &numbers)
            if second >= first { second += 1 }
            return self.targets[second].connections < self.targets[first].connections ? second : first
        }
    }

    private mutating func turn(_ isGood: (Target) -> Bool) -> Int? {
        for offset in self.targets.indices {
            let index = (self.next + offset) % self.targets.count
            guard isGood(self.targets[index]) else { continue }
            self.next = index + 1
            return index
        }
        return nil
    }

    private mutating func richest() -> Int? {
        var (sum, best) = (0, Int?.none)
        for index in self.targets.indices where self.targets[index].weight > 0 {
            sum += self.targets[index].weight
            self.credits[index] += self.targets[index].weight
            if best.map({ self.credits[index] > self.credits[$0] }) ?? true { best = index }
        }
        guard let best else { return nil }
        self.credits[best] -= sum
        return best
    }
}
