import Engine
import EngineTestKit
import History
import Logging
import Runtime
import Synchronization
import Testing

/// A host on a store in memory, with a clock that the test moves.
struct Rig: Sendable {
    static let namespace: NamespaceID = "00000000-0000-4000-8000-00000000aaaa"
    let clock: MemoryClock
    let store: MemoryStore
    let encoder: MemoryEventEncoder
    let host: Host
    let feed: FeedLog

    init(
        seed: UInt64 = 1, node: String = "node-1", on other: Rig? = nil, limits: Limits = Limits(),
        peers: (any MessageCarrier)? = nil, configure: (inout HostConfiguration) -> Void = { _ in }
    ) {
        clock = other?.clock ?? MemoryClock()
        store = other?.store ?? MemoryStore(clock: clock)
        encoder = other?.encoder ?? MemoryEventEncoder()
        feed = FeedLog()
        var configuration = HostConfiguration(node: node)
        // Tests move the clock in leaps; those about leases set their own.
        configuration.leaseSeconds = 1_000_000
        configure(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        host = Host(
            stores: .init(
                runs: store, requests: store, leases: store, namespaces: store, schedules: store, batches: store),
            encoder: encoder,
            configuration: configuration, limits: limits, clock: clock, ids: SeededIDSource(seed: seed), feed: feed,
            peers: peers, logger: logger)
    }

    /// Runs `body` with a started host and shuts it down afterwards.
    func run(_ body: (Rig) async throws -> Void) async throws {
        try await host.start()
        do {
            try await body(self)
        } catch {
            await host.shutdown()
            throw error
        }
        await host.shutdown()
    }

    // MARK: A client

    func request(
        _ workflow: WorkflowID = "order-1", requestID: RequestID = "",
        change: (inout StartWorkflowRequest) -> Void = { _ in }
    ) -> StartWorkflowRequest {
        var request = StartWorkflowRequest(
            namespace: Self.namespace,
            attributes: WorkflowExecutionStarted(
                workflowType: "Hello", workflowID: workflow, taskQueue: TaskQueue("queue"),
                workflowTaskTimeout: .seconds(10),
                originalExecutionRunID: "", firstExecutionRunID: "", identity: "client"),
            requestID: requestID.isEmpty ? RequestID("start-\(workflow)") : requestID, actor: "client")
        change(&request)
        return request
    }

    @discardableResult
    func start(
        _ workflow: WorkflowID = "order-1", requestID: RequestID = "",
        change: (inout StartWorkflowRequest) -> Void = { _ in }
    ) async throws -> StartWorkflowResult {
        try await host.startWorkflow(request(workflow, requestID: requestID, change: change))
    }

    func target(_ workflow: WorkflowID = "order-1", run: RunID? = nil) -> RunTarget {
        RunTarget(namespace: Self.namespace, workflow: workflow, run: run)
    }

    func signal(_ name: String, _ workflow: WorkflowID = "order-1", requestID: RequestID = "") async throws {
        try await host.signalWorkflow(
            target(workflow), WorkflowExecutionSignaled(signalName: name, identity: "client", requestID: requestID))
    }

    /// Every event of a run as it is stored and shown.
    func events(_ workflow: WorkflowID = "order-1", run: RunID? = nil) async throws -> [Event] {
        var request = HistoryRequest(target: target(workflow, run: run), limit: 0)
        var events: [Event] = []
        while true {
            let page = try await host.history(request, deadline: clock.now().advanced(by: .seconds(5)))
            events += try page.events.map { try encoder.decode($0) }
            guard let next = page.next else { return events }
            request.first = next
        }
    }

    func names(_ workflow: WorkflowID = "order-1", run: RunID? = nil) async throws -> [String] {
        try await events(workflow, run: run).map(\.kind.typeName)
    }

    // MARK: A worker

    func poll(
        _ queue: TaskQueue = TaskQueue("queue"), identity: String = "worker", key: String = "instance",
        seconds: Int64 = 60
    ) -> TaskPoll {
        TaskPoll(
            namespace: Self.namespace, queue: queue, identity: identity, workerInstanceKey: key,
            deadline: clock.now().advanced(by: .seconds(seconds)))
    }

    func workflowTask(_ queue: TaskQueue = TaskQueue("queue")) async throws -> PolledWorkflowTask {
        try #require(try await host.pollWorkflowTask(poll(queue)))
    }

    func activityTask() async throws -> StartedActivity {
        try #require(try await host.pollActivityTask(poll())).activity
    }

    @discardableResult
    func complete(
        _ task: PolledWorkflowTask, _ commands: [WorkflowCommand.Kind] = [],
        change: (inout CompleteWorkflowTaskRequest) -> Void = { _ in }
    ) async throws -> CompletedWorkflowTask {
        let token = try task.token
        var request = CompleteWorkflowTaskRequest(
            token: token, commands: commands.map { WorkflowCommand($0) },
            completed: WorkflowTaskCompleted(
                scheduledEventID: token.scheduledEventID, startedEventID: token.startedEventID, identity: "worker"))
        change(&request)
        return try await host.completeWorkflowTask(request)
    }

    func complete(_ activity: StartedActivity) async throws {
        try await host.completeActivity(activity.target, result: Blob([1]), identity: "worker")
    }

    /// The stored runs agree with their events and hash chains.
    func verifyAll() async throws {
        for key in store.runKeys {
            let problems = try await host.verify(
                RunTarget(namespace: key.namespace, workflow: key.workflow, run: key.run))
            #expect(problems == [], "run \(key)")
        }
    }

    /// Lets other tasks run until `condition` holds; the clock stands still.
    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<200_000 {
            if try await condition() { return }
            await Task.yield()
        }
        Issue.record("never happened: \(what)")
        throw NeverHappened()
    }

    struct NeverHappened: Error {}
}

extension PolledWorkflowTask {
    var token: WorkflowTaskToken {
        get throws {
            guard case .task(let token) = work else { throw Rig.NeverHappened() }
            return token
        }
    }

    func names(_ encoder: MemoryEventEncoder) throws -> [String] {
        try history.map { try encoder.decode($0).kind.typeName }
    }
}

extension StartedActivity {
    var target: ActivityTarget {
        ActivityTarget(
            run: RunTarget(namespace: token.run.namespace, workflow: token.run.workflow, run: token.run.run),
            activity: .token(token))
    }
}

extension WorkflowCommand.Kind {
    static func activity(_ id: ActivityID = "a", timeout: TimeSpan = .seconds(60), eager: Bool = false)
        -> WorkflowCommand.Kind
    {
        .scheduleActivityTask(
            ScheduleActivityTask(
                activityID: id, activityType: "Greet", taskQueue: "queue", startToCloseTimeout: timeout,
                requestEagerExecution: eager))
    }
    static func timer(_ id: TimerID = "t", seconds: Int64) -> WorkflowCommand.Kind {
        .startTimer(StartTimer(timerID: id, startToFireTimeout: .seconds(seconds)))
    }
    static let finish = WorkflowCommand.Kind.completeWorkflowExecution(result: Blob([42]))
}

/// What the feed was told.
final class FeedLog: FeedSink {
    private let state = Mutex<(entries: [OutboxEntry], acquired: [Int16], lost: [Int16])>(([], [], []))

    var entries: [OutboxEntry] { state.withLock { $0.entries } }
    func laneAcquired(_ lease: LaneLease) { state.withLock { $0.acquired.append(lease.lane) } }
    func laneLost(_ lane: Int16) { state.withLock { $0.lost.append(lane) } }
    func committed(_ entries: [OutboxEntry]) { state.withLock { $0.entries += entries } }
}
