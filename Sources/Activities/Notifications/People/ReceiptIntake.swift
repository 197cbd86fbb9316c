import Foundation
public import Postgres

/// Takes providers' verified reports about messages and says which workflow has to be told.
public struct ReceiptIntake: Sendable {
    public struct Notice: Hashable, Sendable {
        public var workflowID: String
        public var event: ReceiptEvent
    }

    public struct Taken: Hashable, Sendable {
        public var isNew: Bool
        /// nil when nobody waits: the message is unknown, or its workflow is over and the tables were changed here.
        public var notice: Notice?
    }

    /// What a provider sends; members we do not know do not matter.
    public struct Report: Decodable, Sendable {
        public var id: String
        public var type: String
        /// The provider's own reference, as it answered the send.
        public var reference: String
        public var code: String?
        public var bounceType: String?

        enum CodingKeys: String, CodingKey {
            case id, type, reference, code
            case bounceType = "bounce_type"
        }

        var kind: ReceiptEvent.Kind? {
            switch self.type.split(separator: ".").last.map(String.init) {
            case "delivered", "delivery": .delivered
            case "bounced", "bounce", "failed", "undelivered": .bounced
            case "complained", "complaint": .complained
            default: nil
            }
        }

        var bounce: ReceiptEvent.Bounce? {
            self.bounceType.flatMap { ReceiptEvent.Bounce(rawValue: $0.lowercased()) }
        }
    }

    /// Thrown for a body that is no report.
    public struct Unreadable: Error, Hashable, Sendable {
        public var pointer: String
    }

    private let pool: PostgresPool
    private let people: PeopleStore

    /// How long a reference that nobody knows is waited for, in all about two seconds.
    private static let pauses: [Duration] = [
        .milliseconds(50), .milliseconds(150), .milliseconds(500), .milliseconds(1300),
    ]

    public init(pool: PostgresPool) {
        self.pool = pool
        self.people = PeopleStore(pool: pool)
    }

    /// Taking a report again changes nothing; a workflow that still runs is told again, under the same request id.
    public func take(provider: String, body: [UInt8]) async throws -> Taken {
        let report: Report
        do {
            report = try JSONDecoder().decode(Report.self, from: Data(body))
        } catch DecodingError.keyNotFound(let key, _) {
            throw Unreadable(pointer: "/\(key.stringValue)")
        } catch {
            throw Unreadable(pointer: "")
        }
        guard let kind = report.kind else { throw Unreadable(pointer: "/type") }
        let isKnown = try await self.pool.query(PeopleStatements.knownReceipt) { $0.text(report.id) }.count == 1
        let rows = try await self.delivery(provider: provider, reference: report.reference)
        guard rows.count == 1, let channel = Channel(rawValue: try rows[0].text(2)) else {
            return Taken(isNew: !isKnown)
        }
        let event = ReceiptEvent(
            eventID: report.id, channel: channel, kind: kind, code: report.code ?? "", bounce: report.bounce)
        if try rows[0].bool(6) {
            if !isKnown { try await self.late(event, rows[0], report) }
            return Taken(isNew: !isKnown)
        }
        return Taken(isNew: !isKnown, notice: Notice(workflowID: try rows[0].text(5), event: event))
    }

    /// A carrier may report before its own answer to the send was written down: a name that is not known yet is looked for again.
    private func delivery(provider: String, reference: String) async throws -> ResultSet {
        for pause in Self.pauses {
            let rows = try await self.find(provider, reference)
            if rows.count > 0 { return rows }
            try await Task.sleep(for: pause)
        }
        return try await self.find(provider, reference)
    }

    private func find(_ provider: String, _ reference: String) async throws -> ResultSet {
        try await self.pool.query(PeopleStatements.delivery) {
            $0.text(provider)
            $0.text(reference)
        }
    }

    /// A report that comes after the workflow's end: a message may be delivered first and bounce later.
    private func late(_ event: ReceiptEvent, _ row: Row, _ report: Report) async throws {
        let (tenant, notification) = (try row.text(0), try row.text(1))
        let (hash, subject) = (try row.text(3), try row.text(4))
        try await self.pool.withTransaction { connection in
            let inserted = try await connection.query(PeopleStatements.insertReceipt) { parameters in
                parameters.text(event.eventID)
                parameters.text(tenant)
                parameters.text(notification)
                parameters.text(event.channel.rawValue)
                parameters.text(event.kind.rawValue)
                parameters.text(event.code)
                parameters.text(event.bounce?.rawValue ?? "")
            }
            guard inserted.affectedRows == 1, event.kind == .bounced, event.bounce == .permanent else { return }
            let bytes = stride(from: 0, to: hash.utf8.count, by: 2).compactMap { index in
                UInt8(hash.dropFirst(index).prefix(2), radix: 16)
            }
            _ = try await connection.query(PeopleStatements.suppress) {
                $0.text(tenant)
                $0.text(event.channel.rawValue)
                $0.bytea(bytes)
                $0.text("bounced")
            }
        }
        if event.kind == .complained {
            try await self.people.optOut(
                UnsubscribeLinks.Claim(tenant: tenant, subject: subject, list: Category.marketing.rawValue),
                source: "complaint")
        }
    }
}
