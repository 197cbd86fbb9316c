import Foundation
public import Postgres

/// What people chose, and the addresses nothing is sent to.
public struct PeopleStore: Sendable {
    public struct Preference: Codable, Hashable, Sendable {
        /// `*` is every one.
        public var channel: String
        public var category: String
        public var isOptedOut: Bool
        public var quietFrom: String
        public var quietUntil: String

        enum CodingKeys: String, CodingKey {
            case channel, category
            case isOptedOut = "opted_out"
            case quietFrom = "quiet_from"
            case quietUntil = "quiet_until"
        }

        public init(
            channel: String = "*", category: String = "*", isOptedOut: Bool, quietFrom: String = "",
            quietUntil: String = ""
        ) {
            self.channel = channel
            self.category = category
            self.isOptedOut = isOptedOut
            self.quietFrom = quietFrom
            self.quietUntil = quietUntil
        }
    }

    public struct Consent: Codable, Hashable, Sendable {
        public var category: String
        public var isGiven: Bool
        public var source: String
        /// Unix seconds.
        public var at: Double

        enum CodingKeys: String, CodingKey {
            case category, source, at
            case isGiven = "given"
        }
    }

    public struct Suppression: Codable, Hashable, Sendable {
        public var channel: String
        /// SHA-256 of the address: the address itself is not kept.
        public var addressHash: String
        public var reason: String
        public var at: Double

        enum CodingKeys: String, CodingKey {
            case channel, reason, at
            case addressHash = "address_hash"
        }
    }

    private let pool: PostgresPool
    private let namespace: String

    public init(pool: PostgresPool, namespace: String = "default") {
        self.pool = pool
        self.namespace = namespace
    }

    // MARK: Preferences

    public func preferences(tenant: String, subject: String) async throws -> ([Preference], [Consent]) {
        let rows = try await self.pool.query(PeopleStatements.preferences) {
            $0.text(tenant)
            $0.text(subject)
        }
        let consents = try await self.pool.query(PeopleStatements.consents) {
            $0.text(tenant)
            $0.text(subject)
        }
        return (
            try rows.map { row throws(PostgresError) in
                Preference(
                    channel: try row.text(0), category: try row.text(1), isOptedOut: try row.bool(2),
                    quietFrom: try row.text(3), quietUntil: try row.text(4))
            },
            try consents.map { row throws(PostgresError) in
                Consent(
                    category: try row.text(0), isGiven: try row.bool(1), source: try row.text(2),
                    at: try row.double(3))
            }
        )
    }

    /// The workflow that has a notification in hand; nil before the notification was accepted.
    public func workflow(tenant: String, notification: String) async throws -> String? {
        let rows = try await self.pool.query(PeopleStatements.workflow) {
            $0.text(tenant)
            $0.text(notification)
        }
        return rows.count == 1 ? try rows[0].text(0) : nil
    }

    /// - Parameter consent: given or taken back, for the category; the ledger keeps every answer.
    public func set(
        _ preference: Preference?, consent: (category: String, isGiven: Bool)?, tenant: String, subject: String
    ) async throws {
        try await self.pool.withTransaction { connection in
            if let preference {
                _ = try await connection.query(PeopleStatements.setPreference) { parameters in
                    parameters.text(tenant)
                    parameters.text(subject)
                    parameters.text(preference.channel)
                    parameters.text(preference.category)
                    parameters.bool(preference.isOptedOut)
                    parameters.text(preference.quietFrom)
                    parameters.text(preference.quietUntil)
                }
            }
            if let consent {
                _ = try await connection.query(PeopleStatements.addConsent) { parameters in
                    parameters.text(tenant)
                    parameters.text(subject)
                    parameters.text(consent.category)
                    parameters.bool(consent.isGiven)
                    parameters.text("api")
                }
            }
        }
    }

    /// Leaves a list at once; again changes nothing.
    public func optOut(_ claim: UnsubscribeLinks.Claim, source: String = "one_click") async throws {
        try await self.pool.withTransaction { connection in
            let changed = try await connection.query(PeopleStatements.optOut) {
                $0.text(claim.tenant)
                $0.text(claim.subject)
                $0.text(claim.list)
            }
            guard changed.count == 1 else { return }
            _ = try await connection.query(PeopleStatements.addConsent) { parameters in
                parameters.text(claim.tenant)
                parameters.text(claim.subject)
                parameters.text(claim.list)
                parameters.bool(false)
                parameters.text(source)
            }
            let data = try PaymentJSON.text(["list": JSONScalar.string(claim.list), "source": .string(source)])
            _ = try await connection.query(PeopleStatements.publish) { parameters in
                parameters.text(self.namespace)
                parameters.text("ntf.opted_out")
                parameters.text(claim.subject)
                parameters.text(data)
                parameters.text("")
                parameters.text("")
                parameters.text(claim.tenant)
            }
        }
    }

    // MARK: Suppressions

    public func suppressions(
        tenant: String, after: (channel: String, hash: String)?, limit: Int
    ) async throws -> [Suppression] {
        let rows = try await self.pool.query(PeopleStatements.suppressions) {
            $0.text(tenant)
            $0.text(after?.channel)
            $0.text(after?.hash)
            $0.int32(Int32(clamping: limit))
        }
        return try rows.map { row throws(PostgresError) in
            Suppression(
                channel: try row.text(0), addressHash: try row.text(1), reason: try row.text(2),
                at: try row.double(3))
        }
    }

    public func suppress(tenant: String, channel: Channel, address: String, reason: String) async throws {
        let hash = AddressHash(channel, address).bytes
        _ = try await self.pool.query(PeopleStatements.suppress) {
            $0.text(tenant)
            $0.text(channel.rawValue)
            $0.bytea(hash)
            $0.text(reason)
        }
    }

    /// - Returns: whether it was suppressed.
    public func unsuppress(tenant: String, channel: Channel, address: String) async throws -> Bool {
        let hash = AddressHash(channel, address).bytes
        return try await self.pool.query(PeopleStatements.unsuppress) {
            $0.text(tenant)
            $0.text(channel.rawValue)
            $0.bytea(hash)
        }.affectedRows == 1
    }
}
