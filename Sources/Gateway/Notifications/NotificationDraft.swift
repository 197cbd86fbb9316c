import FoundationEssentials
import History

/// The body of `POST /v1/notifications`, checked: what can be judged without looking anything up.
public struct NotificationDraft: Hashable, Sendable {
    public enum Version: Hashable, Sendable {
        /// The active one.
        case active
        case number(Int)
        /// One of the active ones, by the recipient.
        case test
    }

    public var id: String
    public var tenant: String
    public var dedupKey: String?
    public var template: String
    public var version: Version
    public var locale: String?
    public var channels: [String]
    public var category: String
    public var recipient: JSONValue
    public var variables: JSONValue
    /// IANA name of the window's zone, still to be looked up.
    public var windowZone: String?
    public var digestKey: String?
    /// The workflow's input but for the template's version.
    public var input: JSONValue

    static let variablesBytesMax = 64 << 10
    static let sendAheadMax = TimeSpan.days(366)

    /// - Throws: a 422 problem that names every field that was refused; nothing of the body is repeated in it.
    init(_ json: JSONValue, id: String, now: Timestamp, path: [String] = []) throws(Problem) {
        var fields = FieldReader(json, path: path)
        let reader = DraftReader(now: now)
        self.id = id
        tenant = reader.tenant(&fields)
        dedupKey = fields.text("dedup_key", lengths: 1...200)
        recipient = reader.recipient(&fields, path)
        (template, version, locale) = reader.template(&fields, path)
        variables = reader.variables(&fields)
        category = reader.word("category", &fields, required: true, ["security", "transactional", "marketing"], "")
        channels = reader.channels(&fields)
        let priority = reader.word("priority", &fields, required: false, ["high", "normal", "low"], "normal")
        let fallback = reader.duration("fallback_after", &fields, 1...604_800) ?? 900
        let (sendAt, expiresAt) = reader.times(&fields)
        let window = reader.window(&fields, path)
        windowZone = window?["time_zone"]?.text
        let digest = reader.digest(&fields, path)
        digestKey = digest?["key"]?.text
        let atMostOnce = fields.flag("at_most_once") ?? false
        let callback = reader.callback(&fields)
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw .validation(fields.faults) }
        input = .record(
            ("id", .string(id)), ("tenant", .string(tenant)), ("dedup_key", dedupKey.map { .string($0) }),
            ("recipient", recipient), ("variables", variables), ("category", .string(category)),
            ("channels", .array(channels.map { .string($0) })), ("fallback_after_seconds", .integer(fallback)),
            ("priority", .string(priority)), ("send_at", sendAt), ("expires_at", expiresAt), ("window", window),
            ("digest", digest), ("at_most_once", .bool(atMostOnce)), ("callback_url", callback.map { .string($0) }))
    }
}

extension NotificationDraft {
    /// The tenant and the recipient of a request that is about one person.
    static func person(_ fields: inout FieldReader) -> (tenant: String, recipient: JSONValue) {
        let reader = DraftReader(now: .zero)
        return (reader.tenant(&fields), reader.recipient(&fields, []))
    }
}

/// Reads the parts of a notification, noting every fault.
private struct DraftReader {
    let now: Timestamp

    func tenant(_ fields: inout FieldReader) -> String {
        guard let tenant = fields.text("tenant", required: true, lengths: 1...64) else { return "" }
        if !TenantName.isValid(tenant) { fields.fault("tenant", TenantName.expected) }
        return tenant
    }

