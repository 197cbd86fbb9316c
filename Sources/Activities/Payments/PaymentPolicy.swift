import Foundation

/// The durable waits and limits of a payment. `CreatePayment` answers the worker's policy, so that a run keeps the one it began with.
public struct PaymentPolicy: Codable, Hashable, Sendable {
    /// How long after the last attempt a "there is no such intent" is believed.
    public var ambiguitySeconds = 30.0
    /// How long the cardholder may take with 3-D Secure.
    public var actionSeconds = 15.0 * 60
    /// How long a new payment method is waited for.
    public var paymentMethodSeconds = 30.0 * 60
    public var reviewSeconds = 24.0 * 3600
    public var stockHoldSeconds = 30.0 * 60
    public var authorizationSeconds = 7.0 * 24 * 3600
    /// Pauses before the 2nd, 3rd, … attempt of an off-session payment.
    public var dunningSeconds = [1.0, 3, 5, 7].map { $0 * 24 * 3600 }
    /// When a compensation counts as stuck.
    public var stuckSeconds = 15.0 * 60
    public var stuckAttempts = 10
    public var compensationBaseSeconds = 1.0
    public var compensationCapSeconds = 3600.0
    /// Tries of one generation before the provider is asked what happened.
    public var triesPerGeneration = 4
    /// The largest amount the provider takes.
    public var amountMax: Int64 = 99_999_999
    /// The first bound of the pauses between attempts at an outside effect.
    public var retryBaseSeconds = 0.5
    /// How long a peer that fails is left alone, and how long its traffic takes to come back.
    public var breakerOpenSeconds = 30.0
    public var breakerRampSeconds = 20.0

    public init() {}

    /// Reads what is given; the rest keeps its default.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ target: inout Value) throws {
            if let value = try values.decodeIfPresent(Value.self, forKey: key) { target = value }
        }
        try read(.ambiguitySeconds, &self.ambiguitySeconds)
        try read(.actionSeconds, &self.actionSeconds)
        try read(.paymentMethodSeconds, &self.paymentMethodSeconds)
        try read(.reviewSeconds, &self.reviewSeconds)
        try read(.stockHoldSeconds, &self.stockHoldSeconds)
        try read(.authorizationSeconds, &self.authorizationSeconds)
        try read(.dunningSeconds, &self.dunningSeconds)
        try read(.stuckSeconds, &self.stuckSeconds)
        try read(.stuckAttempts, &self.stuckAttempts)
        try read(.compensationBaseSeconds, &self.compensationBaseSeconds)
        try read(.compensationCapSeconds, &self.compensationCapSeconds)
        try read(.triesPerGeneration, &self.triesPerGeneration)
        try read(.amountMax, &self.amountMax)
        try read(.retryBaseSeconds, &self.retryBaseSeconds)
        try read(.breakerOpenSeconds, &self.breakerOpenSeconds)
        try read(.breakerRampSeconds, &self.breakerRampSeconds)
    }

    /// The policy in the variable `ALOFT_PAY_POLICY` (a JSON object with the names above), or the default.
    ///
    /// - Throws: `DecodingError` for a text that is no such object.
    public static func configured() throws -> PaymentPolicy {
        guard let text = ProcessInfo.processInfo.environment["ALOFT_PAY_POLICY"] else { return PaymentPolicy() }
        return try JSONDecoder().decode(PaymentPolicy.self, from: Data(text.utf8))
    }

    var breaker: CircuitBreaker.Settings {
        var settings = CircuitBreaker.Settings()
        settings.openFor = .milliseconds(Int64(self.breakerOpenSeconds * 1000))
        settings.rampFor = .milliseconds(Int64(self.breakerRampSeconds * 1000))
        return settings
    }
}
