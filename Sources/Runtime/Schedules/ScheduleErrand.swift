import Engine
import History
import Logging

/// Something that a schedule wants done or known, outside of its keeper.
enum ScheduleErrand: Sendable {
    /// `mayHaveBegun`: somebody who is gone may have begun it already.
    case start(ScheduleKey, Schedule, Schedule.Due, mayHaveBegun: Bool)
    case cancel(ScheduleKey, Schedule.Running)
    case terminate(ScheduleKey, Schedule.Running)
    /// Has the run closed for good?
    case look(ScheduleKey, Schedule.Running)
}

extension ScheduleKeeper {
    /// Hands out what a stored state asks for and nobody is doing yet.
    func act(on wishes: [ScheduleWish], of hot: HotSchedule) {
        for wish in wishes {
            switch wish {
            case .start(let due):
                guard hot.starts.insert(due.requestID).inserted else { continue }
                let isDoubtful = hot.doubtful.remove(due.requestID) != nil
                errandQueue.yield(.start(hot.key, hot.schedule, due, mayHaveBegun: isDoubtful))
            case .cancel(let running):
                if hot.stops.insert(running.run).inserted { errandQueue.yield(.cancel(hot.key, running)) }
            case .terminate(let running):
                if hot.stops.insert(running.run).inserted { errandQueue.yield(.terminate(hot.key, running)) }
            }
        }
    }

    nonisolated func fulfil(_ errand: ScheduleErrand) async {
        var pause = TimeSpan.milliseconds(100)
        var isDoubtful = false
        while !Task.isCancelled {
            do {
                switch errand {
                case .start(let key, let schedule, let due, let mayHaveBegun):
                    guard await isWanted(due, of: key) else { return }
                    await startEnded(
                        key, due, try await start(due, of: schedule, isDoubtful: mayHaveBegun || isDoubtful))
                case .cancel(let key, let running): await stopEnded(key, running, try await cancel(running, of: key))
                case .terminate(let key, let running):
                    await stopEnded(key, running, try await terminate(running, of: key))
                case .look(let key, let running):
                    if let ending = try await ending(of: running, in: key.namespace) {
                        await closed(key, running, ending)
                    }
                }
                return
            } catch {
                // The world is away: what is wanted stays wanted.
                services.logger.debug("schedule has to wait", metadata: ["why": "\(error)"])
                isDoubtful = true
                await clock.sleep(until: clock.now().advanced(by: pause))
                pause = min(TimeSpan(nanoseconds: pause.nanoseconds * 2), .seconds(5))
            }
        }
    }

    private func isWanted(_ due: Schedule.Due, of key: ScheduleKey) -> Bool {
        schedules[key]?.schedule.starting.contains { $0.requestID == due.requestID } ?? false
    }

    // MARK: Starting

    /// - Returns: the first run of the action's workflow; nil when it cannot be started.
    /// - Throws: what another try may get over.
    private nonisolated func start(
        _ due: Schedule.Due, of schedule: Schedule, isDoubtful: Bool
    ) async throws -> RunID? {
        let attributes = schedule.attributes(of: due, at: clock.now())
        let workflow = attributes.workflowID
        if isDoubtful, let run = try await begun(due, workflow, in: schedule.namespace) { return run }
        let request = StartWorkflowRequest(
            namespace: schedule.namespace, attributes: attributes,
            userMetadata: schedule.definition.action.userMetadata, requestID: due.requestID, actor: schedule.identity)
        do {
            return try await router.partition(schedule.namespace, workflow).start(request).firstRun
        } catch let rejection as Rejection {
            switch rejection.kind {
            case .unavailable, .resourceExhausted, .deadlineExceeded, .canceled: throw rejection
            case .workflowAlreadyStarted:
                if let run = try await begun(due, workflow, in: schedule.namespace) { return run }
            case .invalidArgument, .notFound, .namespaceNotFound, .namespaceAlreadyExists, .namespaceInvalidState,
                .workflowNotReady,
                .queryFailed, .failedPrecondition, .permissionDenied, .unauthenticated, .unimplemented:
                break
            }
            services.logger.notice(
                "scheduled action refused",
                metadata: ["schedule": "\(schedule.id)", "workflow": "\(workflow)", "why": "\(rejection.message)"])
            return nil
        }
    }

    /// The run that an earlier try of this very action began, whatever became of it.
    private nonisolated func begun(
        _ due: Schedule.Due, _ workflow: WorkflowID, in namespace: NamespaceID
    ) async throws -> RunID? {
        let runs = try await services.runs.listRuns(
            VisibilityQuery(namespace: namespace, workflowID: workflow, limit: 1000))
        return runs.first { $0.startRequestID == due.requestID }?.firstRunID
    }

