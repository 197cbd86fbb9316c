/// Brings the results of many metrics to one score: groups count by their weights.
public struct Scorecard: Hashable, Sendable, Codable {
    public struct Entry: Hashable, Sendable, Codable {
        public var metric: String
        public var group: String
        public var result: MetricJudge.Result
        /// Failing alone it brings the score to 0.
        public var isCritical: Bool

        public init(metric: String, group: String, result: MetricJudge.Result, isCritical: Bool = false) {
            self.metric = metric
            self.group = group
            self.result = result
            self.isCritical = isCritical
        }
    }

    public enum Mark: String, Hashable, Sendable, Codable { case pass, marginal, fail }

    public static let passMark = 95.0
    public static let marginalMark = 75.0

    public var entries: [Entry]
    /// Groups that are not named count equally among what is left of 100.
    public var weights: [String: Double]

    public init(entries: [Entry], weights: [String: Double] = [:]) {
        self.entries = entries
        self.weights = weights
    }

    /// From 0 to 100.
    public var score: Double {
        let isCriticalDown = self.entries.contains { $0.isCritical && ($0.result == .high || $0.result == .low) }
        let blind = self.entries.count { $0.result == .noData }
        guard !isCriticalDown, !self.entries.isEmpty, blind * 2 < self.entries.count else { return 0 }
        let groups = Set(self.entries.map(\.group)).sorted()
        let named = groups.compactMap { self.weights[$0] }.reduce(0, +)
        let unnamed = groups.count { self.weights[$0] == nil }
        let rest = unnamed > 0 ? max(0, 100 - named) / Double(unnamed) : 0
        var (sum, total) = (0.0, 0.0)
        for group in groups {
            let seen = self.entries.filter { $0.group == group && $0.result != .noData }
            guard !seen.isEmpty else { continue }
            let weight = self.weights[group] ?? rest
            sum += weight * 100 * Double(seen.count { $0.result == .pass }) / Double(seen.count)
            total += weight
        }
        return total > 0 ? sum / total : 0
    }

    public var mark: Mark {
        let score = self.score
        return score >= Self.passMark ? .pass : score >= Self.marginalMark ? .marginal : .fail
    }

    /// The metrics that speak against the candidate, for a reason somebody reads.
    public var against: [String] { self.entries.filter { $0.result == .high || $0.result == .low }.map(\.metric) }
}
