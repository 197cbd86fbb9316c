import Foundation

/// Which dead letters are meant.
public struct DeadLetterFilter: Codable, Hashable, Sendable {
    public var ids: [String]
    public var source: String?
    public var tenant: String?
    public var code: String?
    public var failureClass: String?
    /// nil: every state.
    public var state: String?
    /// Unix seconds: parked then or later.
    public var since: Double?
    /// A part of the key, the message or the workflow id.
    public var text: String?

    enum CodingKeys: String, CodingKey {
        case ids, source, tenant, code, state, since
        case failureClass = "class"
        case text = "q"
    }

    public init(
        ids: [String] = [], source: String? = nil, tenant: String? = nil, code: String? = nil,
        failureClass: String? = nil, state: String? = nil, since: Double? = nil, text: String? = nil
    ) {
        self.ids = ids
        self.source = source
        self.tenant = tenant
        self.code = code
        self.failureClass = failureClass
        self.state = state
        self.since = since
        self.text = text
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            ids: try values.decodeIfPresent([String].self, forKey: .ids) ?? [],
            source: try values.decodeIfPresent(String.self, forKey: .source),
            tenant: try values.decodeIfPresent(String.self, forKey: .tenant),
            code: try values.decodeIfPresent(String.self, forKey: .code),
            failureClass: try values.decodeIfPresent(String.self, forKey: .failureClass),
            state: try values.decodeIfPresent(String.self, forKey: .state),
            since: try values.decodeIfPresent(Double.self, forKey: .since),
            text: try values.decodeIfPresent(String.self, forKey: .text))
    }
}

/// A dead letter as it is shown.
public struct DeadLetterView: Codable, Hashable, Sendable {
    public var id: String
    public var source: String
    public var tenant: String
    public var key: String
    public var failureClass: String
    public var code: String
    public var message: String
    public var attempts: [DeadLetterEntry.Attempt]
    public var payloadReference: String
    public var workflowID: String
    /// Unix seconds.
    public var firstAt: Double
    public var lastAt: Double
    public var state: String
    public var redriveCount: Int
    public var isOutcomeKnown: Bool
    public var redrivenAs: String?
    public var note: String

    enum CodingKeys: String, CodingKey {
        case id, source, tenant, key, code, message, attempts, state, note
        case failureClass = "class"
        case payloadReference = "payload_ref"
        case workflowID = "workflow_id"
        case firstAt = "first_at"
        case lastAt = "last_at"
        case redriveCount = "redrive_count"
        case isOutcomeKnown = "is_outcome_known"
        case redrivenAs = "redriven_as"
    }
}

/// How many dead letters there are, and how old.
public struct DeadLetterStats: Codable, Hashable, Sendable {
    public struct Row: Codable, Hashable, Sendable {
        public var source: String
        public var code: String
        public var state: String
        public var count: Int
        /// Unix seconds.
        public var oldest: Double
    }

    public var rows: [Row]
    public var parked: Int { self.rows.filter { $0.state == "PARKED" }.map(\.count).reduce(0, +) }
}

/// A redrive as it is shown.
public struct RedriveJobView: Codable, Hashable, Sendable {
    public var id: String
    public var source: String
    public var workflowID: String
    public var perSecond: Double
    /// RUNNING, COMPLETED, CANCELED
    public var state: String
    public var total: Int
    public var done: Int
    public var failed: Int
    public var reason: String
    public var actor: String
    /// Unix seconds.
    public var createdAt: Double
    public var endedAt: Double?

    enum CodingKeys: String, CodingKey {
        case id, source, state, total, done, failed, reason, actor
        case workflowID = "workflow_id"
        case perSecond = "per_second"
        case createdAt = "created_at"
        case endedAt = "ended_at"
    }
}

/// What a redrive would take, before anybody starts it.
public struct RedrivePreview: Codable, Hashable, Sendable {
    public var count: Int
    /// Unix seconds; nil when there is none.
    public var oldest: Double?
    public var byCode: [String: Int]
    public var samples: [DeadLetterView]
    /// Redriven so often already that they are left out without force.
    public var needForce: Int

    enum CodingKeys: String, CodingKey {
        case count, oldest, samples
        case byCode = "by_code"
        case needForce = "need_force"
    }
}
