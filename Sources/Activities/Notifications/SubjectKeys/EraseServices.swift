import Foundation
public import Postgres
public import Worker

/// The input of `ntf.Erase`: `erase:{tenant}:{subject}`.
public struct EraseInput: Codable, Hashable, Sendable {
    public var tenant: String
    /// `user:{id}` or `addr:{hash}`; never an address.
    public var subject: String
    public var reason: String
    public var actor: String

    public init(tenant: String, subject: String, reason: String = "", actor: String = "") {
        self.tenant = tenant
        self.subject = subject
        self.reason = reason
        self.actor = actor
    }
}

/// What was erased.
public struct Erased: Codable, Hashable, Sendable {
    public var keys: Int
    public var notifications: Int

    public init(keys: Int, notifications: Int) {
        self.keys = keys
        self.notifications = notifications
    }
}

/// Erases a subject: its keys are destroyed, its rows cleared, in one transaction; erasing again changes nothing.
///
/// The consent ledger, opt-outs and suppressed addresses (hashes) stay: without them it would be written to again.
public struct EraseServices: Sendable {
    private let pool: PostgresPool
    /// nil: requests are not sealed, and only rows are cleared.
    private let keys: SubjectKeys?

    public init(pool: PostgresPool, keys: SubjectKeys?) {
        self.pool = pool
        self.keys = keys
    }

    func erase(_ input: EraseInput, _ scope: EffectScope) async throws -> Erased {
        do {
            let (erased, ids) = try await self.pool.withTransaction { connection in
                try await self.erase(input, scope, connection)
            }
            self.keys?.forget(ids)
            return erased
        } catch let error as PostgresError {
            throw EffectFailure(error)
        }
    }

    private func erase(
        _ input: EraseInput, _ scope: EffectScope, _ connection: PostgresTransaction
    ) async throws -> (Erased, [String]) {
        let profile = try await connection.query(SubjectKeyStatements.profile) {
            $0.text(input.tenant)
            $0.text(input.subject)
        }
        var subjects = [input.subject]
        if profile.count == 1 {
            for (column, channel) in [Channel.email, .sms, .wechat].enumerated() {
                if let address = try profile[0].textOrNil(column) {
                    subjects.append("addr:\(AddressHash(channel, address).hex)")
                }
            }
        }
        let all = subjects
        func run(_ statement: Statement) async throws -> ResultSet {
            try await connection.query(statement) {
                $0.text(input.tenant)
                $0.texts(all)
            }
        }
        _ = try await run(SubjectKeyStatements.clearDeadLetters)
        _ = try await run(SubjectKeyStatements.clearReplies)
        _ = try await run(SubjectKeyStatements.clearResults)
        let cleared = try await run(SubjectKeyStatements.clearRequests).affectedRows
        _ = try await run(SubjectKeyStatements.clearSlots)
        _ = try await run(SubjectKeyStatements.clearPreferences)
        let destroyed = try await run(SubjectKeyStatements.destroyKeys)
        let ids = try destroyed.map { row throws(PostgresError) in try row.text(0) }
        if cleared > 0 || !ids.isEmpty {
            let data = try PaymentJSON.text([
                "reason": JSONScalar.string(input.reason), "actor": .string(input.actor),
                "keys": .integer(Int64(ids.count)), "notifications": .integer(Int64(cleared)),
            ])
            _ = try await connection.query(SubjectKeyStatements.publish) { parameters in
                parameters.text(scope.namespace)
                parameters.text(input.subject)
                parameters.text(data)
                parameters.text(OperationID(workflow: scope.workflowID, step: "EraseSubject").value)
                parameters.text(scope.workflowID)
                parameters.text(input.tenant)
            }
        }
        return (Erased(keys: ids.count, notifications: cleared), ids)
    }

    /// The activity that `ntf.Erase` runs.
    public var activities: [RegisteredActivity] {
        let backoff = RetryBackoff(base: .milliseconds(100), cap: .seconds(60))
        return [
            RegisteredActivity("EraseSubject", retryBackoff: backoff) { (input: EraseInput, context: ActivityContext) in
                try await self.erase(
                    input,
                    EffectScope(
                        workflowID: context.info.workflowID, namespace: context.info.namespace,
                        timeRemaining: context.timeRemaining))
            }
        ]
    }
}
