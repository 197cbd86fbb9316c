import Activities

/// What the query `progress` answers, during a run and after it.
public struct PaymentProgress: Codable, Hashable, Sendable {
    public enum Status: String, Codable, Hashable, Sendable {
        case running = "RUNNING"
        case paused = "PAUSED"
        case waiting = "WAITING"
        case compensating = "COMPENSATING"
        case succeeded = "SUCCEEDED"
        case failed = "FAILED"
        case rolledBack = "ROLLED_BACK"
        case canceled = "CANCELED"
    }

    public struct Step: Codable, Hashable, Sendable {
        public enum State: String, Codable, Hashable, Sendable {
            case running, done, failed
        }

        public var name: String
        public var state: State
        public var attempts: Int
        /// Unix seconds.
        public var startedAt: Double
        public var endedAt: Double?
        public var error: String?

        enum CodingKeys: String, CodingKey {
            case name, state, attempts, error
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }
    }

    public struct Wait: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Hashable, Sendable { case timer, approval, external, slot }

        public var kind: Kind
        public var name: String
        /// Unix seconds.
        public var until: Double?
    }

    public var operationID = ""
    public var workflowID = ""
    public var status = Status.running
    public var phase = "created"
    public var percent = 0
    public var steps: [Step] = []
    public var waitingFor: Wait?
    public var counts: [String: Int] = [:]
    public var lastEventID = 0

    enum CodingKeys: String, CodingKey {
        case operationID = "operation_id"
        case workflowID = "workflow_id"
        case status, phase, percent, steps, counts
        case waitingFor = "waiting_for"
        case lastEventID = "last_event_id"
    }

    public init() {}

    /// A step begins; the same step again is another attempt at it.
    mutating func begin(_ name: String, at now: Double) {
        if let index = self.steps.lastIndex(where: { $0.name == name }) {
            self.steps[index].attempts += 1
            self.steps[index].state = .running
            self.steps[index].endedAt = nil
        } else {
            self.steps.append(Step(name: name, state: .running, attempts: 1, startedAt: now))
        }
        self.phase = name
    }

    mutating func end(_ name: String, at now: Double, error: String? = nil) {
        guard let index = self.steps.lastIndex(where: { $0.name == name }) else { return }
        self.steps[index].state = error == nil ? .done : .failed
        self.steps[index].endedAt = now
        self.steps[index].error = error
    }
}

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
