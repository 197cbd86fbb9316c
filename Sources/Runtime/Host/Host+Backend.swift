public import Engine
public import History

extension Host: Backend {
    // MARK: Starting and telling

    public func startWorkflow(_ request: StartWorkflowRequest) async throws -> StartWorkflowResult {
        try await partition(request.namespace, request.attributes.workflowID).start(request)
    }

    public func signalWorkflow(_ target: RunTarget, _ signal: WorkflowExecutionSignaled) async throws {
        try await partition(target).tell(target, .signal(SignalRun(signal)), by: signal.identity)
    }

    public func requestCancelWorkflow(
        _ target: RunTarget, _ cancel: WorkflowExecutionCancelRequested, requestID: RequestID
    ) async throws {
        let command = RequestCancelRun(cancel, requestID: requestID)
        try await partition(target).tell(target, .requestCancel(command), by: cancel.identity)
    }

    public func terminateWorkflow(_ target: RunTarget, _ terminate: WorkflowExecutionTerminated) async throws {
        try await partition(target).tell(target, .terminate(TerminateRun(terminate)), by: terminate.identity)
    }

    public func resetSticky(_ target: RunTarget) async throws {
        try await partition(target).tell(target, .resetSticky, by: "")
    }

    public func deleteWorkflow(_ target: RunTarget) async throws { try await partition(target).delete(target) }

    public func resetWorkflow(_ request: ResetWorkflowRequest) async throws -> RunID {
        try await partition(request.target).reset(request)
    }

    // MARK: Workers

    public func pollWorkflowTask(_ poll: TaskPoll) async throws -> PolledWorkflowTask? {
        let key = TaskQueueKey(namespace: poll.namespace, name: poll.queue.name, kind: .workflow)
        while let delivery = await services.queues.take(poll, .workflow) {
            guard case .offer(let offer) = delivery else { continue }
            do {
                guard var task = try await start(offer, for: poll) else { continue }
                if Task.isCancelled {
                    await giveBack(task, delivery, key: key)
                    return nil
                }
                task.backlogHint = Int64(services.queues.backlog(key))
                return task
            } catch let rejection as Rejection where rejection.dropsOffer {
                continue
            } catch {
                services.queues.putBack(delivery, key: key)
                throw error
            }
        }
        return nil
    }

    private func start(_ offer: TaskOffer, for poll: TaskPoll) async throws -> PolledWorkflowTask? {
        let isSticky = poll.queue.kind == .sticky
        switch offer.work {
        case .workflowTask(let work):
            return try await partition(offer.run).startWorkflowTask(
                work, of: offer.run, identity: poll.identity, fromSticky: isSticky && work.queue.name == poll.queue.name
            )
        case .query(let token):
            return try await partition(offer.run).takeQuery(
                token, fromSticky: isSticky && offer.queue.name == poll.queue.name)
        case .activity: return nil
        }
    }

    private func giveBack(_ task: PolledWorkflowTask, _ delivery: Delivery, key: TaskQueueKey) async {
        switch task.work {
        case .task(let token): await partition(token.run).releaseWorkflowTask(token)
        case .query: services.queues.putBack(delivery, key: key)
        }
    }

    public func completeWorkflowTask(_ request: CompleteWorkflowTaskRequest) async throws -> CompletedWorkflowTask {
        try await partition(request.token.run).completeWorkflowTask(request)
    }

    public func failWorkflowTask(_ request: FailWorkflowTask) async throws {
        try await partition(request.token.run).failWorkflowTask(request)
    }

    public func answerQuery(_ token: QueryToken, _ answer: QueryAnswer) async throws {
        try await partition(token.run).answerQuery(token, answer)
    }

