import Activities
import AsyncHTTPClient
import Foundation
import Logging
import Postgres
import Worker
import Workflows

/// What the built-in workers need to reach.
struct FamilyWorkerSettings: Sendable {
    var databaseURL: String
    var providerURL: String
    var providerKey = "sk_sandbox"
    var shippingURL: String
    var notifications: NotificationWorkerSettings
    var upgrades: UpgradeWorkerSettings
}

/// The workers of the built-in families.
enum FamilyWorkers {
    /// Every built-in workflow type, for workers and for replay.
    static let workflows: [RegisteredWorkflow] =
        PaymentWorkflows.all + NotificationWorkflows.all + DeadLetterWorkflows.all + UpgradeWorkflows.all

    /// `FAILPOINT` arms a crash at a named place, for tests (families.md R11).
    private static func failpoints() throws -> Failpoints {
        guard let text = ProcessInfo.processInfo.environment["FAILPOINT"], !text.isEmpty else { return .none }
        guard let points = Failpoints(parsing: text) else {
            throw CommandFailure("FAILPOINT: '\(text)' is not ACTIVITY.PLACE:ACTION[@N]")
        }
        return points
    }

    private static func policy() throws -> PaymentPolicy {
        do {
            return try PaymentPolicy.configured()
        } catch {
            throw CommandFailure("ALOFT_PAY_POLICY: not a JSON object of numbers by name: \(error)")
        }
    }

    /// Works until the task is cancelled or `until` returns; then lets the tasks in hand finish.
    static func run(
        transport: any Transport, namespace: String, settings: FamilyWorkerSettings, log: Logger,
        until: @escaping @Sendable () async -> Void = { await Forever.wait() },
        onReady: @escaping @Sendable () throws -> Void = {}
    ) async throws {
        let pool = PostgresPool(PostgresConfiguration(url: settings.databaseURL, applicationName: "aloft worker"))
        let http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup)
        let services = PaymentServices(
            pool: pool, client: http, providerURL: settings.providerURL, providerKey: settings.providerKey,
            carrierURL: settings.shippingURL,
            policy: try policy(), failpoints: try failpoints())
        let client = WorkflowClient(transport: transport, namespace: namespace)
        var workers = PaymentWorkflows.workers(client: client, services: services, options: WorkerOptions(logger: log))
        let redrives = RedriveServices(pool: pool, client: client, failpoints: try failpoints())
        workers.append(
            DeadLetterWorkflows.worker(client: client, services: redrives, options: WorkerOptions(logger: log)))
        let keys = try NotificationWorkerSettings.keys(pool: pool)
        let notifications = try settings.notifications.services(
            pool: pool, client: http, keys: keys, failpoints: try failpoints())
        workers += NotificationWorkflows.workers(
            client: client, services: notifications, erase: EraseServices(pool: pool, keys: keys),
            options: WorkerOptions(logger: log))
        workers += UpgradeWorkflows.workers(
            client: client, services: settings.upgrades.services(pool: pool, failpoints: try failpoints()),
            options: WorkerOptions(logger: log))
        let started = workers
        let stopping = Task {
            await until()
            for worker in started { worker.shutDown() }
        }
        try onReady()
        let result = await Swift.Result {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in started { group.addTask { try await worker.run() } }
                try await group.waitForAll()
            }
        }
        stopping.cancel()
        notifications.close()
        pool.close()
        try? await http.shutdown()
        try result.get()
    }
}

/// Waits for the cancellation of the task.
enum Forever {
    static func wait() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}
