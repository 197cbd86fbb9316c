import Engine
import History
import Logging

extension Partition {
    /// The run that `target` means, in memory.
    ///
    /// - Throws: ``Rejection`` when there is none or this node may not decide for it; ``StoreError``.
    func resident(_ target: RunTarget) async throws -> HotRun {
        let workflow = WorkflowKey(namespace: target.namespace, workflow: target.workflow)
        let lane = try ownedLane(of: workflow)
        let found: HotRun?
        if let run = target.run {
            guard UUIDText.isValid(run.value) else { throw Rejection.invalidRunID }
            found = try await find(RunKey(namespace: target.namespace, workflow: target.workflow, run: run), lane: lane)
        } else {
            found = try await current(workflow, lane: lane)
        }
        guard let hot = found else { throw Rejection.workflowNotFound(target) }
        guard target.firstRun == nil || hot.run.started?.firstExecutionRunID == target.firstRun else {
            throw Rejection.otherChain
        }
        touch(hot)
        return hot
    }

    func find(_ key: RunKey, lane: LaneState) async throws -> HotRun? {
        if let hot = runs[key] { return hot }
        return try await load(key.namespace, key.workflow, key.run, lane: lane)
    }

    /// The current run of a workflow id. Returning nil, nothing was awaited since the id was seen to be free.
    func current(_ workflow: WorkflowKey, lane: LaneState) async throws -> HotRun? {
        if let hot = currentInMemory(workflow) { return hot }
        let loaded = try await load(workflow.namespace, workflow.workflow, nil, lane: lane)
        return currentInMemory(workflow) ?? loaded
    }

    private func currentInMemory(_ workflow: WorkflowKey) -> HotRun? {
        guard let run = currents[workflow] else { return nil }
        return runs[RunKey(namespace: workflow.namespace, workflow: workflow.workflow, run: run)]
    }

    private func load(_ namespace: NamespaceID, _ workflow: WorkflowID, _ run: RunID?, lane: LaneState) async throws
        -> HotRun?
    {
        metrics.loads += 1
        let stored = try await services.runs.loadRun(namespace: namespace, workflow: workflow, run: run)
        try check(lane)
        guard let stored else { return nil }
        // Somebody else may have loaded or begun it meanwhile: what is in memory is newer.
        if let hot = runs[stored.summary.key] { return hot }
        return try install(stored, lane: lane)
    }

    /// Takes a loaded run into memory and offers what waits for a poller.
    private func install(_ stored: StoredRun, lane: LaneState) throws -> HotRun {
        let key = stored.summary.key
        let workflow = WorkflowKey(namespace: key.namespace, workflow: key.workflow)
        let run: Run
        do {
            run = try Run(snapshot: stored.snapshot)
        } catch {
            services.parkUnreadable(key, error)
            throw StoreError.corrupt("snapshot of run \(key): \(error)")
        }
        // Room is made before it comes in: whoever asked for it must find it.
        evictIfFull()
        let hash = stored.lastHash.isEmpty ? HashChain.seed(for: key).bytes : stored.lastHash
        let hot = HotRun(
            key: key, slot: slot(workflow), lane: lane, run: run, version: stored.version, isCurrent: stored.isCurrent,
            lastHash: hash)
        hot.countedStatus = stored.summary.status
        runs[key] = hot
        if stored.isCurrent { currents[workflow] = key.run }
        touch(hot)
        schedule(hot)
        for offer in hot.run.outstandingOffers { services.queues.offer(offer, of: key) }
        hot.durableMessage = run.lastMessageNumber
        sendMessages(of: hot)
        forgetIfDeleted(hot)
        return hot
    }

    /// What is stored of a run, for readers; works without a lease.
    nonisolated func readStored(_ target: RunTarget) async throws -> (summary: RunSummary, run: Run, version: Int64) {
        guard
            let stored = try await services.runs.loadRun(
                namespace: target.namespace, workflow: target.workflow, run: target.run)
        else { throw Rejection.workflowNotFound(target) }
        guard target.firstRun == nil || stored.summary.firstRunID == target.firstRun else { throw Rejection.otherChain }
        do {
            return (stored.summary, try Run(snapshot: stored.snapshot), stored.version)
        } catch {
            throw StoreError.corrupt("snapshot of run \(stored.summary.key): \(error)")
        }
    }
}
