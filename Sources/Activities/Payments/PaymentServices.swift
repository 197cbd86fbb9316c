public import AsyncHTTPClient
import Foundation
public import Postgres

/// What the payment activities need of the world.
public struct PaymentServices: Sendable {
    /// The one provider we know.
    public static let providerName = "sandbox"

    let pool: PostgresPool
    let provider: ProviderClient
    let carrier: CarrierClient
    let failpoints: Failpoints
    let policy: PaymentPolicy

    /// - Parameters:
    ///   - failpoints: armed only for tests.
    public init(
        pool: PostgresPool, client: HTTPClient, providerURL: String, providerKey: String, carrierURL: String,
        policy: PaymentPolicy = PaymentPolicy(), failpoints: Failpoints = .none
    ) {
        let breaker = policy.breaker
        self.pool = pool
        self.provider = ProviderClient(
            http: client, baseURL: providerURL, secret: providerKey, gate: PeerGate(name: "provider", breaker: breaker))
        self.carrier = CarrierClient(
            http: client, baseURL: carrierURL, gate: PeerGate(name: "carrier", breaker: breaker))
        self.failpoints = failpoints
        self.policy = policy
    }
}

/// Who runs an effect: the names that go into its key and its events, and its time.
public struct EffectScope: Sendable {
    public var workflowID: String
    public var namespace: String
    /// How long the attempt may take; nil is without limit.
    public var timeRemaining: Duration?

    /// With less time left than this an attempt is not begun.
    static let timeMin = Duration.milliseconds(500)

    public init(workflowID: String, namespace: String = "default", timeRemaining: Duration? = nil) {
        self.workflowID = workflowID
        self.namespace = namespace
        self.timeRemaining = timeRemaining
    }

    func checkTime() throws(EffectFailure) {
        if let timeRemaining, timeRemaining < Self.timeMin {
            throw EffectFailure(.transient, "too little time left to begin an attempt")
        }
    }
}
