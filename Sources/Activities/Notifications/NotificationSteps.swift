// What the activities of the notification family take and answer. No address and no body is in any of them: those stay in the
// tables and in the request, which the payload codec encrypts.

/// `AcceptNotification`: writes the row.
public struct AcceptedNotification: Codable, Hashable, Sendable {
    /// Another notification that was accepted earlier under the same key; this one is over.
    public var duplicateOf: String?
    public var policy: NotificationPolicy

    public init(duplicateOf: String? = nil, policy: NotificationPolicy = NotificationPolicy()) {
        self.duplicateOf = duplicateOf
        self.policy = policy
    }
}

/// `CheckPolicy`: who it is for, whether it may be sent on this channel, and when.
public struct PolicyInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    public var channel: Channel
    /// The workflow's clock, unix seconds.
    public var now: Double
    /// What `send_now` put aside.
    public var ignoresWindow: Bool

    public init(request: NotificationRequest, channel: Channel, now: Double, ignoresWindow: Bool = false) {
        self.request = request
        self.channel = channel
        self.now = now
        self.ignoresWindow = ignoresWindow
    }
}

public enum PolicyVerdict: Codable, Hashable, Sendable {
    /// May be sent, not before this time (unix seconds).
    case allowed(at: Double)
    /// Not on this channel: `no_contact`, `suppressed_address`, `opted_out`, `no_consent`.
    case suppressed(reason: String)
    /// No minute is open.
    case neverOpen
}

/// `ReserveCap`: one place in the sliding window of this person, channel and category.
public struct CapInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    public var channel: Channel
    public var now: Double
    public var limit: NotificationPolicy.Cap

    public init(request: NotificationRequest, channel: Channel, now: Double, limit: NotificationPolicy.Cap) {
        self.request = request
        self.channel = channel
        self.now = now
        self.limit = limit
    }
}

public enum CapVerdict: Codable, Hashable, Sendable {
    case reserved
    /// Comes free at this time.
    case deferred(until: Double)
    /// Over the cap, and the template says to drop.
    case dropped
}

/// `SendEmail`, `SendSms`, `SendWeChat`: renders, waits for a token, and makes one attempt.
public struct SendInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    public var channel: Channel
    public var generation: Int
    /// The attempt as the workflow counts it, from 1; a crash repeats the same number.
    public var attempt: Int

    public init(request: NotificationRequest, channel: Channel, generation: Int, attempt: Int) {
        self.request = request
        self.channel = channel
        self.generation = generation
        self.attempt = attempt
    }
}

/// How one attempt ended. Failures are answers: the workflow decides what follows, and its timers outlive everything.
public struct SendOutcome: Codable, Hashable, Sendable {
    public enum Class: String, Codable, Hashable, Sendable {
        /// The provider has it.
        case accepted = "Accepted"
        case transient = "Transient"
        case throttled = "Throttled"
        case ambiguous = "Ambiguous"
        case permanent = "Permanent"
        /// Our own input was wrong.
        case invalid = "Invalid"
    }

    public var outcome: Class
    /// `invalid_address`, `rejected`, `provider_5xx`, `template_error`, `45009`, …
    public var code: String
    /// What the provider said, without the address.
    public var text: String
    public var provider: String
    public var providerRef: String?
    /// When to come back, for a throttled attempt: unix seconds.
    public var notBefore: Double?
    /// Whether the attempt uses up a try: one that never left does not.
    public var isCounted: Bool

    enum CodingKeys: String, CodingKey {
        case outcome = "class"
        case code, text, provider
        case providerRef = "provider_ref"
        case notBefore = "not_before"
        case isCounted = "is_counted"
    }

    public init(
        _ outcome: Class, code: String = "", text: String = "", provider: String = "", providerRef: String? = nil,
        notBefore: Double? = nil, isCounted: Bool = true
    ) {
        self.outcome = outcome
        self.code = code
        self.text = text
        self.provider = provider
        self.providerRef = providerRef
        self.notBefore = notBefore
        self.isCounted = isCounted
    }
}

