import Foundation
public import Postgres

/// Reads dead letters, and settles them other than by redriving.
public struct DeadLetterStore: Sendable {
    /// A refusal that the asker can do something about.
    public enum Refusal: Error, Hashable, Sendable {
        case notFound(String)
        /// The state does not allow it.
        case precondition(String)
        /// Somebody else has to do it.
        case needsAnother(String)
    }

    /// Where a page of the list goes on.
    public struct Place: Hashable, Sendable {
        public var microseconds: Int64
        public var id: String

        public init(microseconds: Int64, id: String) {
            self.microseconds = microseconds
            self.id = id
        }
    }

    /// An entry redriven this often in vain needs force.
    public static let redrivesMax = 3
    static let samplesMax = 5

    let pool: PostgresPool

    public init(pool: PostgresPool) { self.pool = pool }

    /// Newest first.
    public func list(
        _ filter: DeadLetterFilter, after: Place? = nil, limit: Int
    ) async throws -> [(entry: DeadLetterView, place: Place)] {
        let rows = try await self.pool.query(DeadLetterStatements.list) { parameters in
            parameters.add(filter)
            parameters.int64(after?.microseconds)
            parameters.uuid(after.flatMap { PostgresUUID($0.id) })
            parameters.int32(Int32(clamping: limit))
        }
        return try rows.map { row throws(PostgresError) in
            let entry = try DeadLetterView(row)
            return (entry, Place(microseconds: try row.int64(17), id: entry.id))
        }
    }

    public func show(_ id: String) async throws -> DeadLetterView {
        guard let uuid = PostgresUUID(id) else { throw Refusal.notFound("there is no dead letter with this id") }
        let rows = try await self.pool.query(DeadLetterStatements.show) { $0.uuid(uuid) }
        guard rows.count == 1 else { throw Refusal.notFound("there is no dead letter with this id") }
        return try DeadLetterView(rows[0])
    }

    public func stats() async throws -> DeadLetterStats {
        let rows = try await self.pool.query(DeadLetterStatements.stats)
        return DeadLetterStats(
            rows: try rows.map { row throws(PostgresError) in
                DeadLetterStats.Row(
                    source: try row.text(0), code: try row.text(1), state: try row.text(2),
                    count: Int(try row.int64(3)), oldest: try row.double(4))
            })
    }

    /// What monitoring wants to know.
    public struct Gauges: Sendable {
        /// Of every source: how many wait, and the age of the oldest in seconds.
        public var sources: [(source: String, depth: Int64, oldestSeconds: Double)] = []
        /// How many were ever parked.
        public var parked: [(source: String, code: String, count: Int64)] = []

        public init() {}
    }

    public func gauges() async throws -> Gauges {
        var gauges = Gauges()
        let rows = try await self.pool.query(DeadLetterStatements.gauges)
        let known = try rows.map { row throws(PostgresError) in
            (source: try row.text(0), depth: try row.int64(1), oldestSeconds: try row.double(2))
        }
        gauges.sources = DeadLetterEntry.Source.allCases.map { source in
            known.first { $0.source == source.rawValue } ?? (source.rawValue, 0, 0)
        }
        let parked = try await self.pool.query(DeadLetterStatements.parkedByCode)
        gauges.parked = try parked.map { row throws(PostgresError) in
            (try row.text(0), try row.text(1), try row.int64(2))
        }
        return gauges
    }

    /// What a redrive with this filter would take; changes nothing.
    public func preview(_ filter: DeadLetterFilter) async throws -> RedrivePreview {
        var filter = filter
        filter.state = DeadLetterEntry.State.parked.rawValue
        let chosen = filter
        let rows = try await self.pool.query(DeadLetterStatements.preview) { parameters in
            parameters.add(chosen)
            parameters.int32(Int32(Self.redrivesMax))
        }
        var preview = RedrivePreview(count: 0, byCode: [:], samples: [], needForce: 0)
        for index in 0..<rows.count {
            let row = rows[index]
            let count = Int(try row.int64(1))
            let oldest = try row.double(2)
            preview.count += count
            preview.byCode[try row.text(0)] = count
            preview.oldest = min(preview.oldest ?? oldest, oldest)
            preview.needForce += Int(try row.int64(3))
        }
        preview.samples = try await self.list(chosen, limit: Self.samplesMax).map(\.entry)
        return preview
    }

    /// Redrives, newest first.
    public func jobs(id: String? = nil, limit: Int) async throws -> [RedriveJobView] {
        let rows = try await self.pool.query(DeadLetterStatements.jobs) {
            $0.text(id)
            $0.int32(Int32(clamping: limit))
        }
        return try rows.map { row throws(PostgresError) in
            RedriveJobView(
                id: try row.text(0), source: try row.text(1), workflowID: try row.text(2),
                perSecond: try row.double(3), state: try row.text(4), total: Int(try row.int32(5)),
                done: Int(try row.int64(11)), failed: Int(try row.int32(6)), reason: try row.text(7),
                actor: try row.text(8), createdAt: try row.double(9), endedAt: try row.doubleOrNil(10))
        }
    }

