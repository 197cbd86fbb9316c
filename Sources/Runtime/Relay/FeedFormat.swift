public import History

/// How events look on the feed: subjects, CloudEvents 1.0 headers, JSON bodies without payload data (architecture.md, "Event feed").
public enum FeedFormat {
    public static let stream = "ALOFT"
    public static let subjects = ["aloft.>"]

    /// The id of a history event's message: a consumer drops repetitions by it.
    public static func messageID(_ run: RunID, _ event: EventID) -> String { "\(run)/\(event)" }

    static func messages(of entry: OutboxEntry, namespace: String, encoder: any EventEncoder) -> [FeedMessage] {
        entry.events.indices.map { index in
            let stored = entry.events[index]
            let kind =
                index < entry.kinds.count ? entry.kinds[index] : (try? encoder.decode(stored.body))?.kind
            return message(of: stored, kind: kind, entry: entry, namespace: namespace)
        }
    }

    private static func message(
        of stored: StoredEvent, kind: EventKind?, entry: OutboxEntry, namespace: String
    ) -> FeedMessage {
        let typeName = kind?.typeName ?? "Type\(stored.type)"
        let id = messageID(entry.run.run, stored.id)
        var json = JSONWriter()
        json.object { json in
            json.field("namespace", namespace)
            json.field("workflow_id", entry.run.workflow.value)
            json.field("run_id", entry.run.run.value)
            json.field("workflow_type", entry.workflowType)
            json.field("event_id", stored.id.value)
            json.field("event_type", typeName)
            json.field("event_time", RFC3339.text(stored.time))
            json.fieldIfSet("actor", stored.actor)
            if let kind { json.object("attributes") { FeedAttributes.write(kind, to: &$0) } }
        }
        return FeedMessage(
            subject: "aloft.\(token(namespace)).history.\(token(entry.workflowType)).\(typeName)", id: id,
            headers: [
                ("ce-specversion", "1.0"), ("ce-id", id), ("ce-source", "/aloft/\(headerValue(namespace))"),
                ("ce-type", "aloft.history.\(typeName)"), ("ce-time", RFC3339.text(stored.time)),
                ("ce-subject", headerValue(entry.run.workflow.value)), ("ce-sequence", "\(stored.id)"),
                ("content-type", "application/json"),
            ], body: json.bytes)
    }

    static func message(of event: DomainEvent) -> FeedMessage {
        var json = JSONWriter()
        json.object { json in
            json.field("id", event.id)
            json.field("source", event.source)
            json.field("type", event.type)
            json.field("time", RFC3339.text(event.time))
            json.field("subject", event.subject)
            json.field("seq", event.subjectSequence)
            json.fieldIfSet("tenant", event.tenant)
            json.fieldIfSet("op_id", event.operationID)
            json.raw("data", event.data.isEmpty ? Array("{}".utf8) : event.data)
        }
        return FeedMessage(
            subject: "aloft.\(token(event.namespace)).\(token(event.family)).\(token(event.type))", id: event.id,
            headers: [
                ("ce-specversion", "1.0"), ("ce-id", event.id), ("ce-source", headerValue(event.source)),
                ("ce-type", headerValue("\(event.family).\(event.type)")), ("ce-time", RFC3339.text(event.time)),
                ("ce-subject", headerValue(event.subject)), ("ce-sequence", "\(event.subjectSequence)"),
                ("content-type", "application/json"),
            ], body: json.bytes)
    }

    /// One token of a subject: letters, digits, `_` and `-` stay, the rest becomes `_`.
    static func token(_ text: String) -> String {
        guard !text.isEmpty else { return "_" }
        let kept = text.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "-"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// Header values are printable ASCII; anything else is percent-encoded (CloudEvents HTTP binding 3.1.3.2).
    static func headerValue(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "\"") }) {
            return text
        }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "\"") {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Timestamps as text without Foundation.
public enum RFC3339 {
    /// `2026-11-21T08:00:00.123456789Z`; the fraction is left out when it is zero.
    public static func text(_ time: Timestamp) -> String {
        var seconds = time.nanoseconds / 1_000_000_000
        var fraction = time.nanoseconds % 1_000_000_000
        if fraction < 0 {
            fraction += 1_000_000_000
            seconds -= 1
        }
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        let (year, month, day) = civil(days)
        let base =
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))"
        return fraction == 0 ? base + "Z" : base + "." + pad(fraction, 9) + "Z"
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return text.count >= width ? text : String(repeating: "0", count: width - text.count) + text
    }

    /// Days since 1970-01-01 to a Gregorian date, counted in 400-year eras that begin in March.
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