    func recipient(_ fields: inout FieldReader, _ path: [String]) -> JSONValue {
        guard let value = fields.value("recipient", required: true) else { return .null }
        var recipient = FieldReader(value, path: path + ["recipient"])
        var members: [(String, String)] = []
        if let user = recipient.text("user_id", lengths: 1...128) {
            if HeaderText.isSafe(user) {
                members.append(("user_id", user))
            } else {
                recipient.fault("user_id", "contains a control character")
            }
        }
        if let email = recipient.text("email", lengths: 1...320) {
            do throws(EmailAddress.Refusal) {
                members.append(("email", try EmailAddress(email).text))
            } catch {
                recipient.fault("email", error.detail)
            }
        }
        if let phone = recipient.text("phone", lengths: 1...32) {
            if PhoneNumber.isValid(phone) {
                members.append(("phone", phone))
            } else {
                recipient.fault("phone", "expected '+' and 7 to 15 digits (E.164)")
            }
        }
        if let openID = recipient.text("wechat_openid", lengths: 1...64) {
            let isGood = openID.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
            if isGood {
                members.append(("wechat_openid", openID))
            } else {
                recipient.fault("wechat_openid", "expected letters, digits, '_' and '-'")
            }
        }
        if value.members != nil {
            recipient.refuseOthers()
            let names = ["user_id", "email", "phone", "wechat_openid"]
            if !names.contains(where: { value[$0] != nil }) {
                fields.fault("recipient", "expected one of \(names.joined(separator: ", "))")
            }
        }
        fields.add(recipient.faults)
        return .object(members.map { .init($0.0, .string($0.1)) })
    }

    func template(_ fields: inout FieldReader, _ path: [String]) -> (String, NotificationDraft.Version, String?) {
        guard let value = fields.value("template", required: true) else { return ("", .active, nil) }
        var template = FieldReader(value, path: path + ["template"])
        let id = template.text("id", required: value.members != nil, lengths: 1...128) ?? ""
        if !id.isEmpty, !TemplateName.isValid(id) { template.fault("id", TemplateName.expected) }
        var version = NotificationDraft.Version.active
        if let given = template.value("version") {
            if given.text == "ab" {
                version = .test
            } else if let number = given.int, (1...1_000_000).contains(number) {
                version = .number(Int(number))
            } else {
                template.fault("version", "expected a number from 1 or \"ab\"")
            }
        }
        let locale = template.text("locale", lengths: 1...64)
        if let locale, !LanguageTag.isValid(locale) { template.fault("locale", "expected a language tag (BCP 47)") }
        if value.members != nil { template.refuseOthers() }
        fields.add(template.faults)
        return (id, version, locale)
    }

    func variables(_ fields: inout FieldReader) -> JSONValue {
        guard let value = fields.value("variables") else { return .object([]) }
        guard value.members != nil else {
            fields.fault("variables", "expected an object, got \(value.kindName)")
            return .object([])
        }
        let bytes = JSONWriter.write(value).count
        if bytes > NotificationDraft.variablesBytesMax {
            fields.fault("variables", "expected at most \(NotificationDraft.variablesBytesMax) bytes, got \(bytes)")
        } else if value.depth > 16 {
            fields.fault("variables", "expected at most 16 levels, got \(value.depth)")
        }
        return value
    }

    func word(
        _ name: String, _ fields: inout FieldReader, required: Bool, _ words: [String], _ standard: String
    ) -> String {
        guard let value = fields.value(name, required: required) else { return standard }
        guard let text = value.text, words.contains(text) else {
            fields.fault(name, "expected one of \(words.joined(separator: ", "))")
            return standard
        }
        return text
    }

    func channels(_ fields: inout FieldReader) -> [String] {
        let all = ["email", "sms", "wechat"]
        guard let value = fields.value("channels") else { return ["email"] }
        let names = (value.elements ?? []).compactMap(\.text)
        guard let elements = value.elements, (1...all.count).contains(elements.count), names.count == elements.count,
            Set(names).count == names.count, names.allSatisfy({ all.contains($0) })
        else {
            fields.fault("channels", "expected a list of \(all.joined(separator: ", ")), each once")
            return ["email"]
        }
        return names
    }

    func duration(_ name: String, _ fields: inout FieldReader, _ range: ClosedRange<Int64>) -> Int64? {
        guard let text = fields.text(name, lengths: 1...32) else { return nil }
        guard let seconds = ISODuration.seconds(text), range.contains(seconds) else {
            fields.fault(
                name, "expected a length of time like PT15M, from \(range.lowerBound) to \(range.upperBound) seconds")
            return nil
        }
        return seconds
    }

