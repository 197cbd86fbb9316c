/// How the traffic of one service is split between two versions.
public struct Split: Hashable, Sendable, Codable {
    /// Parts of the traffic, in the router's own units.
    public var stable: Int
    public var candidate: Int

    public init(stable: Int, candidate: Int) {
        self.stable = stable
        self.candidate = candidate
    }

    /// The split that gives the candidate this share. Whole percents are kept as they are; finer ones are 256ths, the least that
    /// HAProxy can tell apart.
    ///
    /// - Parameter percent: 0 to 100.
    public init(percent: Double) {
        if percent == percent.rounded() {
            self.init(stable: 100 - Int(percent), candidate: Int(percent))
        } else {
            let parts = min(max(Int((percent * 2.56).rounded()), 1), 256)
            self.init(stable: 256 - parts, candidate: parts)
        }
    }

    /// The candidate's share; 0 when nobody gets anything.
    public var percent: Double {
        let sum = self.stable + self.candidate
        return sum > 0 ? 100 * Double(self.candidate) / Double(sum) : 0
    }
}

/// A router whose split can be read and set while it runs. Setting is absolute, so that repeating it changes nothing.
public protocol TrafficSplitter: Sendable {
    /// - Throws: ``EffectFailure``: `permanent(code: "UnknownBackend")` when the router knows one of the servers not.
    func split() async throws(EffectFailure) -> Split
    func set(_ split: Split) async throws(EffectFailure)
}
