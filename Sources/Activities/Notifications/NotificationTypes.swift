/// A notification as it was accepted: the input of `ntf.Send`. Times are unix seconds.
public struct NotificationRequest: Codable, Hashable, Sendable {
    public struct Template: Codable, Hashable, Sendable {
        public var id: String
        /// Chosen when the notification is accepted, and never again.
        public var version: Int
        /// What the sender asked for; nil: the recipient's.
        public var locale: String?

        public init(id: String, version: Int = 1, locale: String? = nil) {
            self.id = id
            self.version = version
            self.locale = locale
        }
    }

    public struct Digest: Codable, Hashable, Sendable {
        public var key: String
        public var everySeconds: Double

        enum CodingKeys: String, CodingKey {
            case key
            case everySeconds = "every_seconds"
        }

        public init(key: String, everySeconds: Double) {
            self.key = key
            self.everySeconds = everySeconds
        }
    }

    public var id: String
    public var tenant: String
    public var dedupKey: String?
    public var recipient: Recipient
    public var template: Template
    public var variables: [String: JSONScalar]
    public var category: Category
    public var channels: [Channel]
    /// While a channel's tries go on and another channel is left, this long.
    public var fallbackAfterSeconds: Double
    public var priority: Priority
    public var sendAt: Double?
    public var expiresAt: Double?
    public var window: DeliveryWindow?
    public var digest: Digest?
    public var atMostOnce: Bool
    public var callbackURL: String?
    /// How often a dead letter of this notification has been redriven.
    public var redrive: Int
    /// Goes up on a redrive only when the earlier outcome is known.
    public var generation: Int
    /// A redrive may name the provider.
    public var provider: String?

    enum CodingKeys: String, CodingKey {
        case id, tenant, recipient, template, variables, category, channels, priority, window, digest, redrive
        case generation, provider
        case dedupKey = "dedup_key"
        case fallbackAfterSeconds = "fallback_after_seconds"
        case sendAt = "send_at"
        case expiresAt = "expires_at"
        case atMostOnce = "at_most_once"
        case callbackURL = "callback_url"
    }

    public init(
        id: String, tenant: String, recipient: Recipient, template: Template, variables: [String: JSONScalar] = [:],
        category: Category = .transactional, channels: [Channel] = [.email], dedupKey: String? = nil,
        fallbackAfterSeconds: Double = 15 * 60, priority: Priority = .normal, sendAt: Double? = nil,
        expiresAt: Double? = nil, window: DeliveryWindow? = nil, digest: Digest? = nil, atMostOnce: Bool = false,
        callbackURL: String? = nil, redrive: Int = 0, generation: Int = 0, provider: String? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.dedupKey = dedupKey
        self.recipient = recipient
        self.template = template
        self.variables = variables
        self.category = category
        self.channels = channels
        self.fallbackAfterSeconds = fallbackAfterSeconds
        self.priority = priority
        self.sendAt = sendAt
        self.expiresAt = expiresAt
        self.window = window
        self.digest = digest
        self.atMostOnce = atMostOnce
        self.callbackURL = callbackURL
        self.redrive = redrive
        self.generation = generation
        self.provider = provider
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try values.decode(String.self, forKey: .id), tenant: try values.decode(String.self, forKey: .tenant),
            recipient: try values.decode(Recipient.self, forKey: .recipient),
            template: try values.decode(Template.self, forKey: .template),
            variables: try values.decodeIfPresent([String: JSONScalar].self, forKey: .variables) ?? [:],
            category: try values.decode(Category.self, forKey: .category),
            channels: try values.decodeIfPresent([Channel].self, forKey: .channels) ?? [.email],
            dedupKey: try values.decodeIfPresent(String.self, forKey: .dedupKey),
            fallbackAfterSeconds: try values.decodeIfPresent(Double.self, forKey: .fallbackAfterSeconds) ?? 15 * 60,
            priority: try values.decodeIfPresent(Priority.self, forKey: .priority) ?? .normal,
            sendAt: try values.decodeIfPresent(Double.self, forKey: .sendAt),
            expiresAt: try values.decodeIfPresent(Double.self, forKey: .expiresAt),
            window: try values.decodeIfPresent(DeliveryWindow.self, forKey: .window),
            digest: try values.decodeIfPresent(Digest.self, forKey: .digest),
            atMostOnce: try values.decodeIfPresent(Bool.self, forKey: .atMostOnce) ?? false,
            callbackURL: try values.decodeIfPresent(String.self, forKey: .callbackURL),
            redrive: try values.decodeIfPresent(Int.self, forKey: .redrive) ?? 0,
            generation: try values.decodeIfPresent(Int.self, forKey: .generation) ?? 0,
            provider: try values.decodeIfPresent(String.self, forKey: .provider))
    }

    /// The notification's workflow without a redrive: effects outside are keyed below it, so that a redrive knows them.
    public var root: String { NotificationIDs.workflow(tenant: self.tenant, id: self.id) }
    public var workflowID: String { NotificationIDs.workflow(tenant: self.tenant, id: self.id, redrive: self.redrive) }
}

