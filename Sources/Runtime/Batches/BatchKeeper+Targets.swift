import Engine
import History

/// Going to the runs of a batch operation.
extension BatchKeeper {
    private static let triesMax = 5

    /// - Returns: for each target, whether it went well.
    @concurrent
    nonisolated static func go(
        to targets: [BatchTarget], _ key: BatchKey, _ operation: BatchOperation, _ world: BatchServices,
        _ router: RunRouter, _ clock: any RuntimeClock
    ) async -> [Bool] {
        await withTaskGroup(of: Bool.self) { group in
            for target in targets {
                group.addTask { await go(to: target, key, operation, world, router, clock) }
            }
            var outcomes: [Bool] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
    }

    private nonisolated static func go(
        to target: BatchTarget, _ key: BatchKey, _ operation: BatchOperation, _ world: BatchServices,
        _ router: RunRouter, _ clock: any RuntimeClock
    ) async -> Bool {
        let run = RunTarget(namespace: key.namespace, workflow: target.workflow, run: target.run)
        var pause = TimeSpan.milliseconds(50)
        for _ in 0..<triesMax {
            do {
                try await act(operation, on: run, key, world, router)
                return true
            } catch let rejection as Rejection {
                switch rejection.kind {
                // It is closed or gone: there is nothing left to do to it.
                case .notFound: return true
                case .unavailable, .resourceExhausted: break
                case .invalidArgument, .namespaceNotFound, .namespaceAlreadyExists, .namespaceInvalidState,
                    .workflowAlreadyStarted,
                    .workflowNotReady, .queryFailed, .failedPrecondition, .permissionDenied, .unauthenticated,
                    .deadlineExceeded, .unimplemented, .canceled:
                    return false
                }
            } catch {}
            await clock.sleep(until: clock.now().advanced(by: pause))
            pause = TimeSpan(nanoseconds: pause.nanoseconds * 4)
        }
        return false
    }

    private nonisolated static func act(
        _ operation: BatchOperation, on target: RunTarget, _ key: BatchKey, _ world: BatchServices, _ router: RunRouter
    ) async throws {
        let partition = router.partition(target.namespace, target.workflow)
        // The same for every try, and another one for every run.
        let requestID = RequestID("\(key.id)-\(target.run?.value ?? target.workflow.value)")
        switch operation.action {
        case .terminate(let details, let identity):
            let terminated = WorkflowExecutionTerminated(
                reason: operation.reason, details: details, identity: identity)
            try await partition.tell(target, .terminate(TerminateRun(terminated)), by: identity)
        case .cancel(let identity):
            let cancel = WorkflowExecutionCancelRequested(cause: operation.reason, identity: identity)
            try await partition.tell(
                target, .requestCancel(RequestCancelRun(cancel, requestID: requestID)), by: identity)
        case .signal(let name, let input, let header, let identity):
            let signal = WorkflowExecutionSignaled(
                signalName: name, input: input, header: header, identity: identity, requestID: requestID)
            try await partition.tell(target, .signal(SignalRun(signal)), by: identity)
        case .delete: try await world.delete?(target)
        case .edge(let action, let request, _):
            try await world.edge?(action, target, request, operation.reason, requestID)
        }
    }
}

extension RunSummary {
    /// Only its place in a list.
    init(_ position: BatchPosition, in namespace: NamespaceID) {
        let key = RunKey(namespace: namespace, workflow: position.workflow, run: position.run)
        self.init(
            key: key, firstRunID: key.run, workflowType: "", taskQueue: "", status: position.status,
            startTime: position.startTime, executionTime: position.startTime, closeTime: position.closeTime,
            historyLength: 0, historySizeBytes: 0, startRequestID: "", memo: nil, searchAttributes: nil)
    }
}
