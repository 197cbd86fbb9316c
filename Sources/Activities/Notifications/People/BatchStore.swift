import Foundation
public import Postgres

/// Batches: how many notifications each brought, what was refused, how far they are.
public struct BatchStore: Sendable {
    public struct Row: Sendable {
        public var number: Int
        /// nil when it was refused.
        public var notification: String?
        /// A JSON list of what was refused.
        public var errors: String

        public init(number: Int, notification: String?, errors: String) {
            self.number = number
            self.notification = notification
            self.errors = errors
        }
    }

    public struct View: Codable, Hashable, Sendable {
        public struct Refused: Codable, Hashable, Sendable {
            public var number: Int
            public var errors: JSONScalar
        }

        public var id: String
        public var tenant: String
        public var total: Int
        public var accepted: Int
        public var refused: Int
        public var state: String
        public var createdAt: Double
        /// How many notifications are in which state.
        public var states: [String: Int]
        /// The first refused ones.
        public var faults: [Refused]

        enum CodingKeys: String, CodingKey {
            case tenant, total, accepted, refused, state, states, faults
            case id = "batch_id"
            case createdAt = "created_at"
        }
    }

    private let pool: PostgresPool

    public init(pool: PostgresPool) { self.pool = pool }

    public func open(id: String, tenant: String, total: Int) async throws {
        _ = try await self.pool.query(PeopleStatements.openBatch) {
            $0.text(id)
            $0.text(tenant)
            $0.int32(Int32(clamping: total))
        }
    }

    public func add(_ rows: [Row], to id: String) async throws {
        let accepted = rows.filter { $0.notification != nil }.count
        try await self.pool.withTransaction { connection in
            let inserted = try await connection.query(PeopleStatements.batchRows) { parameters in
                parameters.text(id)
                parameters.int32s(rows.map { Int32(clamping: $0.number) })
                parameters.texts(rows.map { $0.notification ?? "" })
                parameters.texts(rows.map(\.errors))
            }
            guard inserted.affectedRows == rows.count else { return }
            _ = try await connection.query(PeopleStatements.countBatch) {
                $0.text(id)
                $0.int32(Int32(accepted))
                $0.int32(Int32(rows.count - accepted))
            }
        }
    }

    public func close(id: String, total: Int) async throws {
        _ = try await self.pool.query(PeopleStatements.closeBatch) {
            $0.text(id)
            $0.int32(Int32(clamping: total))
        }
    }

    public func show(_ id: String) async throws -> View? {
        let rows = try await self.pool.query(PeopleStatements.batch) { $0.text(id) }
        guard rows.count == 1 else { return nil }
        var view = View(
            id: id, tenant: try rows[0].text(0), total: Int(try rows[0].int32(1)),
            accepted: Int(try rows[0].int32(2)), refused: Int(try rows[0].int32(3)), state: try rows[0].text(4),
            createdAt: try rows[0].double(5), states: [:], faults: [])
        let states = try await self.pool.query(PeopleStatements.batchStates) { $0.text(id) }
        for index in 0..<states.count { view.states[try states[index].text(0)] = Int(try states[index].int64(1)) }
        let faults = try await self.pool.query(PeopleStatements.batchFaults) { $0.text(id) }
        for index in 0..<faults.count {
            let errors = try faults[index].textOrNil(1) ?? "[]"
            view.faults.append(
                View.Refused(
                    number: Int(try faults[index].int32(0)),
                    errors: (try? PaymentJSON.value(JSONScalar.self, errors)) ?? .null))
        }
        return view
    }
}
