/// Where a rollout is, and what a check means for it: a value that the workflow folds verdicts into.
public struct RolloutCourse: Hashable, Sendable, Codable {
    public struct Limits: Hashable, Sendable, Codable {
        /// Failed checks that are borne; one more is the end.
        public var failures: Int
        /// Checks in a row that say nothing before a person is asked.
        public var inconclusive: Int
        /// Checks in a row without an answer of the metrics before a person is asked.
        public var blind: Int

        public init(failures: Int = 1, inconclusive: Int = 3, blind: Int = 3) {
            self.failures = failures
            self.inconclusive = inconclusive
            self.blind = blind
        }
    }

    public enum Move: Hashable, Sendable {
        /// On to this weight.
        case advance(to: Double)
        /// The last weight has passed: bake, then promote.
        case bake
        case hold(reason: String)
        /// The weight stays until a person says what to do.
        case pause(reason: String)
        case rollBack(reason: String)
    }

    public let plan: RolloutPlan
    public let limits: Limits
    public private(set) var step = 0
    public private(set) var failures = 0
    private var inconclusive = 0
    private var blind = 0

    public init(plan: RolloutPlan, limits: Limits = Limits()) {
        self.plan = plan
        self.limits = limits
    }

    public var weight: Double { self.plan.weights[self.step] }

    /// A check was judged.
    public mutating func take(_ verdict: Verdict) -> Move {
        self.blind = 0
        switch verdict {
        case .pass:
            self.inconclusive = 0
            guard self.step + 1 < self.plan.weights.count else { return .bake }
            self.step += 1
            return .advance(to: self.weight)
        case .fail(let reason):
            self.inconclusive = 0
            self.failures += 1
            return self.failures > self.limits.failures ? .rollBack(reason: reason) : .hold(reason: reason)
        case .inconclusive(let reason):
            self.inconclusive += 1
            return self.inconclusive >= self.limits.inconclusive ? .pause(reason: reason) : .hold(reason: reason)
        case .abort(let reason): return .rollBack(reason: reason)
        }
    }

    /// The metrics gave no answer: the weight never moves blind.
    public mutating func takeNothing(_ reason: String) -> Move {
        self.blind += 1
        return self.blind >= self.limits.blind ? .pause(reason: reason) : .hold(reason: reason)
    }

    /// A person lets a paused rollout go on from where it is.
    public mutating func resume() {
        self.inconclusive = 0
        self.blind = 0
    }
}
