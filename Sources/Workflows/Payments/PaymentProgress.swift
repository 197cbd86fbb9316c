import Activities

/// What the query `progress` of a payment answers.
public typealias PaymentProgress = OperationProgress

/// What the query `provider_refs` answers.
public struct ProviderReferences: Codable, Hashable, Sendable {
    public var intentID: String?
    public var refundRefs: [String] = []
    public var shipmentRef: String?
    /// How often a new key was needed.
    public var generation = 0

    enum CodingKeys: String, CodingKey {
        case intentID = "intent_id"
        case refundRefs = "refund_refs"
        case shipmentRef = "shipment_ref"
        case generation
    }

    public init() {}
}

/// How a payment ended.
public struct ChargeResult: Codable, Hashable, Sendable {
    public struct Reason: Codable, Hashable, Sendable {
        public var code: String
        public var message: String
    }

    public var paymentID: String
    /// COMPLETED, FAILED or REFUNDED.
    public var status: String
    public var captured: Int64
    public var refunded: Int64
    public var failure: Reason?

    enum CodingKeys: String, CodingKey {
        case paymentID = "payment_id"
        case status, captured, refunded, failure
    }

    public init(paymentID: String, status: String, captured: Int64, refunded: Int64, failure: Reason? = nil) {
        self.paymentID = paymentID
        self.status = status
        self.captured = captured
        self.refunded = refunded
        self.failure = failure
    }
}

/// A step that ended without a result, as the workflow's code sees it.
struct StepFailure: Error, Hashable, Sendable {
    var code: String
    var message: String
    var decline: EffectFailure.Decline?

    /// The effect may have happened: look before anything else.
    var isUnresolved: Bool {
        ["Unresolved", "Ambiguous", "Timeout", "Transient", "Throttled", "Conflict", "Server"].contains(self.code)
    }
}

// MARK: What signals carry

/// Signal `review`.
public struct ReviewDecision: Codable, Hashable, Sendable {
    /// `approve` or `reject`.
    public var decision: String
    public var by: String?
    public var reason: String?
}

/// Signal `provide_payment_method`.
public struct NewPaymentMethod: Codable, Hashable, Sendable {
    public var token: String

    public init(token: String) { self.token = token }
}

/// Signal `provider_event`: something changed at the provider; what, is read there.
public struct ProviderEventSignal: Codable, Hashable, Sendable {
    public var id: String
    public var type: String

    public init(id: String, type: String) {
        self.id = id
        self.type = type
    }
}

/// Signal `resolve_compensation`: a person settled what a compensation could not.
public struct CompensationResolution: Codable, Hashable, Sendable {
    public var step: String
    public var outcome: String
    public var evidence: String?
}
