/// The activities' inputs and outputs. Field names are part of histories: they stay.

/// The argument of a step that needs only the payment.
public struct StepInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var generation: Int

    public init(paymentID: String, generation: Int = 0) {
        self.paymentID = paymentID
        self.generation = generation
    }
}

/// What ``CreatePayment`` answers.
public struct CreatedPayment: Codable, Hashable, Sendable {
    public var paymentID: String
    /// The policy this run keeps.
    public var policy: PaymentPolicy

    public init(paymentID: String, policy: PaymentPolicy) {
        self.paymentID = paymentID
        self.policy = policy
    }
}

public struct FailInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var code: String
    public var message: String

    public init(paymentID: String, code: String, message: String) {
        self.paymentID = paymentID
        self.code = code
        self.message = message
    }
}

/// How a payment ended.
public struct ClosedPayment: Codable, Hashable, Sendable {
    public var status: String
    public var captured: Int64
    public var refunded: Int64

    public init(status: String, captured: Int64, refunded: Int64) {
        self.status = status
        self.captured = captured
        self.refunded = refunded
    }
}

public struct RiskInput: Codable, Hashable, Sendable {
    public var merchantID: String
    public var amount: Int64
    public var reviewOver: Int64?

    public init(merchantID: String, amount: Int64, reviewOver: Int64?) {
        self.merchantID = merchantID
        self.amount = amount
        self.reviewOver = reviewOver
    }
}

public struct RiskDecision: Codable, Hashable, Sendable {
    public var needsReview: Bool
    public var reason: String

    public init(needsReview: Bool, reason: String) {
        self.needsReview = needsReview
        self.reason = reason
    }
}

public struct AuthorizeInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var paymentMethod: String
    public var isOffSession: Bool
    public var generation: Int
    public var tries: Int

    public init(paymentID: String, paymentMethod: String, isOffSession: Bool, generation: Int, tries: Int) {
        self.paymentID = paymentID
        self.paymentMethod = paymentMethod
        self.isOffSession = isOffSession
        self.generation = generation
        self.tries = tries
    }
}

/// Where an authorization stands.
public struct Authorization: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        case authorized
        case requiresAction = "requires_action"
        case declined
        case captured
        case canceled
    }

    public var state: State
    public var intentID: String
    public var decline: EffectFailure.Decline?

    public init(state: State, intentID: String, decline: EffectFailure.Decline? = nil) {
        self.state = state
        self.intentID = intentID
        self.decline = decline
    }
}

public struct ReconcileInput: Codable, Hashable, Sendable {
    public enum Subject: String, Codable, Hashable, Sendable {
        case authorization, capture
    }

    public var paymentID: String
    public var subject: Subject
    public var generation: Int

    public init(paymentID: String, subject: Subject, generation: Int) {
        self.paymentID = paymentID
        self.subject = subject
        self.generation = generation
    }
}

/// What a look at the provider found.
public struct Reconciled: Codable, Hashable, Sendable {
    /// Nil: the provider knows no such intent.
    public var authorization: Authorization?
    /// Seconds since the operation was last tried.
    public var secondsSinceAttempt: Double
    public var capture: Captured?

    public init(authorization: Authorization? = nil, secondsSinceAttempt: Double, capture: Captured? = nil) {
        self.authorization = authorization
        self.secondsSinceAttempt = secondsSinceAttempt
        self.capture = capture
    }
}

public struct CaptureInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var amount: Int64
    public var generation: Int
    public var tries: Int

    public init(paymentID: String, amount: Int64, generation: Int, tries: Int) {
        self.paymentID = paymentID
        self.amount = amount
        self.generation = generation
        self.tries = tries
    }
}

public struct Captured: Codable, Hashable, Sendable {
    public var amount: Int64
    public var fee: Int64
    public var intentID: String

    public init(amount: Int64, fee: Int64, intentID: String) {
        self.amount = amount
        self.fee = fee
        self.intentID = intentID
    }
}

public struct VoidedAuthorization: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable {
        case voided
        /// There was no authorization.
        case nothing
        /// Too late: the money was captured; it has to be refunded.
        case captured
    }

    public var state: State

    public init(state: State) {
        self.state = state
    }
}

public struct ReserveStockInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var items: [ChargeInput.Item]
    public var holdSeconds: Double

    public init(paymentID: String, items: [ChargeInput.Item], holdSeconds: Double) {
        self.paymentID = paymentID
        self.items = items
        self.holdSeconds = holdSeconds
    }
}

public struct LedgerEntry: Codable, Hashable, Sendable {
    public var kind: String
    public var purpose: String
    public var debit: String
    public var credit: String
    public var amount: Int64
    public var currency: String
}

/// The payment's ledger rows after a step.
public struct LedgerState: Codable, Hashable, Sendable {
    public var entries: [LedgerEntry]

    public init(entries: [LedgerEntry]) {
        self.entries = entries
    }
}

public struct RefundStep: Codable, Hashable, Sendable {
    public var paymentID: String
    /// The client's refund; nil for the compensation, which gives back everything that is left.
    public var refundID: String?
    public var amount: Int64?
    public var reason: String?
    public var generation: Int
    public var tries: Int

    public init(
        paymentID: String, refundID: String? = nil, amount: Int64? = nil, reason: String? = nil, generation: Int = 0,
        tries: Int
    ) {
        self.paymentID = paymentID
        self.refundID = refundID
        self.amount = amount
        self.reason = reason
        self.generation = generation
        self.tries = tries
    }
}

/// What a refund did at the provider.
public struct Refunded: Codable, Hashable, Sendable {
    /// Nil: there was nothing to give back.
    public var refundRef: String?
    public var amount: Int64

    public init(refundRef: String? = nil, amount: Int64) {
        self.refundRef = refundRef
        self.amount = amount
    }
}

public struct RefundLook: Codable, Hashable, Sendable {
    public var found: Refunded?
    public var secondsSinceAttempt: Double

    public init(found: Refunded? = nil, secondsSinceAttempt: Double) {
        self.found = found
        self.secondsSinceAttempt = secondsSinceAttempt
    }
}

public struct ShipInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var address: [String: JSONScalar]

    public init(paymentID: String, address: [String: JSONScalar]) {
        self.paymentID = paymentID
        self.address = address
    }
}

public struct Shipped: Codable, Hashable, Sendable {
    public var carrierRef: String?

    public init(carrierRef: String? = nil) {
        self.carrierRef = carrierRef
    }
}

public struct StuckInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var step: String
    public var attempts: Int

    public init(paymentID: String, step: String, attempts: Int) {
        self.paymentID = paymentID
        self.step = step
        self.attempts = attempts
    }
}

/// The answer of a step that has nothing to tell.
public struct Done: Codable, Hashable, Sendable {
    public init() {}
}
