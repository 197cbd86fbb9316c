/// A carrier for SMS, shaped like Twilio's Messages: requests in, answers, effects and status callbacks out.
///
/// Numbers decide what happens: `+15005550001` is no number (21211), `+15005550009` no mobile (21614), `+15005550004` has
/// unsubscribed (21610); messages to `+1500555300n` are taken and then come back with error 3000n.
struct SmsState: Sendable {
    private(set) var messages: [SmsMessage] = []
    private(set) var events: [ProviderEvent] = []
    private var numbers: [String: Int] = [:]
    private var effects: [SandboxEffect] = []

    /// A message that was taken.
    struct SmsMessage: Hashable, Sendable {
        var sid: String
        var account: String
        var to: String
        var from: String
        var body: String
        /// The operation that asked for it.
        var reference: String?
        var status: String
        var errorCode: Int?
        var created: Int

        var json: JSONValue {
            [
                "sid": .string(self.sid), "account_sid": .string(self.account), "api_version": "2010-04-01",
                "body": .string(self.body), "to": .string(self.to), "from": .string(self.from),
                "status": .string(self.status), "direction": "outbound-api",
                "error_code": self.errorCode.map(JSONValue.int) ?? nil, "error_message": nil,
                "messaging_service_sid": nil, "num_media": "0",
                "num_segments": .string(String(SmsState.segments(self.body))), "price": nil, "price_unit": "USD",
                "date_created": nil, "date_sent": nil, "date_updated": nil,
                "uri": .string("/2010-04-01/Accounts/\(self.account)/Messages/\(self.sid).json"),
                "subresource_uris": [:],
            ]
        }
    }

    struct Refusal: Error, Hashable, Sendable {
        var status: Int
        var code: Int
        var message: String

        var json: JSONValue {
            [
                "code": .int(self.code), "message": .string(self.message),
                "more_info": .string("https://www.twilio.com/docs/errors/\(self.code)"), "status": .int(self.status),
            ]
        }
    }

    /// Characters one message may have at most.
    private static let bodyMax = 1600

    mutating func answer(_ request: SandboxRequest, at now: Int) throws(Refusal) -> SandboxAnswer {
        let path = Array(request.segments.dropFirst())
        guard path.count >= 3, path[0] == "Accounts" else { throw SmsState.missing }
        switch (request.method, path[2], path.count) {
        case ("POST", "Messages.json", 3): return SandboxAnswer(201, try self.create(path[1], request, at: now).json)
        case ("GET", "Messages.json", 3):
            let own = self.messages.filter { $0.account == path[1] }
            return SandboxAnswer(
                200, ["messages": .array(own.suffix(50).map(\.json)), "page": 0, "page_size": 50, "next_page_uri": nil])
        case ("GET", "Messages", 4):
            let sid = path[3].replacing(".json", with: "")
            guard let found = self.messages.first(where: { $0.sid == sid }) else { throw SmsState.missing }
            return SandboxAnswer(200, found.json)
        default: throw SmsState.missing
        }
    }

    private static var missing: Refusal {
        Refusal(status: 404, code: 20404, message: "The requested resource was not found")
    }

    mutating func takeEffects() -> [SandboxEffect] {
        defer { self.effects = [] }
        return self.effects
    }

    private mutating func create(
        _ account: String, _ request: SandboxRequest, at now: Int
    ) throws(Refusal) -> SmsMessage {
        let to = request.form["To"] ?? ""
        let body = request.form["Body"] ?? ""
        guard SmsState.isNumber(to), to != "+15005550001" else {
            throw Refusal(status: 400, code: 21211, message: "Invalid 'To' Phone Number: \(to)")
        }
        guard let from = request.form["From"], !from.isEmpty else {
            throw Refusal(status: 400, code: 21603, message: "A 'From' phone number is required.")
        }
        guard !body.isEmpty else { throw Refusal(status: 400, code: 21602, message: "Message body is required.") }
        guard body.count <= SmsState.bodyMax else {
            throw Refusal(status: 400, code: 21617, message: "The concatenated message body exceeds the limit.")
        }
        if to == "+15005550009" {
            throw Refusal(status: 400, code: 21614, message: "'To' number is not a valid mobile number")
        }
        if to == "+15005550004" {
            throw Refusal(status: 400, code: 21610, message: "Attempt to send to unsubscribed recipient")
        }
        var message = SmsMessage(
            sid: self.mint(account), account: account, to: to, from: from, body: body, reference: request.key,
            status: "queued", created: now)
        self.effects.append(SandboxEffect(kind: "sms.sent", id: message.sid, reference: request.key))
        let accepted = message
        if to.hasPrefix("+1500555300"), let digit = to.last?.wholeNumberValue {
            message.status = "undelivered"
            message.errorCode = 30000 + digit
        } else {
            message.status = "delivered"
        }
        self.messages.append(message)
        if let url = request.form["StatusCallback"] { self.announce(message, to: url, at: now) }
        return accepted
    }

    private mutating func mint(_ account: String) -> String {
        let number = (self.numbers[account] ?? 0) + 1
        self.numbers[account] = number
        let digits = String(number, radix: 16)
        let owner = String(account.dropFirst(2).prefix(8))
        return "SM\(owner)\(String(repeating: "0", count: max(0, 32 - owner.count - digits.count)))\(digits)"
    }

    private mutating func announce(_ message: SmsMessage, to url: String, at now: Int) {
        var fields = [
            ("AccountSid", message.account), ("ApiVersion", "2010-04-01"), ("From", message.from),
            ("MessageSid", message.sid), ("MessageStatus", message.status), ("SmsSid", message.sid),
            ("SmsStatus", message.status), ("To", message.to),
        ]
        if let code = message.errorCode { fields.append(("ErrorCode", String(code))) }
        self.events.append(
            ProviderEvent(
                id: "\(message.sid).\(message.status)", type: "sms.\(message.status)", created: now,
                object: message.json,
                callback: .init(
                    url: url, account: message.account,
                    fields: fields.map { JSONValue.Member($0.0, .string($0.1)) })))
    }

    /// E.164.
    private static func isNumber(_ text: String) -> Bool {
        text.hasPrefix("+") && (8...16).contains(text.count)
            && text.dropFirst().allSatisfy { $0.isASCII && $0.isNumber } && text.dropFirst().first != "0"
    }

    private static func segments(_ body: String) -> Int {
        let (single, part) = body.utf8.allSatisfy({ $0 < 0x80 }) ? (160, 153) : (70, 67)
        let length = body.utf16.count
        return length <= single ? 1 : (length + part - 1) / part
    }
}
