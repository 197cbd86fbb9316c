import Foundation
public import Postgres

/// One version's text for one channel in one locale, as the API takes and shows it.
public struct TemplateEntry: Codable, Hashable, Sendable {
    public var locale: String
    public var channel: String
    public var body: TemplateBody

    public init(locale: String = "", channel: String, body: TemplateBody) {
        self.locale = locale
        self.channel = channel
        self.body = body
    }
}

/// One row of a template, with its version and state.
public struct TemplateRow: Codable, Hashable, Sendable {
    public var version: Int
    public var state: String
    public var overCap: String
    public var entry: TemplateEntry
    /// Unix seconds.
    public var createdAt: Double

    enum CodingKeys: String, CodingKey {
        case version, state, entry
        case overCap = "over_cap"
        case createdAt = "created_at"
    }
}

/// What the table keeps beside the texts.
private struct TemplateExtras: Codable {
    var fields: [String: String]?
    var optional: [String]?
    var providerTemplate: String?

    enum CodingKeys: String, CodingKey {
        case fields, optional
        case providerTemplate = "provider_template"
    }
}

extension TemplateBody {
    init(subject: String, text: String, html: String, extras: String) {
        let extra = try? PaymentJSON.value(TemplateExtras.self, extras)
        self.init(
            subject: subject.isEmpty ? nil : subject, html: html.isEmpty ? nil : html,
            text: text.isEmpty ? nil : text, fields: extra?.fields, platformTemplate: extra?.providerTemplate,
            optional: extra?.optional)
    }

    fileprivate var extras: String {
        get throws {
            try PaymentJSON.text(
                TemplateExtras(fields: self.fields, optional: self.optional, providerTemplate: self.platformTemplate))
        }
    }
}

/// Templates with their versions: draft until activated, never changed after that.
public struct TemplateStore: Sendable {
    let pool: PostgresPool
    static let entriesMax = 100

    public init(pool: PostgresPool) { self.pool = pool }

    /// Each template's id, active version and newest version.
    public func list(tenant: String) async throws -> [(id: String, active: Int?, newest: Int)] {
        let rows = try await self.pool.query(TemplateStatements.list) { $0.text(tenant) }
        return try rows.map { row throws(PostgresError) in
            (try row.text(0), try row.int32OrNil(1).map { Int($0) }, Int(try row.int32(2)))
        }
    }

    public func versions(tenant: String, id: String) async throws -> [TemplateRow] {
        let rows = try await self.pool.query(TemplateStatements.versions) {
            $0.text(tenant)
            $0.text(id)
        }
        return try rows.map { row throws(PostgresError) in
            let body = TemplateBody(
                subject: try row.text(3), text: try row.text(4), html: try row.text(5), extras: try row.text(6))
            return TemplateRow(
                version: Int(try row.int32(0)), state: try row.text(7), overCap: try row.text(8),
                entry: TemplateEntry(locale: try row.text(1), channel: try row.text(2), body: body),
                createdAt: try row.double(9))
        }
    }

    /// Saves a draft: a new version, or another text for one that is still a draft.
    ///
    /// - Returns: the version; nil when it is no draft any more.
    /// - Throws: ``TemplateFault`` whose name is `{index}/{part}`.
    public func save(
        tenant: String, id: String, version: Int?, entries: [TemplateEntry], overCap: String = "defer"
    ) async throws -> Int? {
        guard (1...Self.entriesMax).contains(entries.count) else {
            throw TemplateFault(.syntax, name: "", "expected 1 to \(Self.entriesMax) bodies")
        }
        for (index, entry) in entries.enumerated() {
            do throws(TemplateFault) {
                _ = try entry.body.check(channel: entry.channel)
            } catch {
                throw TemplateFault(error.kind, name: "\(index)/\(error.name)", error.message)
            }
        }
        return try await self.pool.withTransaction { connection in
            _ = try await connection.query(TemplateStatements.lockTemplate) {
                $0.text(tenant)
                $0.text(id)
            }
            let number: Int
            if let version {
                let state = try await connection.query(TemplateStatements.versionState) {
                    $0.text(tenant)
                    $0.text(id)
                    $0.int32(Int32(clamping: version))
                }
                if state.count == 1, try state[0].text(0) != "draft" { return nil }
                number = version
            } else {
                let next = try await connection.query(TemplateStatements.nextVersion) {
                    $0.text(tenant)
                    $0.text(id)
                }
                number = Int(try next[0].int32(0))
            }
            _ = try await connection.query(TemplateStatements.clearDraft) {
                $0.text(tenant)
                $0.text(id)
                $0.int32(Int32(clamping: number))
            }
            for entry in entries {
                let extras = try entry.body.extras
                _ = try await connection.query(TemplateStatements.insert) { parameters in
                    parameters.text(tenant)
                    parameters.text(id)
                    parameters.int32(Int32(clamping: number))
                    parameters.text(LocaleChain.canonical(entry.locale))
                    parameters.text(entry.channel)
                    parameters.text(entry.body.subject ?? "")
                    parameters.text(entry.body.text ?? "")
                    parameters.text(entry.body.html ?? "")
                    parameters.text(extras)
                    parameters.text(overCap)
                }
            }
            return number
        }
    }

