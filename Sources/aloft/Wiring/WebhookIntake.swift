import Activities
import Gateway
import History
import Postgres

/// Brings verified webhooks to the payment family's table and says which workflow to wake.
struct WebhookIntake: Sendable {
    private let pool: PostgresPool
    private let intake: ProviderEventIntake

    init(databaseURL: String) {
        var limits = PostgresPool.Limits()
        limits.connectionsMax = 2
        pool = PostgresPool(PostgresConfiguration(url: databaseURL, applicationName: "aloft webhooks"), limits: limits)
        intake = ProviderEventIntake(pool: pool)
    }

    /// A repeated event is signaled again: whoever took it first may have died before the signal. The signal's request id makes
    /// twice once.
    func receive(_ delivery: WebhookDelivery) async throws -> WebhookVerdict {
        let taken: ProviderEventIntake.Taken
        do {
            taken = try await intake.take(provider: delivery.provider, body: delivery.body)
        } catch is ProviderEventIntake.Unreadable {
            return .unwanted
        }
        guard let notice = taken.notice else { return taken.isNew ? .unwanted : .duplicate }
        return .accepted([
            WebhookSignal(
                workflow: WorkflowID(notice.workflowID), name: "provider_event",
                input: .record(("id", .string(notice.eventID)), ("type", .string(notice.type))))
        ])
    }

    func close() { pool.close() }
}
