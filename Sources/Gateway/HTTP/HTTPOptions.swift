public import History

/// What the HTTP service is told at the start.
public struct HTTPOptions: Sendable {
    /// The namespace of the domain endpoints.
    public var namespace = "default"
    public var bodyBytesMax = 2 << 20
    /// A batch as one JSON text; as NDJSON it may be of any length.
    public var batchBytesMax = 16 << 20
    public var key: SigningKey
    public var payments = PaymentRules()
    /// Secrets per payment provider, newest first; several during a rotation.
    public var webhookSecrets: [String: [String]] = [:]
    public var webhookToleranceSeconds: Int64 = 300
    /// Takes a verified webhook delivery: stores its event id once, and says whom to tell.
    public var webhooks: @Sendable (WebhookDelivery) async throws -> WebhookVerdict = { _ in .unwanted }
    /// The tables and keys behind the notification endpoints; nil: they are not served.
    public var notifications: (any NotificationDesk)?
    public var deadLetters: (any DeadLetterDesk)?
    public var upgrades: (any UpgradeDesk)?
    /// The address under which others reach us, where it is not the request's own host.
    public var publicURL: String?
    /// The text of `/metrics`.
    public var metrics: @Sendable () async -> String = { "" }
    /// How long a claimed key is kept.
    public var keyLifetime = TimeSpan.days(7)
    /// How long the progress of a run is waited for.
    public var progressWait = TimeSpan.seconds(2)
    /// The longest `Prefer: wait`.
    public var preferWaitMax: Int64 = 30
    /// How long a refund is waited for before it is answered as running.
    public var refundWait = TimeSpan.seconds(5)
    public var listLimit = 50
    public var listLimitMax = 200
    public var now: @Sendable () -> Timestamp

    public init(key: SigningKey, now: @escaping @Sendable () -> Timestamp = SystemTime.now) {
        self.key = key
        self.now = now
    }

    func bodyBytesMax(of path: String) -> Int { path == "/v1/notifications:bulk" ? batchBytesMax : bodyBytesMax }
}

/// What is allowed to be paid.
public struct PaymentRules: Sendable {
    /// Providers and the largest amount, in minor units, that each takes.
    public var amountMaxByProvider: [String: Int64] = ["sandbox": 99_999_999]
    public var isKnownMerchant: @Sendable (String) -> Bool = { _ in true }
    public var itemsMax = 200
    public var metadataMax = 50
    public init() {}
}

/// A webhook whose signature was good.
public struct WebhookDelivery: Sendable {
    public var provider: String
    public var eventID: String
    public var type: String
    /// The JSON text as it came.
    public var body: [UInt8]
    public var json: JSONValue
    public var receivedAt: Timestamp
}

public enum WebhookVerdict: Sendable {
    /// New: tell these workflows.
    case accepted([WebhookSignal])
    /// Seen before; nothing happens.
    case duplicate
    /// Understood, but nobody waits for it.
    case unwanted
}

/// A signal that a webhook leads to.
public struct WebhookSignal: Sendable {
    public var workflow: WorkflowID
    public var name: String
    public var input: JSONValue
    public init(workflow: WorkflowID, name: String, input: JSONValue) {
        self.workflow = workflow
        self.name = name
        self.input = input
    }
}