    /// - Parameter alongside: other active versions stay active, for an A/B test.
    /// - Returns: false when there is no such version.
    public func activate(tenant: String, id: String, version: Int, alongside: Bool) async throws -> Bool {
        try await self.pool.withTransaction { connection in
            func fill(_ parameters: inout Parameters) {
                parameters.text(tenant)
                parameters.text(id)
                parameters.int32(Int32(clamping: version))
            }
            let activated = try await connection.query(TemplateStatements.activate) { fill(&$0) }
            guard activated.affectedRows > 0 else { return false }
            if !alongside { _ = try await connection.query(TemplateStatements.retireOthers) { fill(&$0) } }
            return true
        }
    }

    /// The newest first.
    public func activeVersions(tenant: String, id: String) async throws -> [Int] {
        let rows = try await self.pool.query(TemplateStatements.activeVersions) {
            $0.text(tenant)
            $0.text(id)
        }
        return try rows.map { row throws(PostgresError) in Int(try row.int32(0)) }
    }

    /// The text for a locale or the nearest more general one, and who sends for this tenant.
    func find(
        tenant: String, id: String, version: Int, channel: String, locale: String
    ) async throws(PostgresError) -> (body: TemplateBody, senderName: String, postalAddress: String)? {
        let chain = LocaleChain.of(locale)
        let rows = try await self.pool.query(TemplateStatements.render) { parameters in
            parameters.text(tenant)
            parameters.text(id)
            parameters.int32(Int32(clamping: version))
            parameters.text(channel)
            parameters.texts(chain)
        }
        guard rows.count == 1 else { return nil }
        let row = rows[0]
        let body = TemplateBody(
            subject: try row.text(1), text: try row.text(2), html: try row.text(3), extras: try row.text(4))
        return (body, try row.text(5), try row.text(6))
    }

    /// Who sends for a tenant, as marketing mail must show it; empty where nobody said.
    public func sender(tenant: String) async throws -> (name: String, postalAddress: String) {
        let rows = try await self.pool.query(TemplateStatements.sender) { $0.text(tenant) }
        guard rows.count == 1 else { return ("", "") }
        return (try rows[0].text(0), try rows[0].text(1))
    }

    /// What is wrong with a message's variables.
    public struct VariableFaults: Hashable, Sendable {
        /// Names that the template needs.
        public var missing: Set<String> = []
        /// Names whose values would break out of the subject's header line.
        public var unsafe: Set<String> = []
    }

    /// Checks variables against the text that their sender's locale leads to.
    ///
    /// - Returns: nil when there is no such version for this channel.
    public func check(
        tenant: String, id: String, version: Int, channel: String, locale: String, variables: [String: JSONScalar]
    ) async throws -> VariableFaults? {
        guard
            let found = try await self.find(
                tenant: tenant, id: id, version: version, channel: channel, locale: locale)
        else { return nil }
        let frame = SenderFrame(senderName: "-", postalAddress: "-", unsubscribeURL: "-")
        let values = try TemplateVariables(variables).adding(frame.variables)
        var faults = VariableFaults()
        for part in found.body.parts {
            let text = try TemplateText(part.source, part.kind)
            faults.missing.formUnion(try text.missing(in: values, optional: Set(found.body.optional ?? [])))
            guard part.name == "subject" else { continue }
            let used = Set(text.variables.map { $0.prefix { $0 != "." } }.map(String.init))
            faults.unsafe = used.filter { variables[$0]?.breaksHeader ?? false }
        }
        return faults
    }
}

extension JSONScalar {
    /// Whether any text in it has a character that ends a header line or turns it around.
    fileprivate var breaksHeader: Bool {
        switch self {
        case .null, .bool, .integer, .number: return false
        case .string(let text): return text.unicodeScalars.contains(where: \.isHeaderBreaking)
        case .array(let elements): return elements.contains(where: \.breaksHeader)
        case .object(let members): return members.values.contains(where: \.breaksHeader)
        }
    }
}
