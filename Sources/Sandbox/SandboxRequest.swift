/// One request to a stand-in, without its transport.
struct SandboxRequest: Hashable, Sendable, Codable {
    var method: String
    var path: String
    /// Query and form fields together.
    var form: Form
    /// The `Idempotency-Key` header.
    var key: String?
    /// The `Authorization` header without its secret: `basic`, `bearer`, or nil when absent.
    var authorization: Authorization?
    /// The raw body of a JSON request (shipping, control).
    var json: String?

    enum Authorization: String, Hashable, Sendable, Codable {
        case valid, refused
    }

    var segments: [String] { self.path.split(separator: "/").map(String.init) }

    var document: JSONValue? { self.json.flatMap(JSONValue.init(parsing:)) }

    var clearsFaults: Bool { self.method == "DELETE" && self.segments == ["_ctl", "faults"] }

    /// What two uses of one idempotency key must share.
    var fingerprint: String { "\(self.method) \(self.path)?\(self.form.canonical)#\(self.json ?? "")" }

    /// The payment the request is about, when it says so.
    var paymentID: String? { self.form["metadata[payment_id]"] ?? self.document?["payment_id"]?.string }
}

/// What a stand-in answers.
struct SandboxAnswer: Hashable, Sendable {
    var status: Int
    var body: JSONValue
    var headers: [String: String] = [:]
    var transport: Transport = .send
    /// How long the answer is held back; the effect has happened already.
    var delayMilliseconds = 0

    enum Transport: Hashable, Sendable {
        case send
        /// The connection ends without an answer.
        case drop
    }

    init(_ status: Int, _ body: JSONValue) {
        self.status = status
        self.body = body
    }
}

/// Something that happened in the outside world because of a request.
public struct SandboxEffect: Hashable, Sendable, Codable {
    /// `intent.created`, `intent.authorized`, `intent.captured`, `intent.canceled`, `refund.created`, `shipment.scheduled`, …
    public var kind: String
    /// The object it happened to.
    public var id: String
    public var amount: Int?
    public var currency: String?
    /// `metadata.payment_id` of the object.
    public var paymentID: String?
    /// The key of the operation that caused it, for messages.
    public var reference: String?

    enum CodingKeys: String, CodingKey {
        case kind, id, amount, currency, reference
        case paymentID = "payment_id"
    }
}
