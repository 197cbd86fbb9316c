/// Judges a candidate by fixed limits (families.md 3).
///
/// Zero errors in n requests only show a rate below 3/n (the rule of three, 95 %), so a window with fewer requests than
/// `samplesMin` says nothing.
public struct ThresholdJudge: Hashable, Sendable, Codable {
    public var errorRateMax: Double
    /// How much slower than the stable version: 0.10 is ten percent.
    public var latencyIncreaseMax: Double
    public var samplesMin: Int

    /// Beyond this multiple of a limit one check is enough.
    public static let abortFactor = 5.0
    /// Spending the error budget this fast, over a long and a short window, is an emergency (SRE workbook, multiwindow alerts).
    public static let burnRateMax = 14.4

    public init(errorRateMax: Double = 0.001, latencyIncreaseMax: Double = 0.10, samplesMin: Int = 3000) {
        self.errorRateMax = errorRateMax
        self.latencyIncreaseMax = latencyIncreaseMax
        self.samplesMin = samplesMin
    }

    public func judge(_ measured: Measurement) -> Verdict {
        if measured.hasCriticalAlert { return .abort(reason: "a critical alert is firing") }
        if let long = measured.longErrorRate, let short = measured.shortErrorRate {
            let limit = self.errorRateMax * Self.burnRateMax
            if long > limit, short > limit {
                return .abort(reason: "burn rate over \(Self.burnRateMax) in both windows")
            }
        }
        guard let errors = measured.candidate.errorRate else {
            return .inconclusive(reason: "the candidate had no requests")
        }
        guard measured.candidate.requests >= self.samplesMin else {
            return .inconclusive(
                reason: "\(measured.candidate.requests) requests of the candidate, \(self.samplesMin) are needed")
        }
        if errors > self.errorRateMax {
            let reason = "error_rate \(Self.text(errors)) > \(Self.text(self.errorRateMax))"
            return errors > self.errorRateMax * Self.abortFactor ? .abort(reason: reason) : .fail(reason: reason)
        }
        return self.judgeLatency(measured)
    }

    private func judgeLatency(_ measured: Measurement) -> Verdict {
        guard let stable = measured.stable.latency, let candidate = measured.candidate.latency, stable > 0 else {
            return .inconclusive(reason: "no latency to compare with")
        }
        let increase = candidate / stable - 1
        guard increase > self.latencyIncreaseMax else { return .pass }
        let reason = "latency_increase \(Self.text(increase)) > \(Self.text(self.latencyIncreaseMax))"
        return increase > self.latencyIncreaseMax * Self.abortFactor ? .abort(reason: reason) : .fail(reason: reason)
    }

    /// Up to four significant decimals without an exponent.
    static func text(_ value: Double) -> String {
        let scaled = (value * 10_000).rounded() / 10_000
        return "\(scaled)"
    }
}
