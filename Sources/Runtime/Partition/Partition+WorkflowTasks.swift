import Engine
import History

extension Partition {
    /// A poller takes a scheduled workflow task.
    ///
    /// - Throws: ``Rejection`` `notFound` for a stale offer: drop it and try the next.
    func startWorkflowTask(
        _ offer: WorkflowTaskOffer, of key: RunKey, identity: String, fromSticky: Bool
    ) async throws -> PolledWorkflowTask {
        let command = StartWorkflowTask(
            scheduledEventID: offer.scheduledEventID, stamp: offer.stamp, identity: identity,
            requestID: RequestID(services.ids.uuid()), fromSticky: fromSticky)
        let (hot, transition) = try await perform(RunTarget(key), .startWorkflowTask(command), by: identity)
        guard case .workflowTask(let started) = transition.reply else {
            throw Rejection.notFound("Workflow task not found.")
        }
        failQueriesIfStuck(hot)
        do {
            return try await polled(hot, started, partial: fromSticky)
        } catch {
            releaseWorkflowTask(started.token)
            throw error
        }
    }

    /// The poller went away before it had the task: it is scheduled again at once. (A start that is stored already is left to
    /// its timeout.)
    func releaseWorkflowTask(_ token: WorkflowTaskToken) {
        guard let hot = runs[token.run], hot.isSettled, !hot.run.unrecordedEvents.isEmpty,
            hot.run.startedWorkflowTask?.token == token
        else { return }
        forget(hot)
        enqueueLoad(hot.key)
    }

    func completeWorkflowTask(_ request: CompleteWorkflowTaskRequest) async throws -> CompletedWorkflowTask {
        let key = request.token.run
        let wishes = request.commands.lazy.filter {
            if case .scheduleActivityTask(let wish) = $0.kind { wish.requestEagerExecution } else { false }
        }.count
        let eagerCount = min(wishes, request.eagerActivitiesMax, services.limits.eagerActivitiesMax)
        let command = CompleteWorkflowTask(
            token: request.token, commands: request.commands, completed: request.completed, sticky: request.sticky,
            returnNewTask: request.returnNewTask ? RequestID(services.ids.uuid()) : nil,
            forceNewTask: request.forceNewTask,
            newRunID: services.ids.runID(at: clock.now()),
            eagerRequestIDs: (0..<max(eagerCount, 0)).map { _ in RequestID(services.ids.uuid()) },
            namespaceName: request.namespaceName, messages: request.messages, discardsEvents: request.discardsEvents)
        let identity = request.completed.identity
        let (hot, transition) = try await perform(RunTarget(key), .completeWorkflowTask(command), by: identity)
        switch transition.reply {
        case .rejected(let rejection): throw rejection
        case .workflowTaskCompleted(let newTask, let eager, let resetHistory):
            answerQueries(request.queryResults, of: hot)
            var result = CompletedWorkflowTask(
                eagerActivities: eager.map { PolledActivityTask(activity: $0) }, resetHistory: resetHistory)
            if let newTask { result.newTask = try await polled(hot, newTask, partial: true) }
            return result
        case .done, .duplicate, .started, .workflowTask, .activity, .heartbeat, .received, .activityOptions,
            .runOptions, .update:
            return CompletedWorkflowTask()
        }
    }

    func failWorkflowTask(_ request: FailWorkflowTask) async throws {
        let (_, transition) = try await perform(
            RunTarget(request.token.run), .failWorkflowTask(request), by: request.identity)
        if case .rejected(let rejection) = transition.reply { throw rejection }
    }

    /// A started task as its worker gets it: the history, or for a sticky worker only what it does not know yet.
    func polled(_ hot: HotRun, _ started: StartedWorkflowTask, partial: Bool) async throws -> PolledWorkflowTask {
        let first = partial ? started.previousStartedEventID.next : .first
        let lastStored = (started.unrecorded.first?.id ?? started.token.startedEventID.next).previous
        let queries = hot.queries.map { (id: $0.id, query: $0.request) }
        for index in hot.queries.indices { hot.queries[index].isDelivered = true }
        let page = try await bodies(
            of: hot, from: first, through: lastStored, limit: services.limits.historyPageEventsMax)
        var history = page
        let next = EventID(first.value + Int64(page.count))
        let isComplete = next > lastStored
        if isComplete { history += started.unrecorded.map { services.encoder.encodePending($0) } }
        return PolledWorkflowTask(
            work: .task(started.token), run: hot.key, workflowType: hot.run.started?.workflowType ?? "",
            taskQueue: hot.run.taskQueue, history: history, nextEvent: isComplete ? nil : next,
            lastEvent: started.token.startedEventID, previousStartedEventID: started.previousStartedEventID,
            startedEventID: started.token.startedEventID, attempt: started.token.attempt,
            scheduledTime: started.scheduledTime,
            startedTime: started.startedTime, queries: queries, messages: started.messages)
    }

    /// Encoded events `first ... last` of a run, at most `limit`: from memory when they are there.
    func bodies(of hot: HotRun, from first: EventID, through last: EventID, limit: Int) async throws -> [[UInt8]] {
        if let slice = hot.tail.slice(from: first, through: last, limit: limit) { return slice.map(\.body) }
        let events = try await services.runs.readEvents(
            hot.key, from: first, through: last, limit: limit, newestFirst: false)
        guard !events.isEmpty else { throw StoreError.corrupt("run \(hot.key): events from \(first) on are missing") }
        return events.map(\.body)
    }
}

extension RunTarget {
    /// Exactly this run.
    init(_ key: RunKey) {
        self.init(namespace: key.namespace, workflow: key.workflow, run: key.run)
    }
}