/// When messages may arrive, in the recipient's wall time (or in `timeZone` where the sender named one).
public struct DeliveryWindow: Codable, Hashable, Sendable {
    /// ISO weekdays, 1 is Monday; empty: all.
    public var days: [Int]
    /// Minutes since midnight. `from` after `until` goes over midnight; both equal: the whole day.
    public var fromMinute: Int
    public var untilMinute: Int
    public var timeZone: String?

    enum CodingKeys: String, CodingKey {
        case days
        case fromMinute = "from_minute"
        case untilMinute = "until_minute"
        case timeZone = "time_zone"
    }

    public init(days: [Int] = [], fromMinute: Int, untilMinute: Int, timeZone: String? = nil) {
        self.days = days
        self.fromMinute = fromMinute
        self.untilMinute = untilMinute
        self.timeZone = timeZone
    }
}

/// When messages may not arrive, in the recipient's wall time; minutes since midnight, over midnight where `from` is later.
public struct QuietHours: Codable, Hashable, Sendable {
    public var fromMinute: Int
    public var untilMinute: Int

    public init(fromMinute: Int, untilMinute: Int) {
        self.fromMinute = fromMinute
        self.untilMinute = untilMinute
    }
}

/// Finds the moment at which a message may arrive.
public protocol DeliverySchedule: Sendable {
    /// The first moment (unix seconds) not before `earliest` that is inside the window and outside the quiet hours; nil when there
    /// is none within a year.
    ///
    /// - Parameter timeZone: The recipient's, as an IANA name; a window with a zone of its own is read in that.
    func nextOpening(
        notBefore earliest: Double, window: DeliveryWindow?, quietHours: QuietHours?, timeZone: String
    ) -> Double?
}

/// What a renderer needs.
public struct RenderRequest: Hashable, Sendable {
    public var tenant: String
    public var template: String
    public var version: Int
    /// The recipient's or the sender's choice; the renderer walks its chain.
    public var locale: String
    public var channel: Channel
    public var category: Category
    public var variables: [String: JSONScalar]
    /// Where the recipient leaves the list; marketing mail must show it.
    public var unsubscribeURL: String?

    public init(
        tenant: String, template: String, version: Int, locale: String, channel: Channel, category: Category,
        variables: [String: JSONScalar], unsubscribeURL: String? = nil
    ) {
        self.tenant = tenant
        self.template = template
        self.version = version
        self.locale = locale
        self.channel = channel
        self.category = category
        self.variables = variables
        self.unsubscribeURL = unsubscribeURL
    }
}

/// A message ready to leave.
public struct RenderedMessage: Codable, Hashable, Sendable {
    public var subject: String
    public var text: String
    public var html: String?
    /// Further headers of a mail, by name; List-Unsubscribe and Message-ID are the sender's own business.
    public var headers: [String: String]
    /// Parts an SMS takes; 0 elsewhere.
    public var segments: Int
    /// What a WeChat template shows, by its own names; and which template of the provider.
    public var fields: [String: String]
    public var providerTemplate: String

    public init(
        subject: String = "", text: String, html: String? = nil, headers: [String: String] = [:], segments: Int = 0,
        fields: [String: String] = [:], providerTemplate: String = ""
    ) {
        self.subject = subject
        self.text = text
        self.html = html
        self.headers = headers
        self.segments = segments
        self.fields = fields
        self.providerTemplate = providerTemplate
    }
}

/// Makes messages of templates.
public protocol MessageRenderer: Sendable {
    /// - Throws: ``EffectFailure``: `permanent(code: "TemplateError")` for a template or variables that cannot become a message;
    ///   `transient` when the template could not be read now.
    func render(_ request: RenderRequest) async throws -> RenderedMessage
}
