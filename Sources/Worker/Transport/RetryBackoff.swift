/// How long to wait before trying again: a bound that grows with every attempt, and a random wait below it.
///
/// "Full jitter": the wait is drawn evenly from zero to the bound, so that many workers that failed together do not come
/// back together.
public struct RetryBackoff: Hashable, Sendable {
    /// The bound after the first failed attempt.
    public var base: Duration
    /// By what the bound grows with every further attempt.
    public var factor: Double
    /// The largest bound.
    public var cap: Duration

    public init(base: Duration, factor: Double = 2, cap: Duration) {
        self.base = base
        self.factor = factor
        self.cap = cap
    }

    /// The longest wait after `attempt` failed attempts; attempts count from 1.
    public func bound(attempt: Int) -> Duration {
        let growth = powerOf(factor, max(0, attempt - 1))
        let seconds = min(base.inSeconds * growth, cap.inSeconds)
        return .seconds(seconds)
    }

    /// A random wait after `attempt` failed attempts.
    public func delay(attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let bound = self.bound(attempt: attempt)
        let nanoseconds = Int64(bound.inSeconds * 1e9)
        return nanoseconds > 0 ? .nanoseconds(Int64.random(in: 0...nanoseconds, using: &generator)) : .zero
    }

    /// A random wait after `attempt` failed attempts.
    public func delay(attempt: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(attempt: attempt, using: &generator)
    }

    /// A random wait between zero and `min(cap, base·2^(attempt − 1))`, for ``ApplicationFailure/nextRetryDelay``.
    public static func fullJitter(
        base: Duration, cap: Duration, attempt: Int, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        RetryBackoff(base: base, cap: cap).delay(attempt: attempt, using: &generator)
    }

    /// `base^exponent` for a small exponent; infinity is fine, as the cap follows.
    private func powerOf(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<min(exponent, Self.exponentMax) { result *= base }
        return result
    }

    /// Beyond this many doublings every cap is reached.
    private static let exponentMax = 256
}

extension Duration {
    /// The length in seconds, rounded to what a `Double` holds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
