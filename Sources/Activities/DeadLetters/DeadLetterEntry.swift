public import Postgres

/// Something that could not be done and is kept until a person settles it: the one model of all sources (families.md 6.2).
///
/// Written inside the transaction that gives up, so that nothing is ever between "failed" and "parked".
public struct DeadLetterEntry: Hashable, Sendable {
    public enum Source: String, Codable, Hashable, Sendable, CaseIterable {
        case notification
        case webhookDelivery = "webhook_delivery"
        case outbox
        case workflowTask = "workflow_task"
        case domain
    }

    public enum State: String, Codable, Hashable, Sendable, CaseIterable {
        case parked = "PARKED"
        case redriving = "REDRIVING"
        case redriven = "REDRIVEN"
        case resolved = "RESOLVED"
        case purged = "PURGED"
    }

    /// One attempt that failed. Texts carry no address.
    public struct Attempt: Codable, Hashable, Sendable {
        /// Unix seconds.
        public var at: Double
        public var channel: String
        public var provider: String
        public var failureClass: String
        public var code: String
        public var text: String

        enum CodingKeys: String, CodingKey {
            case at, channel, provider, code, text
            case failureClass = "class"
        }

        public init(
            at: Double, channel: String, provider: String, failureClass: String, code: String, text: String
        ) {
            self.at = at
            self.channel = channel
            self.provider = provider
            self.failureClass = failureClass
            self.code = code
            self.text = text
        }
    }

    public var source: Source
    public var tenant: String
    /// What failed, once for each source: for a notification the id of the workflow that gave up.
    public var key: String
    public var failureClass: String
    public var code: String
    public var message: String
    public var attempts: [Attempt]
    /// Where the original request is: for a notification `wf_ntf.notification/{id}`.
    public var payloadReference: String
    public var workflowID: String
    /// How often it has been redriven before.
    public var redriveCount: Int
    /// Whether the effect is known not to have happened, so that a redrive may use a new key.
    public var isOutcomeKnown: Bool

    public init(
        source: Source, tenant: String, key: String, failureClass: String, code: String, message: String,
        attempts: [Attempt], payloadReference: String, workflowID: String, redriveCount: Int = 0,
        isOutcomeKnown: Bool = true
    ) {
        self.source = source
        self.tenant = tenant
        self.key = key
        self.failureClass = failureClass
        self.code = code
        self.message = message
        self.attempts = attempts
        self.payloadReference = payloadReference
        self.workflowID = workflowID
        self.redriveCount = redriveCount
        self.isOutcomeKnown = isOutcomeKnown
    }

    /// Parks the entry and announces it; parking it again changes nothing.
    public func park(in connection: PostgresTransaction, namespace: String, op: String) async throws {
        let attemptsText = try PaymentJSON.text(self.attempts)
        let inserted = try await connection.query(DeadLetterEntryStatements.insert) { parameters in
            parameters.text(self.source.rawValue)
            parameters.text(self.tenant)
            parameters.text(self.key)
            parameters.text(self.failureClass)
            parameters.text(self.code)
            parameters.text(self.message)
            parameters.text(attemptsText)
            parameters.text(self.payloadReference)
            parameters.text(self.workflowID)
            parameters.int32(Int32(clamping: self.redriveCount))
            parameters.bool(self.isOutcomeKnown)
            parameters.text(namespace)
        }
        guard inserted.count == 1 else { return }
        let id = try inserted[0].text(0)
        let data = try PaymentJSON.text([
            "id": JSONScalar.string(id), "source": .string(self.source.rawValue), "code": .string(self.code),
            "class": .string(self.failureClass), "workflow_id": .string(self.workflowID),
            "attempts": .integer(Int64(self.attempts.count)),
        ])
        try await connection.query(DeadLetterEntryStatements.announce) { parameters in
            parameters.text(namespace)
            parameters.text(id)
            parameters.text(data)
            parameters.text(op)
            parameters.text(self.workflowID)
            parameters.text(self.tenant)
        }
    }
}