    public func pollActivityTask(_ poll: TaskPoll) async throws -> PolledActivityTask? {
        let key = TaskQueueKey(namespace: poll.namespace, name: poll.queue.name, kind: .activity)
        while let delivery = await services.queues.take(poll, .activity) {
            let offer: TaskOffer
            switch delivery {
            case .startedActivity(let task): return task
            case .offer(let found): offer = found
            }
            guard case .activity(let work) = offer.work else { continue }
            do {
                let task = try await partition(offer.run).startActivity(work, of: offer.run, identity: poll.identity)
                guard Task.isCancelled else { return task }
                services.queues.putBack(.startedActivity(task), key: key)
                return nil
            } catch let rejection as Rejection where rejection.dropsOffer {
                continue
            } catch {
                services.queues.putBack(delivery, key: key)
                throw error
            }
        }
        return nil
    }

    public func completeActivity(_ target: ActivityTarget, result: Blob?, identity: String) async throws {
        let command = CompleteActivity(activity: target.activity, result: result, identity: identity)
        try await partition(target.run).tell(target.run, .completeActivity(command), by: identity)
    }

    public func failActivity(
        _ target: ActivityTarget, failure: Failure, lastHeartbeatDetails: Blob?, identity: String
    ) async throws {
        let command = FailActivity(
            activity: target.activity, failure: failure, lastHeartbeatDetails: lastHeartbeatDetails, identity: identity)
        try await partition(target.run).tell(target.run, .failActivity(command), by: identity)
    }

    public func cancelActivity(_ target: ActivityTarget, details: Blob?, identity: String) async throws {
        let command = CancelActivity(activity: target.activity, details: details, identity: identity)
        try await partition(target.run).tell(target.run, .cancelActivity(command), by: identity)
    }

    public func heartbeatActivity(_ target: ActivityTarget, details: Blob?, identity: String) async throws
        -> HeartbeatResult
    {
        let command = HeartbeatActivity(activity: target.activity, details: details, identity: identity)
        return try await partition(target.run).heartbeat(target.run, command)
    }

    public func shutdownWorker(
        namespace: NamespaceID, stickyQueue: TaskQueueName?, identity: String, instanceKey: String
    ) async throws {
        services.queues.shutDown(namespace: namespace, sticky: stickyQueue, instanceKey: instanceKey)
    }

    // MARK: Reading

    public func query(_ target: RunTarget, _ query: QueryRequest, deadline: Timestamp) async throws -> QueryResult {
        try await partition(target).query(target, query, deadline: deadline)
    }

    public func describe(_ target: RunTarget) async throws -> RunDescription {
        try await partition(target).describe(target)
    }

    public func history(_ request: HistoryRequest, deadline: Timestamp) async throws -> HistoryPage {
        try await partition(request.target).history(request, deadline: deadline)
    }

    public func listRuns(_ query: VisibilityQuery) async throws -> [RunSummary] {
        try await stores.runs.listRuns(query)
    }
    public func countRuns(_ query: VisibilityQuery) async throws -> Int64 { try await stores.runs.countRuns(query) }
    public func countRunsByStatus(_ query: VisibilityQuery) async throws -> [StatusCount] {
        try await stores.runs.countRunsByStatus(query)
    }

    public func describeTaskQueue(
        namespace: NamespaceID, queue: TaskQueueName, kind: TaskKind
    ) async throws -> TaskQueueDescription {
        services.queues.describe(TaskQueueKey(namespace: namespace, name: queue, kind: kind))
    }

    // MARK: Idempotent operations

    public func storedRequest(scope: String, key: String) async throws -> StoredRequest? {
        try await stores.requests.request(scope: scope, key: key)
    }

    public func saveAnswer(scope: String, key: String, answer: StoredAnswer) async throws {
        try await stores.requests.saveAnswer(scope: scope, key: key, answer: answer)
    }

    public func operation(id: String) async throws -> StoredRequest? { try await stores.requests.operation(id: id) }

    // MARK: Namespaces

    public func namespace(named nameOrID: String) async throws -> Namespace { try await directory.namespace(nameOrID) }
    public func listNamespaces() async throws -> [Namespace] { try await directory.all() }
    public func registerNamespace(_ namespace: Namespace) async throws { try await directory.register(namespace) }
    public func updateNamespace(_ namespace: Namespace) async throws { try await directory.update(namespace) }
}
