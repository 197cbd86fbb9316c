/// Judges one metric from samples over time: stable against candidate.
///
/// A difference counts when it is significant beyond a tolerance: the samples, moved together by a share of the estimated shift,
/// must still differ.
public struct MetricJudge: Hashable, Sendable, Codable {
    public enum Direction: String, Hashable, Sendable, Codable { case increase, decrease, either }
    /// What a missing sample means.
    public enum Missing: String, Hashable, Sendable, Codable {
        case remove
        /// It counts as 0: right for counters of errors.
        case replace
    }
    public enum Result: String, Hashable, Sendable, Codable {
        case pass, high, low
        case noData = "no_data"
    }

    public var direction: Direction
    public var missing: Missing
    public var removesOutliers: Bool
    public var confidence: Double
    /// A share of the shift's estimate.
    public var tolerance: Double
    /// A change of the mean smaller than this ratio is no change: 1.05 is five percent up, 0.95 five percent down.
    public var allowedIncrease: Double
    public var allowedDecrease: Double

    /// Beyond this multiple of the interquartile range a sample is an outlier.
    public static let outlierFactor = 3.0
    /// Samples of one version; the differences of all pairs are held at once.
    public static let samplesMax = 1000

    public init(
        direction: Direction, missing: Missing = .remove, removesOutliers: Bool = false, confidence: Double = 0.98,
        tolerance: Double = 0.25, allowedIncrease: Double = 1, allowedDecrease: Double = 1
    ) {
        self.direction = direction
        self.missing = missing
        self.removesOutliers = removesOutliers
        self.confidence = confidence
        self.tolerance = tolerance
        self.allowedIncrease = allowedIncrease
        self.allowedDecrease = allowedDecrease
    }

    public func judge(stable: [Double], candidate: [Double]) -> Result {
        let stable = self.cleaned(stable)
        let candidate = self.cleaned(candidate)
        guard !stable.isEmpty, !candidate.isEmpty else { return .noData }
        if stable == candidate || Set(stable).union(candidate).count == 1 { return .pass }
        let estimate = RankTest.shift(of: candidate, from: stable)
        let moved = self.tolerance * abs(estimate)
        let limit = (1 - self.confidence) / 2
        let ratio = Self.ratio(candidate, stable)
        if self.direction != .decrease, ratio >= self.allowedIncrease,
            let p = RankTest.greater(candidate.map { $0 - moved }, than: stable), p < limit
        {
            return .high
        }
        if self.direction != .increase, ratio <= self.allowedDecrease,
            let p = RankTest.greater(stable, than: candidate.map { $0 + moved }), p < limit
        {
            return .low
        }
        return .pass
    }

    private func cleaned(_ samples: [Double]) -> [Double] {
        var values = samples.suffix(Self.samplesMax).compactMap { value -> Double? in
            guard value.isNaN else { return value }
            return self.missing == .replace ? 0 : nil
        }
        if self.removesOutliers { values = Self.withoutOutliers(values) }
        return values
    }

    /// Without what lies farther than three interquartile ranges outside the quartiles.
    static func withoutOutliers(_ values: [Double]) -> [Double] {
        let sorted = values.sorted()
        guard sorted.count >= 4 else { return values }
        let (low, high) = (Self.quantile(sorted, 0.25), Self.quantile(sorted, 0.75))
        let reach = Self.outlierFactor * (high - low)
        return values.filter { $0 >= low - reach && $0 <= high + reach }
    }

    /// Linear between the two nearest ranks.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return sorted[index] }
        return sorted[index] + (place - Double(index)) * (sorted[index + 1] - sorted[index])
    }

    /// How the means compare; 1 when there is nothing to divide by, more than any limit when only the stable one is zero.
    private static func ratio(_ candidate: [Double], _ stable: [Double]) -> Double {
        let (above, below) = (
            candidate.reduce(0, +) / Double(candidate.count), stable.reduce(0, +) / Double(stable.count)
        )
        guard below != 0 else { return above == 0 ? 1 : above > 0 ? .infinity : -.infinity }
        return above / below
    }
}
