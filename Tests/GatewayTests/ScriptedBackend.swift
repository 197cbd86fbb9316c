import Engine
import Gateway
import History
import Runtime
import Synchronization
import TemporalCodec

/// A backend that remembers what it was asked and answers as the test says. Starts and idempotency keys behave like the real one's.
final class ScriptedBackend: Backend {
    struct State: Sendable {
        var namespaces: [Namespace] = [ScriptedBackend.defaultNamespace]
        var starts: [StartWorkflowRequest] = []
        var requests: [String: StoredRequest] = [:]
        var signals: [(RunTarget, WorkflowExecutionSignaled)] = []
        var cancels: [RunTarget] = []
        var terminations: [WorkflowExecutionTerminated] = []
        var updates: [UpdateWorkflowRequest] = []
        var polls: [TaskPoll] = []
        var completions: [CompleteWorkflowTaskRequest] = []
        var activityFailures: [Failure] = []
        var histories: [HistoryRequest] = []
        var lists: [VisibilityQuery] = []
        var operations: [(ActivitySelection, RunTarget, ActivityOperation)] = []
        var workers: [WorkerRecord] = []
        var savedAnswers = 0
        var cancelledPolls = 0
    }

    static let defaultNamespace = Namespace(
        id: "00000000-0000-4000-8000-000000000001", name: "default", retention: .days(3))
    static let run = RunID("0192f0c1-0000-7000-8000-0000000000aa")

    let state = Mutex(State())
    let onPollWorkflow: @Sendable (TaskPoll) async throws -> PolledWorkflowTask?
    let onHistory: @Sendable (HistoryRequest) async throws -> HistoryPage
    let onDescribe: @Sendable (RunTarget) async throws -> RunDescription
    let onQuery: @Sendable (RunTarget, QueryRequest) async throws -> QueryResult
    let onStart: @Sendable (StartWorkflowRequest) async throws -> Void
    let onUpdate: @Sendable (UpdateWorkflowRequest) async throws -> UpdateWorkflowResult
    let runs: [RunSummary]

    init(
        onPollWorkflow: @escaping @Sendable (TaskPoll) async throws -> PolledWorkflowTask? = { _ in nil },
        onHistory: @escaping @Sendable (HistoryRequest) async throws -> HistoryPage = { request in
            HistoryPage(
                run: RunKey(
                    namespace: request.target.namespace, workflow: request.target.workflow, run: ScriptedBackend.run),
                events: [], next: nil, isOpen: true)
        },
        onDescribe: @escaping @Sendable (RunTarget) async throws -> RunDescription = { target in
            RunDescription(summary: ScriptedBackend.summary(target.workflow), state: Run())
        },
        onQuery: @escaping @Sendable (RunTarget, QueryRequest) async throws -> QueryResult = { _, _ in
            throw Rejection(.deadlineExceeded, "query timed out before a worker could process it")
        },
        onStart: @escaping @Sendable (StartWorkflowRequest) async throws -> Void = { _ in },
        onUpdate: @escaping @Sendable (UpdateWorkflowRequest) async throws -> UpdateWorkflowResult = { request in
            let key = RunKey(
                namespace: request.target.namespace, workflow: request.target.workflow, run: ScriptedBackend.run)
            return UpdateWorkflowResult(run: key, stage: .accepted)
        },
        runs: [RunSummary] = []
    ) {
        self.onPollWorkflow = onPollWorkflow
        self.onHistory = onHistory
        self.onDescribe = onDescribe
        self.onQuery = onQuery
        self.onStart = onStart
        self.onUpdate = onUpdate
        self.runs = runs
    }

    static func summary(
        _ workflow: WorkflowID, run: RunID = ScriptedBackend.run, status: WorkflowStatus = .running,
        seconds: Int64 = 1_790_000_000
    ) -> RunSummary {
        let key = RunKey(namespace: defaultNamespace.id, workflow: workflow, run: run)
        let time = Timestamp(nanoseconds: seconds * 1_000_000_000)
        return RunSummary(
            key: key, firstRunID: run, workflowType: "Hello", taskQueue: "hello", status: status, startTime: time,
            executionTime: time, closeTime: status.isOpen ? nil : time.advanced(by: .seconds(1)), historyLength: 3,
            historySizeBytes: 300, startRequestID: RequestID(UUIDs.random()), memo: nil, searchAttributes: nil)
    }

    // MARK: Backend

    func namespace(named name: String) async throws -> Namespace {
        let found = state.withLock { $0.namespaces.first { $0.name == name || $0.id.value == name } }
        guard let found else { throw Rejection(.namespaceNotFound(name: name), "Namespace \(name) is not found.") }
        return found
    }

    func listNamespaces() async throws -> [Namespace] { state.withLock { $0.namespaces } }

    func registerNamespace(_ namespace: Namespace) async throws {
        let isNew = state.withLock { state in
            if state.namespaces.contains(where: { $0.name == namespace.name }) { return false }
            state.namespaces.append(namespace)
            return true
        }
        if !isNew { throw StoreError.alreadyExists([]) }
    }

    func updateNamespace(_ namespace: Namespace) async throws {
        state.withLock { state in
            for index in state.namespaces.indices where state.namespaces[index].id == namespace.id {
                state.namespaces[index] = namespace
            }
        }
    }

    func startWorkflow(_ request: StartWorkflowRequest) async throws -> StartWorkflowResult {
        try await onStart(request)
        let run = RunID(UUIDs.random())
        let isNew = state.withLock { state in
            if let claim = request.claim {
                let key = "\(claim.scope)|\(claim.key)"
                if state.requests[key] != nil { return false }
                let runKey = RunKey(namespace: request.namespace, workflow: request.attributes.workflowID, run: run)
                state.requests[key] = StoredRequest(claim: claim, run: runKey, answer: nil)
            }
            state.starts.append(request)
            return true
        }
        if !isNew { throw StoreError.alreadyExists([]) }
        return StartWorkflowResult(run: run, firstRun: run, started: true, status: .running)
    }