    func times(_ fields: inout FieldReader) -> (JSONValue?, JSONValue?) {
        func time(_ name: String) -> Timestamp? {
            guard let text = fields.text(name, lengths: 1...40) else { return nil }
            guard let time = RFC3339.time(text) else {
                fields.fault(name, "expected a date and time with an offset (RFC 3339)")
                return nil
            }
            return time
        }
        let (sendAt, expiresAt) = (time("send_at"), time("expires_at"))
        if let sendAt, sendAt > now.advanced(by: NotificationDraft.sendAheadMax) {
            fields.fault("send_at", "is more than a year ahead")
        }
        if let expiresAt, expiresAt < (sendAt ?? now) {
            fields.fault("expires_at", "is before \(sendAt == nil ? "now" : "send_at")")
        }
        func seconds(_ time: Timestamp?) -> JSONValue? { time.map { .number("\(Double($0.nanoseconds) / 1e9)") } }
        return (seconds(sendAt), seconds(expiresAt))
    }

    func window(_ fields: inout FieldReader, _ path: [String]) -> JSONValue? {
        guard let value = fields.value("window") else { return nil }
        var window = FieldReader(value, path: path + ["window"])
        defer { fields.add(window.faults) }
        guard value.members != nil else { return nil }
        func minute(_ name: String, _ standard: Int, last: Int) -> Int {
            guard let text = window.text(name, lengths: 1...5) else { return standard }
            guard let minute = Self.minute(text), minute <= last else {
                window.fault(name, "expected a time of the day like 09:30")
                return standard
            }
            return minute
        }
        let (from, until) = (minute("from", 0, last: 1439), minute("until", 1440, last: 1440))
        let days = Self.days(&window)
        let zone = window.text("tz", lengths: 1...100)
        window.refuseOthers()
        if from == until { window.fault("until", "leaves no open minute") }
        return .record(
            ("days", .array(days.map { .integer($0) })), ("from_minute", .integer(from)),
            ("until_minute", .integer(until % 1440)), ("time_zone", zone.map { .string($0) }))
    }

    private static func days(_ window: inout FieldReader) -> [Int] {
        guard let value = window.value("days") else { return [] }
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        var days: [Int] = []
        for element in value.elements ?? [] {
            let number =
                element.int.map { Int($0) }
                ?? element.text.flatMap { names.firstIndex(of: $0.lowercased()) }.map { $0 + 1 }
            guard let number, (1...7).contains(number), !days.contains(number) else {
                window.fault("days", "expected days, each once: mon to sun, or 1 (Monday) to 7")
                return []
            }
            days.append(number)
        }
        if days.isEmpty { window.fault("days", "leaves no open minute") }
        return days.sorted()
    }

    private static func minute(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60,
            hours < 24 || (hours == 24 && minutes == 0)
        else { return nil }
        return hours * 60 + minutes
    }

    func digest(_ fields: inout FieldReader, _ path: [String]) -> JSONValue? {
        guard let value = fields.value("digest") else { return nil }
        var digest = FieldReader(value, path: path + ["digest"])
        defer { fields.add(digest.faults) }
        guard value.members != nil else { return nil }
        let key = digest.text("key", required: true, lengths: 1...100) ?? ""
        if !HeaderText.isSafe(key) { digest.fault("key", "contains a control character") }
        _ = digest.value("every", required: true)
        let every = duration("every", &digest, 1...2_678_400) ?? 0
        digest.refuseOthers()
        return .record(("key", .string(key)), ("every_seconds", .integer(every)))
    }

    func callback(_ fields: inout FieldReader) -> String? {
        guard let text = fields.text("callback_url", lengths: 1...2048) else { return nil }
        let url = URL(string: text)
        let isWeb = url?.scheme == "https" || url?.scheme == "http"
        if !isWeb || (url?.host() ?? "").isEmpty || !HeaderText.isSafe(text) {
            fields.fault("callback_url", "expected an http or https URL")
        }
        return text
    }
}

/// Names of tenants: parts of workflow ids and of the feed's subjects.
enum TenantName {
    static let expected = "expected lower-case letters, digits, '_' and '-'"

    static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: "-")
            }
    }
}

enum TemplateName {
    static let expected = "expected letters, digits, '.', '_' and '-'"

    static func isValid(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }
}

extension JSONValue {
    /// Levels of objects and arrays.
    var depth: Int {
        switch self {
        case .null, .bool, .number, .string: 0
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
        }
    }
}
