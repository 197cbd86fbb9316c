import EngineTestKit
public import Foundation
import Gateway
import History
public import Logging
import Runtime
import TemporalCodec
public import Worker

/// A whole server in the test's own process, with a clock that jumps: a workflow with a timer of thirty days is tested in
/// milliseconds.
///
/// ```swift
/// try await TestEnvironment.run { environment in
///     try await environment.withWorker(workflows: [RegisteredWorkflow(Subscription.self)], activities: activities) {
///         let result = try await environment.client.execute(
///             Subscription.self, plan, options: StartOptions(id: "s1", taskQueue: environment.taskQueue))
///         #expect(result == "renewed")
///     }
/// }
/// ```
///
/// The server is the real engine on a store in memory, so histories, retries, time limits and errors are those of production.
///
/// **Time** stands still by itself. It jumps to the next thing that is due while the test waits for a workflow's result (or
/// in ``sleep(for:)``), and only when nothing runs: no workflow task, no activity, no call on its way. So a test can start a
/// workflow, send signals and ask queries in peace, and let time go by when it is ready. Activities run in real time.
public struct TestEnvironment: Sendable {
    /// A client of the namespace `default`.
    public let client: WorkflowClient
    /// The task queue of workers that are not given another.
    public let taskQueue = "test"
    let time: TimeSkipper
    private let logger: Logger

    /// Makes an environment for the time of `body`.
    ///
    /// - Parameters:
    ///   - start: The time at which its clock begins; nil is the present.
    ///   - converter: For the environment's client and workers.
    ///   - interceptors: For the environment's client.
    ///   - patience: Waiting for a result fails when nothing has moved for so long in real time, and nothing is due: the
    ///     workflow waits for a signal that nobody sends, or for an activity that no worker has.
    ///   - logger: For the server and the workers; says nothing if not given.
    public static func run<Result: Sendable>(
        start: Date? = nil, converter: DataConverter = .default, interceptors: [any ClientInterceptor] = [],
        patience: Duration = .seconds(20),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        _ body: @Sendable (TestEnvironment) async throws -> Result
    ) async throws -> Result {
        let begin = Timestamp(nanoseconds: Int64((start ?? Date()).timeIntervalSince1970 * 1e9))
        let server = try await TestServer(clock: MemoryClock(at: begin), logger: logger)
        let time = TimeSkipper(server: server, patience: patience)
        let client = WorkflowClient(
            transport: time.transport, converter: converter, interceptors: interceptors, retryPolicy: .never)
        let environment = TestEnvironment(client: client, time: time, logger: logger)
        let result = await withTaskGroup(of: Void.self, returning: Swift.Result<Result, any Error>.self) { group in
            group.addTask { await time.run() }
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(environment)) } catch { result = .failure(error) }
            group.cancelAll()
            return result
        }
        await server.shutDown()
        return try result.get()
    }

    private init(client: WorkflowClient, time: TimeSkipper, logger: Logger) {
        self.client = client
        self.time = time
        self.logger = logger
    }

    /// Runs a worker for the time of `body`.
    ///
    /// - Parameters:
    ///   - taskQueue: nil is ``taskQueue``.
    ///   - activities: Real ones, or others of the same names in their place (``RegisteredActivity/replaced(by:)``).
    public func withWorker<Result: Sendable>(
        taskQueue: String? = nil, workflows: [RegisteredWorkflow] = [], activities: [RegisteredActivity] = [],
        options: WorkerOptions = WorkerOptions(), _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        var options = options
        options.logger = logger
        options.taskEnded = { [time] in time.taskEnded() }
        let queue = taskQueue ?? self.taskQueue
        let worker = Worker(
            client: client, taskQueue: queue, workflows: workflows, activities: activities, options: options)
        let number = time.addWorker(
            queue: queue, servesWorkflows: !workflows.isEmpty,
            servesActivities: !activities.isEmpty && !options.servesOnlyLocalActivities)
        defer { time.removeWorker(number) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            do {
                let result = try await body()
                worker.shutDown()
                try await group.waitForAll()
                return result
            } catch {
                worker.shutDown()
                group.cancelAll()
                throw error
            }
        }
    }

    /// The time at the server, which workflows see.
    public var now: Date { Date(timeIntervalSince1970: Double(time.now.nanoseconds) / 1e9) }

    /// Lets time go by: everything that is due on the way happens at its moment, and has happened when this returns.
    ///
    /// - Throws: `CancellationError` when the test's task is cancelled.
    public func sleep(for duration: Duration) async throws {
        let (seconds, attoseconds) = duration.components
        try await time.sleep(TimeSpan(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }

    /// Lets time stand still although results are waited for, for the time of `body`.
    public func withoutTimeSkipping<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        time.hold()
        defer { time.letGo() }
        return try await body()
    }
}
