/// The body of `POST /v1/schema-upgrades`, checked, with its defaults filled in.
struct UpgradeDraft: Hashable, Sendable {
    /// As the workflow takes it.
    var request: JSONValue

    private static let percentMax: Int64 = 100

    /// - Throws: a 422 problem that names every field that was refused.
    init(_ json: JSONValue) throws(Problem) {
        var fields = FieldReader(json)
        var request: [JSONValue.Member] = []
        func set(_ name: String, _ value: JSONValue?) {
            if let value { request.append(.init(name, value)) }
        }
        let service = fields.text("service", required: true, lengths: 1...40) ?? ""
        if !service.isEmpty, !Self.isName(service) {
            fields.fault("service", "expected letters, digits, '_' and '-'")
        }
        set("service", .string(service))
        set("targetVersion", .string(fields.text("target_version", required: true, lengths: 1...20) ?? ""))
        let set256 = fields.text("migration_set", required: true, lengths: 64...64)
        set("migrationSet", .string(set256 ?? ""))
        set("tenants", Self.tenants(&fields))
        set("waves", Self.waves(&fields))
        set("strategy", Self.choice(&fields, "strategy", ["expand_contract", "transactional", "blue_green"]))
        set("maxConcurrent", .integer(fields.integer("max_concurrent", in: 1...50) ?? 5))
        set("tenantTimeoutSeconds", .integer(Self.duration(&fields, "tenant_timeout", 1...86_400) ?? 300))
        set("backup", .bool(fields.flag("backup") ?? true))
        set("onError", Self.choice(&fields, "on_error", ["stop", "continue"]))
        set("maxFailedTenants", .integer(fields.integer("max_failed_tenants", in: 0...100_000) ?? 0))
        set("lockTimeoutMilliseconds", .integer(fields.integer("lock_timeout_ms", in: 1...60_000) ?? 2_000))
        set("approvals", Self.approvals(&fields))
        set("window", Self.window(&fields))
        set("dryRun", .bool(fields.flag("dry_run") ?? false))
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw .validation(fields.faults) }
        self.request = .object(request)
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    private static func choice(_ fields: inout FieldReader, _ name: String, _ choices: [String]) -> JSONValue {
        guard let value = fields.value(name) else { return .string(choices[0]) }
        if !choices.contains(value.text ?? "") {
            fields.fault(name, "expected one of \(choices.joined(separator: ", "))")
        }
        return value
    }

    private static func duration(
        _ fields: inout FieldReader, _ name: String, _ range: ClosedRange<Int64>
    ) -> Int64? {
        guard let text = fields.text(name, lengths: 1...40) else { return nil }
        guard let seconds = ISODuration.seconds(text), range.contains(Int64(seconds)) else {
            fields.fault(name, "expected a length of time like PT10M, \(range.lowerBound) to \(range.upperBound) s")
            return nil
        }
        return Int64(seconds)
    }

    private static func tenants(_ fields: inout FieldReader) -> JSONValue {
        guard let value = fields.value("tenants"), value.text != "all" else { return [:] }
        if let ids = value.elements {
            let texts = ids.compactMap(\.text)
            if texts.isEmpty || texts.count != ids.count || texts.count > 10_000 {
                fields.fault("tenants", "expected 1 to 10000 ids of tenants")
            }
            return .record(("ids", .array(texts.map { .string($0) })))
        }
        guard value.members != nil else {
            fields.fault("tenants", "expected 'all', a list of ids, or an object with tier and region")
            return [:]
        }
        var selector = FieldReader(value, path: ["tenants"])
        let tier = selector.text("tier", lengths: 1...100)
        let region = selector.text("region", lengths: 1...100)
        selector.refuseOthers()
        fields.add(selector.faults)
        return .record(("tier", tier.map { .string($0) }), ("region", region.map { .string($0) }))
    }

    private static func waves(_ fields: inout FieldReader) -> JSONValue {
        guard let value = fields.value("waves") else {
            return .array([
                Self.wave("canary", 1, 1, 600), Self.wave("early", 10, 0, 1_800), Self.wave("rest", 100, 0, 0),
            ])
        }
        guard let elements = value.elements, (1...20).contains(elements.count) else {
            fields.fault("waves", "expected 1 to 20 waves")
            return .array([])
        }
        var waves: [JSONValue] = []
        var last: Int64 = 0
        for (index, element) in elements.enumerated() {
            var wave = FieldReader(element, path: ["waves", "\(index)"])
            let name = wave.text("name", required: true, lengths: 1...40) ?? ""
            let percent = wave.integer("percent", required: true, in: 1...Self.percentMax) ?? Self.percentMax
            let least = wave.integer("min", in: 0...100_000) ?? 0
            let soak = Self.duration(&wave, "soak", 0...2_592_000) ?? 0
            if percent <= last { wave.fault("percent", "expected more than the wave before: \(last)") }
            last = percent
            wave.refuseOthers()
            fields.add(element.members == nil ? Array(wave.faults.prefix(1)) : wave.faults)
            waves.append(Self.wave(name, percent, least, soak))
        }
        if last != Self.percentMax, fields.faults.isEmpty {
            fields.fault("waves", "the last wave has to reach 100 percent")
        }
        return .array(waves)
    }

    private static func wave(_ name: String, _ percent: Int64, _ least: Int64, _ soak: Int64) -> JSONValue {
        .record(
            ("name", .string(name)), ("percent", .integer(percent)), ("min", .integer(least)),
            ("soakSeconds", .integer(soak)))
    }

    private static func approvals(_ fields: inout FieldReader) -> JSONValue {
        guard let value = fields.value("approvals") else { return .array(["contract"]) }
        let names = ["start", "after_canary", "contract"]
        guard let elements = value.elements, elements.allSatisfy({ names.contains($0.text ?? "") }) else {
            fields.fault("approvals", "expected a list of \(names.joined(separator: ", "))")
            return .array([])
        }
        return value
    }

    private static func window(_ fields: inout FieldReader) -> JSONValue? {
        guard let value = fields.value("window") else { return nil }
        var window = FieldReader(value, path: ["window"])
        let zone = window.text("tz", required: true, lengths: 1...64) ?? ""
        let from = Self.minute(&window, "from")
        let until = Self.minute(&window, "to")
        if let from, from == until { window.fault("to", "is the same as from") }
        window.refuseOthers()
        fields.add(value.members == nil ? Array(window.faults.prefix(1)) : window.faults)
        return .record(
            ("timeZone", .string(zone)), ("fromMinute", .integer(from ?? 0)), ("untilMinute", .integer(until ?? 0)))
    }

    /// `22:30` as a minute of the day.
    private static func minute(_ fields: inout FieldReader, _ name: String) -> Int? {
        guard let text = fields.text(name, required: true, lengths: 5...5) else { return nil }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else {
            fields.fault(name, "expected hours and minutes like 22:30")
            return nil
        }
        return hour * 60 + minute
    }
}
