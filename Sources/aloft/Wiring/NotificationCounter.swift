import Activities
import Foundation
import Gateway
import History
import Postgres

/// The gateway's way to the notification family's tables, templates and keys.
struct NotificationCounter: NotificationDesk {
    let pool: PostgresPool
    let templates: TemplateStore
    let people: PeopleStore
    let batches: BatchStore
    let receipts: ReceiptIntake
    /// nil: requests are not sealed.
    let keys: SubjectKeys?
    let links: UnsubscribeLinks
    let zones = DeliveryZones()

    init(databaseURL: String, master: MasterKey?, links: UnsubscribeLinks) {
        let pool = PostgresPool(PostgresConfiguration(url: databaseURL, applicationName: "aloft notifications"))
        self.pool = pool
        templates = TemplateStore(pool: pool)
        people = PeopleStore(pool: pool)
        batches = BatchStore(pool: pool)
        receipts = ReceiptIntake(pool: pool)
        keys = master.map { SubjectKeys(pool: pool, master: $0) }
        self.links = links
    }

    func close() { pool.close() }

    // MARK: Accepting

    func prepare(_ draft: NotificationDraft) async throws -> DeskVerdict {
        if let zone = draft.windowZone, zones.zone(named: zone) == nil {
            return .refused([DeskFault("/window/tz", "is not a known time zone")])
        }
        var input = draft.input
        input["template"] = .record(
            ("id", .string(draft.template)), ("version", 1), ("locale", draft.locale.map { .string($0) }))
        var request: NotificationRequest
        do {
            request = try Bridge.decode(NotificationRequest.self, input)
        } catch {
            return .refused([DeskFault("", "cannot be read")])
        }
        guard let version = try await version(of: draft, for: request.recipient.subject) else {
            return .refused([DeskFault("/template", "there is no such template, or no active version of it")])
        }
        request.template.version = version
        let faults = try await faults(of: request)
        guard faults.isEmpty else { return .refused(faults) }
        var accepted = try Bridge.encode(try await keys?.seal(request) ?? request)
        accepted["subject"] = .string(request.recipient.subject)
        return .ok(accepted)
    }

    private func version(of draft: NotificationDraft, for subject: String) async throws -> Int? {
        switch draft.version {
        case .number(let number): return number
        case .active: return try await templates.activeVersions(tenant: draft.tenant, id: draft.template).first
        case .test:
            return TemplateBucket.version(
                of: draft.template, for: subject,
                among: try await templates.activeVersions(tenant: draft.tenant, id: draft.template))
        }
    }

    /// What can be judged before the recipient's own locale is known; the rest is judged when the message is rendered.
    private func faults(of request: NotificationRequest) async throws -> [DeskFault] {
        var isThere = false
        for channel in request.channels {
            let found: TemplateStore.VariableFaults?
            do {
                found = try await templates.check(
                    tenant: request.tenant, id: request.template.id, version: request.template.version,
                    channel: channel.rawValue, locale: request.template.locale ?? "", variables: request.variables)
            } catch let fault as TemplateFault {
                let isNamed = fault.kind == .missingVariable && !fault.name.isEmpty
                return [
                    DeskFault(
                        isNamed ? Self.pointer(fault.name) : "/variables", isNamed ? fault.message : fault.description)
                ]
            }
            guard let found else { continue }
            isThere = true
            let faults =
                found.missing.sorted().map { DeskFault(Self.pointer($0), "is missing for the template") }
                + found.unsafe.sorted().map {
                    DeskFault(Self.pointer($0), "contains a line break or control character, and the subject shows it")
                }
            if !faults.isEmpty { return faults }
        }
        if !isThere { return [DeskFault("/template", "has no text for these channels, or there is no such version")] }
        if request.category == .marketing, request.channels.contains(.email) {
            let settings = try await templates.sender(tenant: request.tenant)
            if settings.name.isEmpty || settings.postalAddress.isEmpty {
                return [DeskFault("/category", "marketing mail needs the sender's name and postal address")]
            }
        }
        return []
    }

    /// Where a variable is, by the name that the template has for it.
    private static func pointer(_ name: String) -> String { "/variables/\(name.replacing(".", with: "/"))" }

    func subject(of recipient: Gateway.JSONValue) throws -> DeskVerdict {
        .ok(.string(try Bridge.decode(Recipient.self, recipient).subject))
    }

    func workflow(tenant: String, notification: String) async throws -> String? {
        try await people.workflow(tenant: tenant, notification: notification)
    }

    // MARK: Templates

    func templates(tenant: String) async throws -> DeskVerdict {
        let items = try await templates.list(tenant: tenant).map { item in
            Gateway.JSONValue.record(
                ("id", .string(item.id)), ("active_version", item.active.map { .integer($0) } ?? .null),
                ("newest_version", .integer(item.newest)))
        }
        return .ok(.record(("items", .array(items))))
    }