/// One attempt, as the query `attempts` and a dead letter show it.
public struct AttemptRecord: Codable, Hashable, Sendable {
    public var channel: Channel
    public var generation: Int
    public var number: Int
    /// Unix seconds.
    public var at: Double
    public var outcome: SendOutcome

    public init(channel: Channel, generation: Int, number: Int, at: Double, outcome: SendOutcome) {
        self.channel = channel
        self.generation = generation
        self.number = number
        self.at = at
        self.outcome = outcome
    }
}

/// Signal `receipt`: what the provider reported later.
public struct ReceiptEvent: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable { case delivered, bounced, complained }
    public enum Bounce: String, Codable, Hashable, Sendable { case permanent, transient, undetermined }

    public var eventID: String
    public var channel: Channel
    public var kind: Kind
    /// The provider's code, such as `30003`.
    public var code: String
    public var bounce: Bounce?

    enum CodingKeys: String, CodingKey {
        case eventID = "event_id"
        case channel, kind, code, bounce
    }

    public init(eventID: String, channel: Channel, kind: Kind, code: String = "", bounce: Bounce? = nil) {
        self.eventID = eventID
        self.channel = channel
        self.kind = kind
        self.code = code
        self.bounce = bounce
    }
}

/// `RecordReceipt`: writes it down once, and what it means for the address.
public struct ReceiptInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    public var event: ReceiptEvent
    public var generation: Int

    public init(request: NotificationRequest, event: ReceiptEvent, generation: Int) {
        self.request = request
        self.event = event
        self.generation = generation
    }
}

/// `MarkNotification`: a state on the way, with its event.
public struct MarkInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    public var state: NotificationState
    public var reason: String
    /// Until when it waits, where it does.
    public var until: Double?
    public var index: Int

    public init(
        request: NotificationRequest, state: NotificationState, reason: String = "", until: Double? = nil, index: Int
    ) {
        self.request = request
        self.state = state
        self.reason = reason
        self.until = until
        self.index = index
    }
}

/// `FinishNotification`: the terminal row, its event, and the dead letter where there is one.
public struct FinishInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    public var state: NotificationState
    public var reason: String
    /// The channel it left by.
    public var channel: Channel?
    public var attempts: [AttemptRecord]

    public init(
        request: NotificationRequest, state: NotificationState, reason: String, channel: Channel?,
        attempts: [AttemptRecord]
    ) {
        self.request = request
        self.state = state
        self.reason = reason
        self.channel = channel
        self.attempts = attempts
    }
}

/// What `ntf.Send` answers.
public struct NotificationResult: Codable, Hashable, Sendable {
    public var id: String
    public var state: NotificationState
    public var reason: String
    public var channel: Channel?
    public var attempts: Int

    public init(id: String, state: NotificationState, reason: String = "", channel: Channel? = nil, attempts: Int = 0) {
        self.id = id
        self.state = state
        self.reason = reason
        self.channel = channel
        self.attempts = attempts
    }
}

/// Signal `trigger` of `ntf.Digest`, and what it collects.
public struct DigestItem: Codable, Hashable, Sendable {
    /// The trigger's own id: the same twice is one.
    public var id: String
    public var at: Double
    public var variables: [String: JSONScalar]

    public init(id: String, at: Double, variables: [String: JSONScalar]) {
        self.id = id
        self.at = at
        self.variables = variables
    }
}

/// The input of `ntf.Digest`: the message that each window sends, with `items` and `count` added to its variables.
public struct DigestInput: Codable, Hashable, Sendable {
    public var request: NotificationRequest
    /// Windows so far; part of each message's id.
    public var window: Int
    /// What came in too late for the window before.
    public var items: [DigestItem]

    public init(request: NotificationRequest, window: Int = 0, items: [DigestItem] = []) {
        self.request = request
        self.window = window
        self.items = items
    }
}
