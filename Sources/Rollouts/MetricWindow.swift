/// What was measured of one version over one window.
public struct MetricWindow: Hashable, Sendable, Codable {
    public var requests: Int
    public var errors: Int
    /// The latency at the rollout's quantile, in seconds; nil without requests.
    public var latency: Double?

    public init(requests: Int, errors: Int, latency: Double?) {
        self.requests = requests
        self.errors = errors
        self.latency = latency
    }

    /// Errors for each request. A window with requests and no errors has the rate 0; one without requests has none.
    public var errorRate: Double? { self.requests > 0 ? Double(self.errors) / Double(self.requests) : nil }
}

/// Stable and candidate over the same window, and what monitoring says of the service meanwhile.
public struct Measurement: Hashable, Sendable, Codable {
    public var stable: MetricWindow
    public var candidate: MetricWindow
    /// A critical alert of the service is firing.
    public var hasCriticalAlert: Bool
    /// The candidate's error rates over the last hour and the last five minutes, where they are known.
    public var longErrorRate: Double?
    public var shortErrorRate: Double?

    public init(
        stable: MetricWindow, candidate: MetricWindow, hasCriticalAlert: Bool = false, longErrorRate: Double? = nil,
        shortErrorRate: Double? = nil
    ) {
        self.stable = stable
        self.candidate = candidate
        self.hasCriticalAlert = hasCriticalAlert
        self.longErrorRate = longErrorRate
        self.shortErrorRate = shortErrorRate
    }
}
