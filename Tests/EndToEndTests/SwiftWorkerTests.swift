import Foundation
import Logging
import Testing
import Worker

/// What matters only with a real server, a real connection and real time: our worker over gRPC.
@Suite("The Swift worker over gRPC", .serialized, .timeLimit(.minutes(3)))
struct SwiftWorkerTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    final class Mixed: WorkflowDefinition {
        private var isReleased = false

        static func registerHandlers(_ handlers: inout WorkflowHandlers<Mixed>) {
            handlers.signal("release") { workflow in workflow.isReleased = true }
            handlers.query("released") { workflow in workflow.isReleased }
        }

        func run(_ input: String, _ context: WorkflowContext) async throws -> [String] {
            let isPolite = context.patched("polite")
            let local: String = try await context.executeLocalActivity(
                "slow", input, options: LocalActivityOptions(startToCloseTimeout: .seconds(20)))
            try await context.sleep(for: .milliseconds(50))
            let remote: String = try await context.executeActivity(
                "quick", local, options: ActivityOptions(startToCloseTimeout: .seconds(20)))
            try context.upsertMemo(["remote": remote])
            try await context.waitCondition { self.isReleased }
            return [local, remote, "\(isPolite)", "\(context.memoNames)"]
        }
    }

    private static let activities = [
        RegisteredActivity("slow") { (text: String, context: ActivityContext) -> String in
            // Longer than the workflow task: it is kept alive meanwhile.
            try await Task.sleep(for: .seconds(2))
            return "\(text) local \(context.info.isLocal)"
        },
        RegisteredActivity("quick") { (text: String, context: ActivityContext) -> String in
            "\(text) then \(context.info.attempt)"
        },
    ]

    private static func options(cachedRuns: Int = 100) -> WorkerOptions {
        WorkerOptions(
            cachedRunsMax: cachedRuns, gracePeriod: .seconds(5),
            deployment: WorkerDeployment(name: "stage", buildID: "one"), logger: quiet)
    }

    /// Runs a worker for the time of `body`.
    private func withWorker(
        _ client: WorkflowClient, queue: String, options: WorkerOptions, _ body: () async throws -> Void
    ) async throws {
        let worker = Worker(
            client: client, taskQueue: queue, workflows: [RegisteredWorkflow(Mixed.self)],
            activities: Self.activities, options: options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            do { try await body() } catch {
                group.cancelAll()
                throw error
            }
            worker.shutDown()
            try await group.waitForAll()
        }
    }

    private func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard ContinuousClock.now < end else { throw NeverHappened(what: what) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private struct NeverHappened: Error { let what: String }

    @Test(
        "Local activities, patches and memo survive a server that is killed and a worker that comes back without memory"
    )
    func killedServer() async throws {
        try await Stage.with(worker: false) { stage in
            let address = try #require(GRPCTransportOptions(address: stage.grpcAddress))
            try await WorkflowClient.withConnection(to: address) { client in
                let handle = try await client.start(
                    Mixed.self, "in",
                    options: StartOptions(id: "mixed", taskQueue: "swift", taskTimeout: .seconds(1)))
                try await self.withWorker(client, queue: "swift", options: Self.options()) {
                    try await self.until("the memo is written") {
                        try await handle.fetchHistory().events.count > 12
                    }
                }
                await stage.kill("server")
                try await stage.startServer()
                // Another worker, which remembers nothing and keeps nothing.
                try await self.withWorker(client, queue: "swift", options: Self.options(cachedRuns: 0)) {
                    try await self.until("the server answers") {
                        (try? await handle.query("released", returning: Bool.self)) == false
                    }
                    try await handle.signal("release")
                    #expect(
                        try await handle.result() == [
                            "in local true", "in local true then 1", "true", #"["remote"]"#,
                        ])
                }
                let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Mixed.self)], log: Self.quiet).replay(
                    try await handle.fetchHistory())
                #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
            }
        }
    }

    @Test("A worker that is told to stop answers what it has in hand and returns")
    func gracefulEnd() async throws {
        try await Stage.with(worker: false) { stage in
            let address = try #require(GRPCTransportOptions(address: stage.grpcAddress))
            try await WorkflowClient.withConnection(to: address) { client in
                let begin = ContinuousClock.now
                try await self.withWorker(client, queue: "swift", options: Self.options()) {
                    _ = try await client.start(
                        Mixed.self, "in", options: StartOptions(id: "graceful", taskQueue: "swift"))
                    try await Task.sleep(for: .milliseconds(300))
                }
                #expect(ContinuousClock.now - begin < .seconds(20))
            }
        }
    }
}
