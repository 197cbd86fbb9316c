public import Engine
public import History

/// What the server can be asked, without any wire: the gateway translates requests into these calls.
///
/// Every call may throw ``Rejection`` (the caller's fault, with the gRPC kind) or ``StoreError`` (ours; mapped to UNAVAILABLE).
/// Long polls end by `deadline` with an empty answer; a cancelled task loses nothing.
public protocol Backend: OperatorBackend, ScheduleBackend, BatchBackend {
    // Namespaces
    func namespace(named nameOrID: String) async throws -> Namespace
    func listNamespaces() async throws -> [Namespace]
    func registerNamespace(_ namespace: Namespace) async throws
    func updateNamespace(_ namespace: Namespace) async throws

    // Starting and telling
    func startWorkflow(_ request: StartWorkflowRequest) async throws -> StartWorkflowResult
    func signalWorkflow(_ target: RunTarget, _ signal: WorkflowExecutionSignaled) async throws
    func requestCancelWorkflow(_ target: RunTarget, _ cancel: WorkflowExecutionCancelRequested, requestID: RequestID)
        async throws
    func terminateWorkflow(_ target: RunTarget, _ terminate: WorkflowExecutionTerminated) async throws
    func resetSticky(_ target: RunTarget) async throws
    /// Removes a run for good; an open one is terminated. Returns before it is gone.
    func deleteWorkflow(_ target: RunTarget) async throws
    /// Begins a new run with the first part of another's history.
    func resetWorkflow(_ request: ResetWorkflowRequest) async throws -> RunID

    // Updates
    /// Waits until the update has come as far as the request wants, or 20 s; then says how far it came.
    func updateWorkflow(_ request: UpdateWorkflowRequest, deadline: Timestamp) async throws -> UpdateWorkflowResult
    func pollUpdate(_ target: RunTarget, _ update: UpdateID, stage: UpdateStage?, deadline: Timestamp) async throws
        -> UpdateWorkflowResult
    /// - Throws: Also ``UpdateWithStartFailure``.
    func updateWithStart(
        _ start: StartWorkflowRequest, _ update: UpdateWorkflowRequest, deadline: Timestamp
    ) async throws -> UpdateWithStartResult

    // Workers
    func pollWorkflowTask(_ poll: TaskPoll) async throws -> PolledWorkflowTask?
    func completeWorkflowTask(_ request: CompleteWorkflowTaskRequest) async throws -> CompletedWorkflowTask
    func failWorkflowTask(_ request: FailWorkflowTask) async throws
    func answerQuery(_ token: QueryToken, _ answer: QueryAnswer) async throws
    func pollActivityTask(_ poll: TaskPoll) async throws -> PolledActivityTask?
    func completeActivity(_ target: ActivityTarget, result: Blob?, identity: String) async throws
    func failActivity(_ target: ActivityTarget, failure: Failure, lastHeartbeatDetails: Blob?, identity: String)
        async throws
    func cancelActivity(_ target: ActivityTarget, details: Blob?, identity: String) async throws
    func heartbeatActivity(_ target: ActivityTarget, details: Blob?, identity: String) async throws -> HeartbeatResult
    /// Ends the worker's open polls at once and marks its sticky queue dead.
    func shutdownWorker(namespace: NamespaceID, stickyQueue: TaskQueueName?, identity: String, instanceKey: String)
        async throws

    // Reading
    func query(_ target: RunTarget, _ query: QueryRequest, deadline: Timestamp) async throws -> QueryResult
    func describe(_ target: RunTarget) async throws -> RunDescription
    func history(_ request: HistoryRequest, deadline: Timestamp) async throws -> HistoryPage
    func listRuns(_ query: VisibilityQuery) async throws -> [RunSummary]
    func countRuns(_ query: VisibilityQuery) async throws -> Int64
    func countRunsByStatus(_ query: VisibilityQuery) async throws -> [StatusCount]
    func describeTaskQueue(namespace: NamespaceID, queue: TaskQueueName, kind: TaskKind) async throws
        -> TaskQueueDescription

    // Idempotent operations of the HTTP API
    func storedRequest(scope: String, key: String) async throws -> StoredRequest?
    func saveAnswer(scope: String, key: String, answer: StoredAnswer) async throws
    func operation(id: String) async throws -> StoredRequest?

    /// Is everything that an answer needs at hand (Postgres, relay)?
    func readiness() async -> Readiness
}

public struct Readiness: Sendable, Hashable {
    public var storeIsReachable: Bool
    public var relayIsConnected: Bool
    public var lanesOwned: Int
    public init(storeIsReachable: Bool, relayIsConnected: Bool, lanesOwned: Int) {
        self.storeIsReachable = storeIsReachable
        self.relayIsConnected = relayIsConnected
        self.lanesOwned = lanesOwned
    }
}

/// Which run a request means. `run == nil` means the current one.
public struct RunTarget: Sendable, Hashable {
    public var namespace: NamespaceID
    public var workflow: WorkflowID
    public var run: RunID?
    /// When set, the run's chain must have begun with this run, else NOT_FOUND.
    public var firstRun: RunID?
    public init(namespace: NamespaceID, workflow: WorkflowID, run: RunID? = nil, firstRun: RunID? = nil) {
        self.namespace = namespace
        self.workflow = workflow
        self.run = run
        self.firstRun = firstRun
    }
}

public struct ActivityTarget: Sendable, Hashable {
    public var run: RunTarget
    public var activity: ActivityReference
    public init(run: RunTarget, activity: ActivityReference) {
        self.run = run
        self.activity = activity
    }
}
