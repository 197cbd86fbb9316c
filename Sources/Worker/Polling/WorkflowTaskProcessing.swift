import TemporalAPI

/// What the pollers need of the machinery that runs workflow code.
///
/// The pollers talk to the server and count slots; the processor keeps runs in memory, replays and continues them. It is
/// called for different runs at the same time, and for one run one task after another.
protocol WorkflowTaskProcessing: Sendable {
    /// Works on one task and says what to answer. Never throws: what goes wrong is an answer too.
    ///
    /// The answer need not carry what the pollers add: task token, identity, namespace, sticky attributes, the wish for
    /// the next task, and which activities may start eagerly.
    func process(_ task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse, history: any HistoryPages) async
        -> WorkflowTaskAnswer

    /// Forgets a run, because the server did not accept its last answer; the next task comes with the whole history or fetches it.
    func evict(runID: String) async

    /// Goes back to the workflow task that began with `started`: the server has forgotten the last one, which brought only
    /// updates that were rejected.
    func forgetTask(runID: String, backTo started: Int64) async

    /// How many runs are in memory.
    var cachedRuns: Int { get }
}

/// What a processor needs while it works on a task: history that the task did not carry, and somebody who runs local activities.
protocol HistoryPages: Sendable {
    /// Runs a local activity beside the workflow task; its end goes to its desk.
    /// - Returns: False when nobody here runs local activities.
    func start(_ activity: LocalActivityTask) -> Bool

    /// One page of a run's encoded events; an empty token asks for the first page, and a page without a token is the last.
    func page(
        of execution: Temporal_Api_Common_V1_WorkflowExecution, token: [UInt8]
    ) async throws(RPCFailure) -> (events: Temporal_Api_History_V1_History, nextToken: [UInt8])
}

extension HistoryPages {
    func start(_ activity: LocalActivityTask) -> Bool { false }
}

/// The answer to a workflow task.
enum WorkflowTaskAnswer: Sendable {
    /// Commands, query results and messages.
    case completed(Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest)
    /// The task failed (not the workflow): the server will try it again.
    case failed(Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedRequest)
    /// The answer to a task that only carried a query.
    case query(Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedRequest)
    /// Nothing to say; the server's timeout will bring the task again.
    case dropped
}
