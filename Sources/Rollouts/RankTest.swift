import Glibc

/// Mann and Whitney's rank test for two samples, in the normal approximation with the corrections for ties and continuity.
///
/// Mann, Whitney: On a Test of Whether One of Two Random Variables is Stochastically Larger than the Other (1947).
public enum RankTest {
    /// The probability of a first sample this much greater, if both came from one distribution; nil when all values are equal.
    public static func greater(_ first: [Double], than second: [Double]) -> Double? {
        let (n, m) = (first.count, second.count)
        guard n > 0, m > 0 else { return nil }
        let (rankSum, ties) = Self.ranks(first, second)
        let u = rankSum - Double(n) * Double(n + 1) / 2
        let total = Double(n + m)
        let mean = Double(n) * Double(m) / 2
        let variance = Double(n) * Double(m) / 12 * (total + 1 - ties / (total * (total - 1)))
        guard variance > 0 else { return nil }
        let z = (u - mean - 0.5) / variance.squareRoot()
        return erfc(z / 2.0.squareRoot()) / 2
    }

    /// The sum of the first sample's ranks among all, and the sum of t³ − t over groups of equal values.
    private static func ranks(_ first: [Double], _ second: [Double]) -> (sum: Double, ties: Double) {
        var all = first.map { (value: $0, isFirst: true) } + second.map { (value: $0, isFirst: false) }
        all.sort { $0.value < $1.value }
        var (sum, ties) = (0.0, 0.0)
        var start = 0
        while start < all.count {
            var end = start + 1
            while end < all.count, all[end].value == all[start].value { end += 1 }
            let rank = Double(start + 1 + end) / 2
            sum += rank * Double(all[start..<end].count { $0.isFirst })
            let size = Double(end - start)
            ties += size * size * size - size
            start = end
        }
        return (sum, ties)
    }

    /// Hodges and Lehmann's estimate of the shift: the median of all differences. 0 for an empty sample.
    public static func shift(of first: [Double], from second: [Double]) -> Double {
        var differences: [Double] = []
        differences.reserveCapacity(first.count * second.count)
        for a in first { for b in second { differences.append(a - b) } }
        return Self.median(&differences)
    }

    static func median(_ values: inout [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        values.sort()
        let middle = values.count / 2
        return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
    }
}