    private func startEnded(_ key: ScheduleKey, _ due: Schedule.Due, _ run: RunID?) {
        guard let hot = schedules[key] else { return }
        hot.starts.remove(due.requestID)
        guard hot.schedule.starting.contains(where: { $0.requestID == due.requestID }) else { return }
        let now = clock.now()
        if let run {
            hot.schedule.started(due.requestID, run: run, at: now)
            let late = max(now.since(due.due).nanoseconds, 0)
            metrics.actions += 1
            metrics.latenessNanoseconds += late
            metrics.latenessNanosecondsMax = max(metrics.latenessNanosecondsMax, late)
            for running in hot.schedule.running where running.run == run { watch(running, of: hot) }
        } else {
            hot.schedule.startRefused(due.requestID)
        }
        markDirty(hot)
        turn(hot)
    }

    // MARK: Stopping

    private nonisolated func target(_ running: Schedule.Running, _ key: ScheduleKey) -> (Partition, RunTarget) {
        (
            router.partition(key.namespace, running.workflow),
            RunTarget(namespace: key.namespace, workflow: running.workflow, firstRun: running.run)
        )
    }

    /// - Throws: what another try may get over.
    private nonisolated func cancel(_ running: Schedule.Running, of key: ScheduleKey) async throws {
        let (partition, target) = target(running, key)
        let command = RequestCancelRun(
            WorkflowExecutionCancelRequested(
                cause: "cancelled by schedule overlap policy", identity: "temporal-scheduler-\(key.id)"),
            requestID: RequestID("\(running.run)-cancel"))
        try await tolerating {
            try await partition.tell(target, .requestCancel(command), by: command.attributes.identity)
        }
    }

    private nonisolated func terminate(_ running: Schedule.Running, of key: ScheduleKey) async throws {
        let (partition, target) = target(running, key)
        let terminated = WorkflowExecutionTerminated(
            reason: "terminated by schedule overlap policy", details: nil, identity: "temporal-scheduler-\(key.id)")
        try await tolerating {
            try await partition.tell(target, .terminate(TerminateRun(terminated)), by: terminated.identity)
        }
    }

    /// A run that is gone needs no stopping.
    private nonisolated func tolerating(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let rejection as Rejection where rejection.kind == .notFound {}
    }

    private func stopEnded(_ key: ScheduleKey, _ running: Schedule.Running, _ done: Void) {
        guard let hot = schedules[key] else { return }
        hot.stops.remove(running.run)
        hot.schedule.stopAsked(running.run)
        markDirty(hot)
        errandQueue.yield(.look(key, running))
    }

    // MARK: Closing

    /// How a workflow ended for good; nil while it goes on.
    private nonisolated func ending(
        of running: Schedule.Running, in namespace: NamespaceID
    ) async throws -> Schedule.Ending? {
        let partition = router.partition(namespace, running.workflow)
        var last: RunSummary?
        do {
            last = try await partition.describe(RunTarget(namespace: namespace, workflow: running.workflow)).summary
        } catch let rejection as Rejection where rejection.kind == .notFound {}
        if last?.firstRunID != running.run {
            // Somebody else has the workflow id now.
            let runs = try await services.runs.listRuns(
                VisibilityQuery(namespace: namespace, workflowID: running.workflow, limit: 1000))
            last = runs.filter { $0.firstRunID == running.run }.max { $0.startTime < $1.startTime }
        }
        guard let last else { return .gone }
        guard !last.status.isOpen else { return nil }
        let target = RunTarget(namespace: namespace, workflow: running.workflow, run: last.key.run)
        let page = try await partition.history(
            HistoryRequest(target: target, limit: 1, filter: .closeEvent), deadline: clock.now())
        guard let body = page.events.first else { return nil }
        return Self.ending(try services.encoder.decode(body).kind)
    }

    private nonisolated static func ending(_ kind: EventKind) -> Schedule.Ending? {
        // A run that has a successor has not ended for good.
        if case .workflowExecutionCompleted(let end) = kind {
            return end.newExecutionRunID == nil ? .completed(result: end.result) : nil
        }
        if case .workflowExecutionFailed(let end) = kind {
            return end.newExecutionRunID == nil ? .failed(end.failure) : nil
        }
        if case .workflowExecutionTimedOut(let end) = kind { return end.newExecutionRunID == nil ? .timedOut : nil }
        if case .workflowExecutionCanceled = kind { return .canceled }
        if case .workflowExecutionTerminated = kind { return .terminated }
        return nil
    }

    private func closed(_ key: ScheduleKey, _ running: Schedule.Running, _ ending: Schedule.Ending) {
        guard let hot = schedules[key], hot.schedule.running.contains(where: { $0.run == running.run }) else { return }
        unwatch(running, of: hot)
        hot.schedule.closed(running.run, ending)
        markDirty(hot)
        turn(hot)
    }
}

extension Rejection {
    static let scheduleNotFound = Rejection.notFound("schedule not found")
}
