import Engine
import History

extension Partition {
    /// Begins a new run with the first part of another's history (protocol.md 5.10); the run that is open is terminated.
    func reset(_ request: ResetWorkflowRequest) async throws -> RunID {
        var retries = 0
        while true {
            do {
                if let run = try await resetOnce(request) { return run }
                retries += 1
                guard retries <= configuration.retriesMax else { throw Rejection.leftMemory }
            } catch let error as StoreError where error.mayBeDecidedAgain && retries < configuration.retriesMax {
                retries += 1
                metrics.retries += 1
            }
        }
    }

    /// The base's history as far as it is read, and what of it is told again.
    private struct Base {
        var copied: [StoredEvent] = []
        var reapplied: [ReappliedFact] = []
        /// The last event of each run that was read.
        var lastEvents: [RunKey: EventID] = [:]
    }

    /// - Returns: nil when something moved meanwhile and all must be looked at again.
    private func resetOnce(_ request: ResetWorkflowRequest) async throws -> RunID? {
        let workflow = WorkflowKey(namespace: request.target.namespace, workflow: request.target.workflow)
        let lane = try ownedLane(of: workflow)
        let base = try await resident(request.target)
        try await stored(base)
        if let known = try await current(workflow, lane: lane), !request.requestID.isEmpty,
            known.run.resetRequest == request.requestID
        {
            try await stored(known)
            return known.key.run
        }
        let read = try await readBase(base, request)
        guard let old = try await current(workflow, lane: lane) else { return nil }
        for (key, last) in read.lastEvents {
            if let hot = runs[key], hot.run.lastEventID != last { return nil }
        }
        let copied = try read.copied.map { try services.encoder.decode($0.body) }
        var reset = ResetRun(
            key: RunKey(
                namespace: workflow.namespace, workflow: workflow.workflow, run: services.ids.runID(at: clock.now())),
            baseRun: base.key.run, copied: copied, reapplied: read.reapplied, operations: request.operations,
            reason: request.reason,
            identity: request.identity, requestID: request.requestID, namespaceName: request.namespaceName,
            deliveredMessages: old.run.deliveredMessages)
        try check(lane)
        guard waitingTransitions < configuration.waitingTransitionsMax else { throw Rejection.overloaded }
        let now = clock.now()
        // A refused reset must not terminate the run that is there.
        var trial = Run()
        _ = try trial.handle(.reset(reset), at: now, limits: services.limits)
        if old.run.status?.isOpen ?? false {
            let terminated = WorkflowExecutionTerminated(reason: request.reason, identity: "history-resetter")
            // A run of another chain is not replaced: its parent hears of its end, its children of their policy.
            let isReplaced = old.run.started?.firstExecutionRunID == base.run.started?.firstExecutionRunID
            let end = try decide(
                old, .terminate(TerminateRun(terminated, leavesChildren: isReplaced)), by: request.identity)
            reset.reapplied += end.events.compactMap {
                ReappliedFact($0, except: request.exclusions, isOfBase: old === base)
            }
        }
        let batch = old.openBatch ?? openBatch()
        let hot = try begin(reset, copied: read.copied, in: batch, lane: lane, supersedes: old, by: request.identity)
        try await stored(hot)
        return hot.key.run
    }

    private func readBase(_ base: HotRun, _ request: ResetWorkflowRequest) async throws -> Base {
        let finish = request.finishEventID
        let last = base.durableLast
        var read = Base()
        var around: [Event] = []
        var next = EventID.first
        var chain = [base.key]
        guard finish > .first, finish <= last else {
            try Run.checkResetPoint(finish, in: [], last: last)
            return read
        }
        while let key = chain.popLast() {
            while true {
                let page = try await services.runs.readEvents(
                    key, from: next, through: EventID(.max), limit: RunVerifier.pageEvents, newestFirst: false)
                for event in page {
                    if key == base.key, event.id < finish { read.copied.append(event) }
                    let decoded = try services.encoder.decode(event.body)
                    if key == base.key, event.id >= finish.previous, event.id <= finish { around.append(decoded) }
                    if key != base.key || event.id >= finish {
                        let fact = ReappliedFact(decoded, except: request.exclusions, isOfBase: key == base.key)
                        if let fact { read.reapplied.append(fact) }
                    }
                    read.lastEvents[key] = event.id
                    if let follower = decoded.kind.continuedAs {
                        chain.append(RunKey(namespace: key.namespace, workflow: key.workflow, run: follower))
                    }
                    next = event.id.next
                }
                if page.count < RunVerifier.pageEvents { break }
            }
            if key == base.key { try Run.checkResetPoint(finish, in: around, last: last) }
            next = .first
        }
        return read
    }

    /// Puts the new run into `batch`: the copied events with their own bytes, then what the reset added.
    private func begin(
        _ reset: ResetRun, copied: [StoredEvent], in batch: Batch, lane: LaneState, supersedes old: HotRun,
        by actor: String
    ) throws(Rejection) -> HotRun {
        var run = Run()
        let transition = try run.handle(.reset(reset), at: clock.now(), limits: services.limits)
        let workflow = WorkflowKey(namespace: reset.key.namespace, workflow: reset.key.workflow)
        let hot = HotRun(
            key: reset.key, slot: slot(workflow), lane: lane, run: run, version: nil, isCurrent: true,
            lastHash: HashChain.seed(for: reset.key).bytes)
        hot.durableLast = .none
        hot.openBatch = batch
        let write = batch.write(for: hot)
        for (event, source) in zip(transition.events, copied) {
            append(event, body: source.body, to: write, in: batch, by: source.actor)
        }
        for event in transition.events.dropFirst(copied.count) { append(event, to: write, in: batch, by: actor) }
        write.effects = transition.effects
        write.supersedes = old.key.run
        old.isCurrent = false
        write.transitions += 1
        waitingTransitions += 1
        metrics.transitions += 1
        runs[hot.key] = hot
        currents[workflow] = hot.key.run
        touch(hot)
        schedule(hot)
        return hot
    }
}

extension EventKind {
    /// The run that goes on where this event ended one.
    var continuedAs: RunID? {
        if case .workflowExecutionContinuedAsNew(let attributes) = self { return attributes.newExecutionRunID }
        return nil
    }
}
