import Foundation
import Postgres
import ServerTestKit
import Synchronization
import Testing

@testable import Activities

/// A private Postgres with the tables of notifications and dead letters.
struct DeadLetterBench: Sendable {
    let pool: PostgresPool
    var store: DeadLetterStore { DeadLetterStore(pool: self.pool) }

    static func with(_ body: @escaping @Sendable (DeadLetterBench) async throws -> Void) async throws {
        let postgres = try await PrivatePostgres.temporary()
        do {
            let pool = PostgresPool(PostgresConfiguration(url: postgres.url()))
            defer { pool.close() }
            try await pool.withConnection { connection in
                try await connection.script(try Self.engineSchema())
                for _ in 0..<2 {  // applying them again changes nothing
                    for sql in [DeadLetterSchema.sql, NotificationSchema.sql, RedriveSchema.sql] {
                        try await connection.script(sql)
                    }
                }
            }
            try await body(DeadLetterBench(pool: pool))
        } catch {
            await postgres.stop()
            throw error
        }
        await postgres.stop()
    }

    private static func engineSchema() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "schema.sql"), encoding: .utf8)
    }

    /// A notification that failed for good, with its request.
    func park(
        _ number: Int, code: String = "provider_5xx", isOutcomeKnown: Bool = true, redrives: Int = 0
    ) async throws {
        let id = "n\(number)"
        var request = NotificationRequest(
            id: id, tenant: "acme", recipient: Recipient(userID: "u\(number)"),
            template: NotificationRequest.Template(id: "welcome"), category: .transactional)
        request.redrive = redrives
        let text = try PaymentJSON.text(request)
        let entry = DeadLetterEntry(
            source: .notification, tenant: "acme", key: request.workflowID, failureClass: "Transient", code: code,
            message: "the provider failed",
            attempts: (1...4).map {
                DeadLetterEntry.Attempt(
                    at: 1_700_000_000 + Double($0), channel: "email", provider: "smtp", failureClass: "Transient",
                    code: "451", text: "try later")
            }, payloadReference: "wf_ntf.notification/\(id)", workflowID: request.workflowID, redriveCount: redrives,
            isOutcomeKnown: isOutcomeKnown)
        try await self.pool.withTransaction { connection in
            _ = try await connection.query(
                Statement(
                    "test_notification",
                    """
                    insert into wf_ntf.notification (id, tenant, subject, template, template_version, category, channels,
                        request, workflow_id)
                    values ($1::text, 'acme', 'user:u', 'welcome', 1, 'transactional', '{email}', $2::text::jsonb, $3::text)
                    on conflict do nothing
                    """)
            ) {
                $0.text(id)
                $0.text(text)
                $0.text(request.workflowID)
            }
            try await entry.park(in: connection, namespace: "default", op: "\(request.workflowID)/Finish/g0")
        }
    }

    func texts(_ sql: String) async throws -> [String] {
        let rows = try await self.pool.query(Statement("test_\(abs(sql.hashValue))", sql))
        return try rows.map { row throws(PostgresError) in try row.text(0) }
    }
}

/// Starts workflows by remembering them; a name is started once, as the engine has it.
final class StartedWorkflows: Sendable {
    private let state = Mutex<(ids: [String], calls: Int, requests: [String: NotificationRequest])>(([], 0, [:]))
    /// Dies after so many starts, as a killed worker does.
    private let diesAfter: Mutex<Int?>

    struct Killed: Error {}

    init(diesAfter: Int? = nil) { self.diesAfter = Mutex(diesAfter) }

    var ids: [String] { self.state.withLock { $0.ids } }
    var requests: [String: NotificationRequest] { self.state.withLock { $0.requests } }

    func heal() { self.diesAfter.withLock { $0 = nil } }

    func start(_ restart: Restart) throws {
        let limit = self.diesAfter.withLock { $0 }
        try self.state.withLock { state in
            state.calls += 1
            if !state.ids.contains(restart.workflowID) { state.ids.append(restart.workflowID) }
            state.requests[restart.workflowID] = restart.input as? NotificationRequest
            if let limit, state.ids.count >= limit { throw Killed() }
        }
    }
}