    func template(tenant: String, id: String) async throws -> DeskVerdict {
        let rows = try await templates.versions(tenant: tenant, id: id)
        guard !rows.isEmpty else { return .notFound("there is no template with this id") }
        return .ok(.record(("id", .string(id)), ("versions", .array(try rows.map { try Bridge.encode($0) }))))
    }

    private struct TemplateText: Decodable {
        var overCap: String?
        var bodies: [Entry]

        struct Entry: Decodable {
            var locale: String?
            var channel: String
            var subject: String?
            var html: String?
            var text: String?
            var fields: [String: String]?
            var platformTemplate: String?
            var optional: [String]?

            enum CodingKeys: String, CodingKey {
                case locale, channel, subject, html, text, fields, optional
                case platformTemplate = "platform_template"
            }

            var entry: TemplateEntry {
                TemplateEntry(
                    locale: locale ?? "", channel: channel,
                    body: TemplateBody(
                        subject: subject, html: html, text: text, fields: fields, platformTemplate: platformTemplate,
                        optional: optional))
            }
        }

        enum CodingKeys: String, CodingKey {
            case bodies
            case overCap = "over_cap"
        }
    }

    func saveTemplate(tenant: String, id: String, version: Int?, body: Gateway.JSONValue) async throws -> DeskVerdict {
        let text: TemplateText
        do {
            text = try Bridge.decode(TemplateText.self, body)
        } catch {
            return .refused([Bridge.fault(error)])
        }
        guard ["defer", "drop"].contains(text.overCap ?? "defer") else {
            return .refused([DeskFault("/over_cap", "expected defer or drop")])
        }
        do {
            let saved = try await templates.save(
                tenant: tenant, id: id, version: version, entries: text.bodies.map(\.entry),
                overCap: text.overCap ?? "defer")
            guard let saved else { return .conflict("the version is not a draft any more: post a new one") }
            return .ok(.record(("id", .string(id)), ("version", .integer(saved)), ("state", "draft")))
        } catch let fault as TemplateFault {
            return .refused([DeskFault(fault.name.isEmpty ? "/bodies" : "/bodies/\(fault.name)", fault.message)])
        }
    }

    func activateTemplate(tenant: String, id: String, version: Int, alongside: Bool) async throws -> DeskVerdict {
        guard try await templates.activate(tenant: tenant, id: id, version: version, alongside: alongside) else {
            return .notFound("there is no such version")
        }
        return .ok(.record(("id", .string(id)), ("version", .integer(version)), ("state", "active")))
    }

    // MARK: Receipts

    func receipt(_ delivery: WebhookDelivery) async throws -> WebhookVerdict {
        let taken: ReceiptIntake.Taken
        do {
            taken = try await receipts.take(provider: delivery.provider, body: delivery.body)
        } catch is ReceiptIntake.Unreadable {
            return .unwanted
        }
        guard let notice = taken.notice else { return taken.isNew ? .unwanted : .duplicate }
        let signal = WebhookSignal(
            workflow: WorkflowID(notice.workflowID), name: "receipt", input: try Bridge.encode(notice.event))
        return .accepted([signal])
    }

    // MARK: Batches

    func openBatch(id: String, tenant: String, total: Int) async throws {
        try await batches.open(id: id, tenant: tenant, total: total)
    }

    func batchRows(id: String, _ rows: [BatchRow]) async throws {
        try await batches.add(
            rows.map { row in
                let faults = row.faults.map {
                    Gateway.JSONValue.record(("pointer", .string($0.pointer)), ("detail", .string($0.detail)))
                }
                return BatchStore.Row(
                    number: row.number, notification: row.notification,
                    errors: String(decoding: JSONWriter.write(.array(faults)), as: UTF8.self))
            }, to: id)
    }

    func closeBatch(id: String, total: Int) async throws { try await batches.close(id: id, total: total) }

    func batch(id: String) async throws -> DeskVerdict {
        guard let view = try await batches.show(id) else { return .notFound("there is no batch with this id") }
        return .ok(try Bridge.encode(view))
    }
}

/// Between the gateway's JSON and Codable values.
enum Bridge {
    static func encode(_ value: some Encodable) throws -> Gateway.JSONValue {
        try JSONParser.parse([UInt8](try JSONEncoder().encode(value)))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ value: Gateway.JSONValue) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(JSONWriter.write(value)))
    }

    /// The place of a decoding failure as a pointer.
    static func fault(_ error: any Error) -> DeskFault {
        func pointer(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
            (path + (last.map { [$0] } ?? [])).map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return DeskFault(pointer(context.codingPath, key), "is required")
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            return DeskFault(pointer(context.codingPath), "is of another kind than expected")
        case DecodingError.dataCorrupted(let context):
            return DeskFault(pointer(context.codingPath), "is not valid")
        default: return DeskFault("", "cannot be read")
        }
    }
}