    func signalWorkflow(_ target: RunTarget, _ signal: WorkflowExecutionSignaled) async throws {
        if target.workflow == "closed" { throw Rejection.notFound("workflow execution already completed") }
        state.withLock { $0.signals.append((target, signal)) }
    }

    func requestCancelWorkflow(_ target: RunTarget, _ cancel: WorkflowExecutionCancelRequested, requestID: RequestID)
        async throws
    {
        state.withLock { $0.cancels.append(target) }
    }

    func terminateWorkflow(_ target: RunTarget, _ terminate: WorkflowExecutionTerminated) async throws {
        state.withLock { $0.terminations.append(terminate) }
    }

    func resetSticky(_ target: RunTarget) async throws {}
    func resetWorkflow(_ request: ResetWorkflowRequest) async throws -> RunID { Self.run }
    func deleteWorkflow(_ target: RunTarget) async throws {}

    func updateWorkflow(_ request: UpdateWorkflowRequest, deadline: Timestamp) async throws -> UpdateWorkflowResult {
        state.withLock { $0.updates.append(request) }
        return try await onUpdate(request)
    }

    func pollUpdate(
        _ target: RunTarget, _ update: UpdateID, stage: UpdateStage?, deadline: Timestamp
    ) async throws -> UpdateWorkflowResult {
        throw Rejection.notFound("update \"\(update)\" not found")
    }

    func updateWithStart(
        _ start: StartWorkflowRequest, _ update: UpdateWorkflowRequest, deadline: Timestamp
    ) async throws -> UpdateWithStartResult {
        do {
            return UpdateWithStartResult(
                start: try await startWorkflow(start), update: try await updateWorkflow(update, deadline: deadline))
        } catch let rejection as Rejection {
            throw UpdateWithStartFailure.start(rejection)
        }
    }

    func pollWorkflowTask(_ poll: TaskPoll) async throws -> PolledWorkflowTask? {
        state.withLock { $0.polls.append(poll) }
        do {
            return try await onPollWorkflow(poll)
        } catch is CancellationError {
            state.withLock { $0.cancelledPolls += 1 }
            throw CancellationError()
        }
    }

    func completeWorkflowTask(_ request: CompleteWorkflowTaskRequest) async throws -> CompletedWorkflowTask {
        state.withLock { $0.completions.append(request) }
        return CompletedWorkflowTask()
    }

    func failWorkflowTask(_ request: FailWorkflowTask) async throws {
        throw Rejection.notFound("Workflow task not found.")
    }

    func answerQuery(_ token: QueryToken, _ answer: QueryAnswer) async throws {}

    func pollActivityTask(_ poll: TaskPoll) async throws -> PolledActivityTask? {
        state.withLock { $0.polls.append(poll) }
        return nil
    }

    func completeActivity(_ target: ActivityTarget, result: Blob?, identity: String) async throws {}

    func failActivity(_ target: ActivityTarget, failure: Failure, lastHeartbeatDetails: Blob?, identity: String)
        async throws
    {
        state.withLock { $0.activityFailures.append(failure) }
    }

    func cancelActivity(_ target: ActivityTarget, details: Blob?, identity: String) async throws {}

    func heartbeatActivity(_ target: ActivityTarget, details: Blob?, identity: String) async throws -> HeartbeatResult {
        HeartbeatResult(cancelRequested: true)
    }

    func shutdownWorker(namespace: NamespaceID, stickyQueue: TaskQueueName?, identity: String, instanceKey: String)
        async throws
    {}

    func query(_ target: RunTarget, _ query: QueryRequest, deadline: Timestamp) async throws -> QueryResult {
        try await onQuery(target, query)
    }

    func describe(_ target: RunTarget) async throws -> RunDescription { try await onDescribe(target) }

    func history(_ request: HistoryRequest, deadline: Timestamp) async throws -> HistoryPage {
        state.withLock { $0.histories.append(request) }
        return try await onHistory(request)
    }

    func listRuns(_ query: VisibilityQuery) async throws -> [RunSummary] {
        state.withLock { $0.lists.append(query) }
        let rest =
            query.after.flatMap { after in runs.firstIndex { $0.key == after.key } }.map { runs[($0 + 1)...] }
            ?? runs[...]
        return Array(rest.prefix(query.limit))
    }

    func countRuns(_ query: VisibilityQuery) async throws -> Int64 { Int64(runs.count) }

    func countRunsByStatus(_ query: VisibilityQuery) async throws -> [StatusCount] {
        [StatusCount(status: .running, count: Int64(runs.count))]
    }

    func describeTaskQueue(namespace: NamespaceID, queue: TaskQueueName, kind: TaskKind) async throws
        -> TaskQueueDescription
    {
        TaskQueueDescription(pollers: [], backlogCount: 7, oldestTaskAge: .seconds(2))
    }

    func storedRequest(scope: String, key: String) async throws -> StoredRequest? {
        state.withLock { $0.requests["\(scope)|\(key)"] }
    }

    func saveAnswer(scope: String, key: String, answer: StoredAnswer) async throws {
        state.withLock { state in
            state.savedAnswers += 1
            if state.requests["\(scope)|\(key)"]?.answer == nil { state.requests["\(scope)|\(key)"]?.answer = answer }
        }
    }

    func operation(id: String) async throws -> StoredRequest? {
        state.withLock { $0.requests.values.first { $0.claim.operationID == id } }
    }

    func readiness() async -> Readiness { Readiness(storeIsReachable: true, relayIsConnected: false, lanesOwned: 4) }
}