    /// Closes an entry by hand.
    public func resolve(_ id: String, note: String, actor: String) async throws {
        guard let uuid = PostgresUUID(id) else { throw Refusal.notFound("there is no dead letter with this id") }
        try await self.pool.withTransaction { connection in
            let rows = try await connection.query(DeadLetterStatements.resolve) {
                $0.uuid(uuid)
                $0.text("\(note) (\(actor))")
            }
            guard rows.count == 1 else {
                throw Refusal.precondition("only an entry that is parked or redriven can be resolved")
            }
            try await Self.publish(
                "dlq.resolved", id: id, ["actor": .string(actor), "note": .string(note)],
                workflow: try rows[0].text(1), tenant: try rows[0].text(0), namespace: try rows[0].text(2), connection)
        }
    }

    // MARK: Purging

    /// Asks for a purge; nothing is purged until somebody else approves.
    ///
    /// - Returns: the request's id.
    public func askPurge(_ filter: DeadLetterFilter, reason: String, actor: String) async throws -> String {
        let text = try PaymentJSON.text(filter)
        let rows = try await self.pool.query(DeadLetterStatements.askPurge) {
            $0.text(text)
            $0.text(reason)
            $0.text(actor)
        }
        return try rows[0].text(0)
    }

    /// Approves a purge and does it.
    ///
    /// - Returns: how many entries were purged; the same when it is asked again.
    public func approvePurge(_ id: String, actor: String) async throws -> Int {
        guard let uuid = PostgresUUID(id) else { throw Refusal.notFound("there is no purge with this id") }
        return try await self.pool.withTransaction { connection in
            let rows = try await connection.query(DeadLetterStatements.purgeRequest) { $0.uuid(uuid) }
            guard rows.count == 1 else { throw Refusal.notFound("there is no purge with this id") }
            if let purged = try rows[0].int32OrNil(3) { return Int(purged) }
            guard try rows[0].text(1) != actor else {
                throw Refusal.needsAnother("whoever asked for a purge cannot approve it")
            }
            let filter = try PaymentJSON.value(DeadLetterFilter.self, try rows[0].text(0))
            let purged = try await connection.query(DeadLetterStatements.purge) { parameters in
                parameters.add(filter)
                parameters.text("purged: \(id)")
            }.affectedRows
            _ = try await connection.query(DeadLetterStatements.endPurge) {
                $0.uuid(uuid)
                $0.text(actor)
                $0.int32(Int32(clamping: purged))
            }
            try await Self.publish(
                "dlq.purged", id: id, ["actor": .string(actor), "count": .integer(Int64(purged))], workflow: "",
                tenant: filter.tenant ?? "default", namespace: "default", connection)
            return purged
        }
    }

    static func publish(
        _ type: String, id: String, _ data: [String: JSONScalar], workflow: String, tenant: String, namespace: String,
        op: String = "", _ connection: PostgresTransaction
    ) async throws {
        let text = try PaymentJSON.text(data)
        _ = try await connection.query(DeadLetterStatements.publish) { parameters in
            parameters.text(namespace)
            parameters.text(type)
            parameters.text(id)
            parameters.text(text)
            parameters.text(op)
            parameters.text(workflow)
            parameters.text(tenant)
        }
    }
}

extension Parameters {
    /// The first eight parameters of a statement that selects by a filter.
    mutating func add(_ filter: DeadLetterFilter) {
        self.texts(filter.ids)
        self.text(filter.source)
        self.text(filter.tenant)
        self.text(filter.code)
        self.text(filter.failureClass)
        self.text(filter.state)
        self.double(filter.since)
        self.text(filter.text)
    }
}

extension DeadLetterView {
    init(_ row: Row) throws(PostgresError) {
        self.id = try row.text(0)
        self.source = try row.text(1)
        self.tenant = try row.text(2)
        self.key = try row.text(3)
        self.failureClass = try row.text(4)
        self.code = try row.text(5)
        self.message = try row.text(6)
        let attempts = try row.text(7)
        self.attempts = (try? PaymentJSON.value([DeadLetterEntry.Attempt].self, attempts)) ?? []
        self.payloadReference = try row.text(8)
        self.workflowID = try row.text(9)
        self.firstAt = try row.double(10)
        self.lastAt = try row.double(11)
        self.state = try row.text(12)
        self.redriveCount = Int(try row.int32(13))
        self.isOutcomeKnown = try row.bool(14)
        self.redrivenAs = try row.textOrNil(15)
        self.note = try row.text(16)
    }
}
