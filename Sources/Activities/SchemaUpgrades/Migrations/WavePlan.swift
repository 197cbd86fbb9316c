/// One wave of a fleet, as it was asked for.
public struct WaveSpec: Codable, Hashable, Sendable {
    public var name: String
    /// Of all tenants, those of the waves before included.
    public var percent: Int
    /// At least so many tenants, where there are so many.
    public var min: Int
    /// How long the wave is watched before the next one begins.
    public var soakSeconds: Double

    public init(name: String, percent: Int, min: Int = 0, soakSeconds: Double) {
        self.name = name
        self.percent = percent
        self.min = min
        self.soakSeconds = soakSeconds
    }

    public static let standard = [
        WaveSpec(name: "canary", percent: 1, min: 1, soakSeconds: 600),
        WaveSpec(name: "early", percent: 10, soakSeconds: 1_800),
        WaveSpec(name: "rest", percent: 100, soakSeconds: 0),
    ]
}

/// How many tenants each wave takes.
public enum WavePlan {
    /// - Returns: one number a wave; their sum is `total`.
    public static func sizes(of waves: [WaveSpec], total: Int) -> [Int] {
        var taken = 0
        return waves.enumerated().map { index, wave in
            let isLast = index == waves.count - 1
            let goal = isLast ? total : (total * wave.percent + 99) / 100
            let size = Swift.max(0, Swift.min(total - taken, Swift.max(goal - taken, wave.min)))
            taken += size
            return size
        }
    }

    /// The wave of each place in the order of tenants.
    public static func assignment(of waves: [WaveSpec], total: Int) -> [Int] {
        self.sizes(of: waves, total: total).enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
    }
}
