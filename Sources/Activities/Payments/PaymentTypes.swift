/// What `POST /v1/payments` asks for, as the workflow gets it.
public struct ChargeInput: Codable, Hashable, Sendable {
    public var paymentID: String
    public var idempotencyKey: String
    public var merchantID: String
    public var orderID: String
    /// Minor units.
    public var amount: Int64
    /// ISO 4217, upper case.
    public var currency: String
    /// A token, never a card number.
    public var paymentMethod: String
    public var provider: String
    public var mode: Mode
    public var items: [Item]
    public var shipping: [String: JSONScalar]?
    public var reviewOver: Int64?
    public var partialCapture: Bool
    public var metadata: [String: JSONScalar]?
    public var callbackURL: String?

    public enum Mode: String, Codable, Hashable, Sendable {
        case interactive
        case offSession = "off_session"
    }

    public struct Item: Codable, Hashable, Sendable {
        public var sku: String
        public var qty: Int64

        public init(sku: String, qty: Int64) {
            self.sku = sku
            self.qty = qty
        }
    }

    enum CodingKeys: String, CodingKey {
        case paymentID = "payment_id"
        case idempotencyKey = "idempotency_key"
        case merchantID = "merchant_id"
        case orderID = "order_id"
        case amount, currency
        case paymentMethod = "payment_method"
        case provider, mode, items, shipping
        case reviewOver = "review_over"
        case partialCapture = "partial_capture"
        case metadata
        case callbackURL = "callback_url"
    }

    public init(
        paymentID: String, idempotencyKey: String, merchantID: String, orderID: String, amount: Int64, currency: String,
        paymentMethod: String, provider: String = "sandbox", mode: Mode = .interactive, items: [Item] = [],
        shipping: [String: JSONScalar]? = nil, reviewOver: Int64? = nil
    ) {
        self.paymentID = paymentID
        self.idempotencyKey = idempotencyKey
        self.merchantID = merchantID
        self.orderID = orderID
        self.amount = amount
        self.currency = currency
        self.paymentMethod = paymentMethod
        self.provider = provider
        self.mode = mode
        self.items = items
        self.shipping = shipping
        self.reviewOver = reviewOver
        self.partialCapture = false
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.paymentID = try values.decode(String.self, forKey: .paymentID)
        self.idempotencyKey = try values.decode(String.self, forKey: .idempotencyKey)
        self.merchantID = try values.decode(String.self, forKey: .merchantID)
        self.orderID = try values.decode(String.self, forKey: .orderID)
        self.amount = try values.decode(Int64.self, forKey: .amount)
        self.currency = try values.decode(String.self, forKey: .currency)
        self.paymentMethod = try values.decode(String.self, forKey: .paymentMethod)
        self.provider = try values.decodeIfPresent(String.self, forKey: .provider) ?? "sandbox"
        self.mode = try values.decodeIfPresent(Mode.self, forKey: .mode) ?? .interactive
        self.items = try values.decodeIfPresent([Item].self, forKey: .items) ?? []
        self.shipping = try values.decodeIfPresent([String: JSONScalar].self, forKey: .shipping)
        self.reviewOver = try values.decodeIfPresent(Int64.self, forKey: .reviewOver)
        self.partialCapture = try values.decodeIfPresent(Bool.self, forKey: .partialCapture) ?? false
        self.metadata = try values.decodeIfPresent([String: JSONScalar].self, forKey: .metadata)
        self.callbackURL = try values.decodeIfPresent(String.self, forKey: .callbackURL)
    }
}

/// Any JSON value inside an object whose members we only pass on.
public indirect enum JSONScalar: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONScalar])
    case object([String: JSONScalar])

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONScalar].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONScalar].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

/// What `POST /v1/payments/{id}/refunds` asks for.
public struct RefundInput: Codable, Hashable, Sendable {
    public var refundID: String
    public var paymentID: String
    public var amount: Int64
    public var reason: String?
    public var provider: String

    enum CodingKeys: String, CodingKey {
        case refundID = "refund_id"
        case paymentID = "payment_id"
        case amount, reason, provider
    }

    public init(refundID: String, paymentID: String, amount: Int64, reason: String? = nil, provider: String = "sandbox")
    {
        self.refundID = refundID
        self.paymentID = paymentID
        self.amount = amount
        self.reason = reason
        self.provider = provider
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.refundID = try values.decode(String.self, forKey: .refundID)
        self.paymentID = try values.decode(String.self, forKey: .paymentID)
        self.amount = try values.decode(Int64.self, forKey: .amount)
        self.reason = try values.decodeIfPresent(String.self, forKey: .reason)
        self.provider = try values.decodeIfPresent(String.self, forKey: .provider) ?? "sandbox"
    }
}
