import Foundation

/// The durable waits and limits of a notification. `AcceptNotification` answers the worker's and the tenant's policy, so that a run
/// keeps the one it began with.
public struct NotificationPolicy: Codable, Hashable, Sendable {
    /// So many messages in a sliding window.
    public struct Cap: Codable, Hashable, Sendable {
        public var count: Int
        public var seconds: Double

        public init(count: Int, seconds: Double) {
            self.count = count
            self.seconds = seconds
        }
    }

    public var retries = RetryPolicyTable()
    /// By category's name; a category that is not here has none.
    public var caps = [Category.marketing.rawValue: Cap(count: 3, seconds: 24 * 3600)]
    /// How long a receipt is waited for, by channel's name; nothing: not at all.
    public var receiptSeconds: [String: Double] = [
        Channel.sms.rawValue: 24 * 3600.0, Channel.email.rawValue: 72 * 3600.0,
    ]
    /// How long tries that do not count (an open breaker, no token) may go on for one channel.
    public var throttledSecondsMax = 3600.0
    /// Undetermined bounces of an address before it is suppressed.
    public var undeterminedBouncesMax = 3
    /// How long a provider that fails is left alone, and how long its traffic takes to come back.
    public var breakerOpenSeconds = 30.0
    public var breakerRampSeconds = 20.0
    /// How long a send waits for a token before it gives way.
    public var tokenSecondsMax = 20.0

    public init() {}

    /// Reads what is given; the rest keeps its default.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ target: inout Value) throws {
            if let value = try values.decodeIfPresent(Value.self, forKey: key) { target = value }
        }
        try read(.retries, &self.retries)
        try read(.caps, &self.caps)
        try read(.receiptSeconds, &self.receiptSeconds)
        try read(.throttledSecondsMax, &self.throttledSecondsMax)
        try read(.undeterminedBouncesMax, &self.undeterminedBouncesMax)
        try read(.breakerOpenSeconds, &self.breakerOpenSeconds)
        try read(.breakerRampSeconds, &self.breakerRampSeconds)
        try read(.tokenSecondsMax, &self.tokenSecondsMax)
    }

    /// The policy in the variable `ALOFT_NTF_POLICY` (a JSON object with the names above), or the default.
    ///
    /// - Throws: `DecodingError` for a text that is no such object.
    public static func configured() throws -> NotificationPolicy {
        guard let text = ProcessInfo.processInfo.environment["ALOFT_NTF_POLICY"] else { return NotificationPolicy() }
        return try JSONDecoder().decode(NotificationPolicy.self, from: Data(text.utf8))
    }

    var breaker: CircuitBreaker.Settings {
        var settings = CircuitBreaker.Settings()
        settings.openFor = .milliseconds(Int64(self.breakerOpenSeconds * 1000))
        settings.rampFor = .milliseconds(Int64(self.breakerRampSeconds * 1000))
        return settings
    }
}

/// How often and after what pauses a channel is tried: the specification's retry table as data.
public struct RetryPolicyTable: Codable, Hashable, Sendable {
    public struct Row: Codable, Hashable, Sendable {
        public var baseSeconds: Double
        public var factor: Double
        public var capSeconds: Double
        /// The pause varies by this share, both ways.
        public var jitter: Double
        /// Tries after the first, by class; a class that is not here has none.
        public var retries: [String: Int]
        /// Tries after the first by code, where it differs from its class.
        public var retriesByCode: [String: Int]
        /// With a limit in time the count of tries does not matter.
        public var withinSeconds: Double?

        public init(
            baseSeconds: Double = 30, factor: Double = 2, capSeconds: Double = 4 * 3600, jitter: Double = 0.1,
            retries: [String: Int], retriesByCode: [String: Int] = [:], withinSeconds: Double? = nil
        ) {
            self.baseSeconds = baseSeconds
            self.factor = factor
            self.capSeconds = capSeconds
            self.jitter = jitter
            self.retries = retries
            self.retriesByCode = retriesByCode
            self.withinSeconds = withinSeconds
        }

        /// Whether another try is due after `failures` tries that failed, the last one so.
        public func allows(after failures: Int, _ last: SendOutcome, elapsed: Double) -> Bool {
            switch last.outcome {
            case .accepted, .permanent, .invalid:
                return failures <= self.retriesByCode[last.code] ?? 0
            case .transient, .throttled, .ambiguous:
                if let withinSeconds, last.outcome != .ambiguous { return elapsed < withinSeconds }
                return failures <= self.retriesByCode[last.code] ?? self.retries[last.outcome.rawValue] ?? 0
            }
        }

        /// The pause after `failures` tries that failed; `share` in 0..<1 places it within the jitter.
        public func pause(after failures: Int, share: Double) -> Double {
            var bound = self.baseSeconds
            for _ in 1..<max(1, min(failures, 64)) where bound < self.capSeconds { bound *= self.factor }
            return min(bound, self.capSeconds) * (1 + self.jitter * (2 * share - 1))
        }
    }

    /// By channel's name.
    public var rows: [String: Row]

    public init() {
        self.rows = [
            Channel.email.rawValue: RetryPolicyTable.relay,
            Channel.sms.rawValue: Row(
                retries: ["Transient": 2, "Throttled": 2, "Ambiguous": 2], retriesByCode: ["30003": 1]),
            Channel.wechat.rawValue: Row(retries: ["Transient": 3, "Throttled": 3, "Ambiguous": 3]),
        ]
    }

    public subscript(channel: Channel) -> Row {
        get { self.rows[channel.rawValue] ?? Row(retries: [:]) }
        set { self.rows[channel.rawValue] = newValue }
    }

    /// Mail by a smart host: three retries.
    public static let relay = Row(retries: ["Transient": 3, "Throttled": 3, "Ambiguous": 1])
    /// Mail straight to the recipient's exchanger: half an hour between tries, for three days.
    public static let direct = Row(
        baseSeconds: 30 * 60, retries: ["Ambiguous": 1], withinSeconds: 72 * 3600)
}
