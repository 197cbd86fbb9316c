import Engine
import History

/// Queries write nothing. While a workflow task is scheduled or started, a query goes with the next one that is handed out, so
/// that a query after a signal sees the signal; an idle or closed run is asked directly (protocol.md 1.8, 2.5).
extension Partition {
    /// So long a sticky worker may take before the query goes to the normal queue.
    static let stickyPatience = TimeSpan.seconds(10)
    /// From this attempt on, a workflow task counts as failing.
    static let failingAttempt: Int32 = 3

    func query(_ target: RunTarget, _ request: QueryRequest, deadline: Timestamp) async throws -> QueryResult {
        while clock.now() < deadline, !Task.isCancelled {
            let hot = try await resident(target)
            do {
                try await stored(hot)
            } catch let error as StoreError where error.mayBeDecidedAgain {
                continue
            }
            if hot.isDropped { continue }
            let status = hot.run.status ?? .running
            switch request.rejectCondition {
            case .none: break
            case .notOpen: if !status.isOpen { return .rejected(status) }
            case .notCompletedCleanly: if !status.isOpen, status != .completed { return .rejected(status) }
            }
            switch try await ask(hot, request, deadline: deadline) {
            case nil, .lost: continue
            case .failed(let rejection): throw rejection
            case .answered(.answered(let result)): return .answered(result)
            case .answered(.failed(let message, let failure)): throw Rejection(.queryFailed(failure: failure), message)
            }
        }
        throw Rejection.queryTimedOut
    }

    private func ask(_ hot: HotRun, _ request: QueryRequest, deadline: Timestamp) async throws -> QueryOutcome? {
        guard hot.run.status?.isOpen ?? false else {
            guard hot.run.hasCompletedWorkflowTask else { throw Rejection.queryOfFailing }
            return await askDirectly(hot, request, deadline: deadline)
        }
        if hot.run.workflowTaskAttempt >= Self.failingAttempt { throw Rejection.queryOfFailing }
        let isPending = hot.run.pendingWorkflowTask != nil
        if !isPending, !hot.run.hasCompletedWorkflowTask, hot.run.executionTime > deadline {
            throw Rejection.queryTooEarly
        }
        if isPending || !hot.run.hasCompletedWorkflowTask {
            return try await askWithTask(hot, request, deadline: deadline)
        }
        return await askDirectly(hot, request, deadline: deadline)
    }

    private func askWithTask(_ hot: HotRun, _ request: QueryRequest, deadline: Timestamp) async throws -> QueryOutcome?
    {
        guard hot.queries.count < configuration.queriesPerRunMax else { throw Rejection.queryBufferIsFull }
        let ticket = services.answers.open()
        hot.queries.append(BufferedQuery(id: services.ids.uuid(), request: request, ticket: ticket))
        let outcome = await services.answers.wait(ticket, until: deadline)
        if outcome == nil { hot.queries.removeAll { $0.ticket == ticket } }
        return outcome
    }

    private func askDirectly(_ hot: HotRun, _ request: QueryRequest, deadline: Timestamp) async -> QueryOutcome? {
        let token = QueryToken(run: hot.key, id: services.ids.uuid())
        let ticket = services.answers.open()
        directQueries[token.id] = DirectQuery(key: hot.key, request: request, ticket: ticket)
        defer { directQueries[token.id] = nil }
        let normal = hot.run.taskQueue
        if let sticky = hot.run.stickyQueue {
            let key = TaskQueueKey(namespace: hot.key.namespace, name: sticky, kind: .workflow)
            if services.queues.isAlive(key) {
                offer(token, to: TaskQueue(sticky, kind: .sticky, normalName: normal))
                let patience = min(deadline, clock.now().advanced(by: Self.stickyPatience))
                if let outcome = await services.answers.wait(ticket, until: patience) { return outcome }
                if !hot.isDropped, clock.now() < deadline { _ = try? decide(hot, .resetSticky, by: "") }
                return .lost
            }
        }
        offer(token, to: TaskQueue(normal))
        return await services.answers.wait(ticket, until: deadline)
    }

    private func offer(_ token: QueryToken, to queue: TaskQueue) {
        services.queues.offer(
            TaskOffer(run: token.run, work: .query(token), queue: queue, offeredAt: clock.now()), .workflow)
    }

    /// A direct query as its worker gets it; nil when nobody waits for it any more.
    func takeQuery(_ token: QueryToken, fromSticky: Bool) async throws -> PolledWorkflowTask? {
        guard let direct = directQueries[token.id] else { return nil }
        let hot = try await resident(RunTarget(direct.key))
        let last = hot.durableLast
        var history: [[UInt8]] = []
        if !fromSticky {
            history = try await bodies(
                of: hot, from: .first, through: last, limit: services.limits.historyPageEventsMax)
        }
        let next = EventID(Int64(history.count) + 1)
        let now = clock.now()
        return PolledWorkflowTask(
            work: .query(token, direct.request), run: hot.key, workflowType: hot.run.started?.workflowType ?? "",
            taskQueue: hot.run.taskQueue, history: history, nextEvent: fromSticky || next > last ? nil : next,
            lastEvent: last,
            previousStartedEventID: hot.run.lastCompletedStartedEventID, startedEventID: .none, attempt: 1,
            scheduledTime: now,
            startedTime: now)
    }

    func answerQuery(_ token: QueryToken, _ answer: QueryAnswer) throws(Rejection) {
        guard let direct = directQueries[token.id], services.answers.resolve(direct.ticket, .answered(answer)) else {
            throw .notFound("query task not found, or already expired")
        }
    }

    /// Answers that came with a workflow task's completion. What is unanswered goes with the next task or, when there is none,
    /// is asked directly.
    func answerQueries(_ results: [(id: String, answer: QueryAnswer)], of hot: HotRun) {
        guard !hot.queries.isEmpty else { return }
        for result in results {
            guard let index = hot.queries.firstIndex(where: { $0.id == result.id }) else { continue }
            services.answers.resolve(hot.queries[index].ticket, .answered(result.answer))
            hot.queries.remove(at: index)
        }
        if hot.run.pendingWorkflowTask == nil { redirectQueries(of: hot) }
    }

    func redirectQueries(of hot: HotRun) {
        for query in hot.queries { services.answers.resolve(query.ticket, .lost) }
        hot.queries = []
    }

    /// A workflow whose tasks keep failing answers no queries.
    func failQueriesIfStuck(_ hot: HotRun) {
        guard hot.run.workflowTaskAttempt >= Self.failingAttempt else { return }
        for query in hot.queries { services.answers.resolve(query.ticket, .failed(.queryOfFailing)) }
        hot.queries = []
    }
}
