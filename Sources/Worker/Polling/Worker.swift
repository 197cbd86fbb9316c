import TemporalAPI

/// Takes tasks of one task queue from a server and runs workflows and activities for them.
///
/// ```swift
/// let worker = Worker(
///     client: client, taskQueue: "payments", workflows: [RegisteredWorkflow(Charge.self)],
///     activities: [RegisteredActivity(Authorize(bank: bank))])
/// try await worker.run()
/// ```
///
/// Several workers may serve one queue, in one process or many. A worker that dies loses nothing: the server hands its tasks
/// to another after their time limits.
public final class Worker: Sendable {
    public let taskQueue: String
    private let client: WorkflowClient
    private let options: WorkerOptions
    private let shell: WorkerShell
    private let life: WorkerLife

    /// - Parameters:
    ///   - processor: Runs workflow code; nil in a worker without workflows.
    ///   - clock: Measures time limits, back-offs and the grace period.
    init(
        client: WorkflowClient, taskQueue: String, processor: (any WorkflowTaskProcessing)?,
        activities: [RegisteredActivity], options: WorkerOptions, clock: any Clock<Duration>
    ) {
        self.client = client
        self.taskQueue = taskQueue
        self.options = options
        var service = client.service
        service.clock = clock
        let executor = ActivityExecutor(
            activities: ActivityTypes(activities), converter: client.converter, interceptors: options.interceptors,
            client: client, logger: options.logger, clock: clock)
        let runner =
            activities.isEmpty || options.servesOnlyLocalActivities
            ? nil
            : ActivityRunner(
                executor: executor, service: service, taskQueue: taskQueue, classifier: options.failureClassifier,
                clock: clock)
        life = WorkerLife()
        shell = WorkerShell(
            service: service, taskQueue: taskQueue, options: options, processor: processor, runner: runner,
            executor: executor, life: life, clock: clock)
    }

    /// Works until ``shutDown()``; then stops polling, lets the tasks in hand finish, cancels activities that are still running
    /// when the grace period is over, and returns when all of them have ended. Call it once.
    ///
    /// Cancelling the calling task instead breaks everything off: the server then waits for the time limits of what was in hand.
    /// - Throws: ``NamespaceNotFound`` or ``RPCFailure`` when the server cannot be used; nothing was polled then, or polls
    ///   were refused for a minute.
    public func run() async throws {
        _ = try await client.systemInfo()
        let capabilities = try await namespaceCapabilities()
        let eager = client.eagerStarts.register(shell)
        await shell.run(
            endsPolls: capabilities.workerPollCompleteOnShutdown, sendsHeartbeats: capabilities.workerHeartbeats)
        client.eagerStarts.unregister(eager)
        if let failure = life.failure { throw failure }
    }

    /// Begins the graceful end of ``run()``. Returns at once; may be called from anywhere and more than once.
    public func shutDown() { life.shutDown() }

    private func namespaceCapabilities() async throws -> Temporal_Api_Namespace_V1_NamespaceInfo.Capabilities {
        var request = Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest()
        request.namespace = client.namespace
        do {
            let response: Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse = try await shell.service.call(
                "DescribeNamespace", request)
            return response.namespaceInfo.capabilities
        } catch {
            if error.code == .unimplemented { return Temporal_Api_Namespace_V1_NamespaceInfo.Capabilities() }
            throw ClientError.translated(error, workflowID: "")
        }
    }
}

extension Worker {
    /// A worker for one task queue. It polls only for what it has: workflows, activities or both.
    ///
    /// - Parameters:
    ///   - workflows: Of two with the same name the later one counts.
    ///   - activities: Of two with the same name the later one counts.
    public convenience init(
        client: WorkflowClient, taskQueue: String, workflows: [RegisteredWorkflow] = [],
        activities: [RegisteredActivity] = [], options: WorkerOptions = WorkerOptions()
    ) {
        let processor =
            workflows.isEmpty
            ? nil
            : WorkflowTaskProcessor(
                workflows: workflows, namespace: client.namespace, converter: client.converter,
                cachedRunsMax: options.cachedRunsMax, interceptors: options.interceptors, log: options.logger)
        self.init(
            client: client, taskQueue: taskQueue, processor: processor, activities: activities, options: options,
            clock: ContinuousClock())
    }
}
