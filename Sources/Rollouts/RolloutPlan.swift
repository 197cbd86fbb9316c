/// The weights a candidate goes through, in percent.
public struct RolloutPlan: Hashable, Sendable, Codable {
    public let weights: [Double]

    /// The router counts in 256ths: less cannot be told apart from nothing.
    public static let percentMin = 100.0 / 256
    public static let stepsMax = 100

    /// Why a plan is none.
    public struct Invalid: Error, Hashable, Sendable {
        public let field: String
        public let detail: String
    }

    /// Twice as much each time, up to everything.
    public static func doubling(from start: Double = 1) throws(Invalid) -> RolloutPlan {
        guard start >= Self.percentMin, start <= 100 else {
            throw Invalid(field: "start_percent", detail: "expected 0.4 to 100")
        }
        var weights = [start]
        while let last = weights.last, last < 100 { weights.append(min(last * 2, 100)) }
        return try RolloutPlan(weights)
    }

    /// - Parameter weights: growing; 100 is added when it is not the last.
    public init(_ weights: [Double]) throws(Invalid) {
        guard !weights.isEmpty, weights.count <= Self.stepsMax else {
            throw Invalid(field: "steps", detail: "expected 1 to \(Self.stepsMax) steps")
        }
        guard weights.allSatisfy({ $0 >= Self.percentMin && $0 <= 100 }) else {
            throw Invalid(field: "steps", detail: "expected percentages from 0.4 to 100")
        }
        guard zip(weights, weights.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw Invalid(field: "steps", detail: "each step must be greater than the one before")
        }
        self.weights = weights.last == 100 ? weights : weights + [100]
    }
}
