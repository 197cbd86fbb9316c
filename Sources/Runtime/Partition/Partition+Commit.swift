import Engine
import History
import Logging

extension Partition {
    /// The batch that the next transition of `hot` belongs into. A run is in at most one open batch, so that the snapshot taken
    /// when it is sealed says exactly what its events say.
    func join(_ hot: HotRun) -> Batch {
        if let batch = hot.openBatch { return batch }
        let batch = openBatch(of: hot.lane)
        hot.openBatch = batch
        return batch
    }

    func openBatch(of lane: LaneState) -> Batch {
        if let last = lane.last, !last.isFull { return last }
        let batch = Batch()
        lane.queue.append(batch)
        lane.last = batch
        makeReady(lane)
        return batch
    }

    private func makeReady(_ lane: LaneState) {
        guard !lane.isReady, lane.sealed == nil, !lane.queue.isEmpty else { return }
        lane.isReady = true
        readyLanes.append(lane)
        if let loop = idleLoops.popLast() { loop.resume() }
    }

    /// Returns when everything decided about `hot` so far is stored.
    func stored(_ hot: HotRun) async throws {
        guard let batch = hot.openBatch ?? hot.sealedBatch else { return }
        try await stored(batch)
    }

    func stored(_ batch: Batch) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            batch.add(continuation)
        }
    }

    // MARK: The loop

    /// One writer: takes the batch that waits longest, stores it, settles it; until the partition is drained.
    func runCommits() async {
        while let lane = await nextLane() {
            guard let batch = seal(lane) else { continue }
            commitsInFlight += 1
            let started = clock.monotonic()
            let outcome = await Self.store(batch.wire, in: services)
            commitsInFlight -= 1
            metrics.commits += 1
            metrics.committedRuns += batch.wire.writes.count
            metrics.commitNanoseconds += clock.monotonic().since(started).nanoseconds
            await settle(batch.batch, wire: batch.wire, of: lane, outcome)
        }
        // Whatever else waits learns that it is over too.
        ringLoops()
    }

    private func nextLane() async -> LaneState? {
        while true {
            while let lane = readyLanes.popFirst() {
                lane.isReady = false
                if lane.sealed == nil, !lane.isLost { return lane }
            }
            if isDraining { return nil }
            await withCheckedContinuation { idleLoops.append($0) }
        }
    }

    /// Closes the oldest batch of the lane and says how it is written.
    private func seal(_ lane: LaneState) -> (batch: Batch, wire: CommitBatch)? {
        guard let batch = lane.queue.popFirst() else { return nil }
        if lane.last === batch { lane.last = nil }
        lane.sealed = batch
        let now = clock.now()
        var sequence = lane.sequence
        var wire = CommitBatch(lane: lane.lane, epoch: lane.epoch, writes: [])
        wire.writes.reserveCapacity(batch.writes.count)
        for write in batch.writes {
            let hot = write.hot
            hot.openBatch = nil
            hot.sealedBatch = batch
            hot.hasUnwrittenState = false
            write.version = (hot.version ?? 0) + 1
            if !write.events.isEmpty { sequence += 1 }
            wire.writes.append(
                RunWrite(
                    slot: hot.slot, expectedVersion: hot.version, summary: hot.summary(), snapshot: hot.run.snapshot(),
                    wakeAt: hot.run.wakeHint(at: now, horizon: configuration.timerWindow), events: write.events,
                    attempts: write.attempts, supersedes: write.supersedes,
                    outboxSequence: write.events.isEmpty ? nil : sequence, claim: write.claim))
            // A later transition decides on what this write makes.
            hot.version = write.version
        }
        return (batch, wire)
    }

    /// Off the actor, which meanwhile decides what the next batch holds.
    @concurrent
    private nonisolated static func store(_ wire: CommitBatch, in services: Services) async -> Result<Void, StoreError> {
        do throws(StoreError) {
            try await services.runs.commit(wire)
            return .success(())
        } catch {
            guard case .outcomeUnknown = error else { return .failure(error) }
            return await probe(wire, in: services, after: error)
        }
    }

    /// Did a commit whose answer was lost happen? A batch is stored as a whole, so one run of it tells.
    private nonisolated static func probe(
        _ wire: CommitBatch, in services: Services, after error: StoreError
    ) async -> Result<Void, StoreError> {
        guard let write = wire.writes.first(where: { !$0.events.isEmpty }) ?? wire.writes.first else { return .success(()) }
        let key = write.summary.key
        for attempt in 1...services.configuration.outcomeProbesMax {
            do throws(StoreError) {
                if let last = write.events.last {
                    let found = try await services.runs.readEvents(
                        key, from: last.id, through: last.id, limit: 1, newestFirst: false)
                    return found.first?.hash == last.hash ? .success(()) : .failure(.unavailable("the commit did not happen"))
                }
                let run = try await services.runs.loadRun(namespace: key.namespace, workflow: key.workflow, run: key.run)
                let happened = (run?.version ?? 0) > (write.expectedVersion ?? 0)
                return happened ? .success(()) : .failure(.unavailable("the commit did not happen"))
            } catch {
                let pause = TimeSpan.milliseconds(50 << Int64(attempt))
                await services.clock.sleep(until: services.clock.now().advanced(by: pause))
            }
        }
        return .failure(error)
    }

    // MARK: Settling

    private func settle(
        _ batch: Batch, wire: CommitBatch, of lane: LaneState, _ outcome: Result<Void, StoreError>
    ) async {
        lane.sealed = nil
        waitingTransitions -= batch.transitions
        switch outcome {
        case .success:
            publish(batch, wire: wire, of: lane)
            batch.finish(.success(()))
            makeReady(lane)
            evictIfFull()
        case .failure(let error):
            metrics.failedCommits += 1
            services.logger.warning(
                "commit failed", metadata: ["lane": "\(lane.lane)", "runs": "\(wire.writes.count)", "why": "\(error)"])
            fail(batch, of: lane, error)
        }
    }

    /// The batch is stored: its events go to readers and to the feed, its tasks to the queues.
    private func publish(_ batch: Batch, wire: CommitBatch, of lane: LaneState) {
        var entries: [OutboxEntry] = []
        entries.reserveCapacity(wire.writes.count)
        for (write, row) in zip(batch.writes, wire.writes) {
            let hot = write.hot
            hot.sealedBatch = nil
            if let last = write.events.last {
                hot.durableLast = last.id
                wakeReaders(of: hot)
            }
            if let sequence = row.outboxSequence {
                lane.sequence = sequence
                entries.append(
                    OutboxEntry(
                        lane: lane.lane, sequence: sequence, run: hot.key, workflowType: row.summary.workflowType,
                        events: write.events))
            }
            guard !hot.isDropped else { continue }
            for effect in write.effects { services.queues.offer(effect, of: hot.key) }
            if hot.run.status?.isOpen == false { close(hot) }
        }
        if !entries.isEmpty, !lane.isLost { services.feed?.committed(entries) }
    }

    /// A run ended: queries that waited for its next workflow task are asked of its whole history.
    private func close(_ hot: HotRun) {
        if let deadline = hot.deadline { deadlines.cancel(deadline) }
        hot.deadline = nil
        redirectQueries(of: hot)
    }

    /// Drops every run that waits in this lane, tells their callers, and has the runs loaded again.
    private func fail(_ batch: Batch, of lane: LaneState, _ error: StoreError) {
        switch error {
        case .notOwner: lose(lane, error)
        case .outcomeUnknown: lane.isInDoubt = true
        case .unavailable, .conflict, .alreadyExists, .corrupt, .closed: break
        }
        if case .outcomeUnknown = error { services.leaseAlarm.ring() }
        var failed = [batch]
        while let waiting = lane.queue.popFirst() {
            waitingTransitions -= waiting.transitions
            failed.append(waiting)
        }
        lane.last = nil
        let now = clock.now()
        for batch in failed {
            for write in batch.writes {
                let hot = write.hot
                hot.openBatch = nil
                hot.sealedBatch = nil
                if !hot.isDropped { forget(hot) }
                if !lane.isLost { push(Deadline(at: now, key: hot.key)) }
            }
        }
        // Innocent transitions that waited behind the failed batch changed nothing either.
        let later: StoreError = if case .outcomeUnknown = error { .unavailable("an earlier commit failed") } else { error }
        for (index, batch) in failed.enumerated() { batch.finish(.failure(index == 0 ? error : later)) }
    }

    // MARK: Leases

    /// Takes over a lane. What is stored of it is looked through by the scanner.
    func adopt(_ lease: LaneLease, validUntil: Timestamp) {
        if let old = lanes[lease.lane] {
            if old.epoch == lease.epoch {
                renew(lease, validUntil: validUntil)
                return
            }
            lose(old, .notOwner(slots: []))
        }
        let lane = LaneState(lease: lease, validUntil: validUntil)
        lanes[lease.lane] = lane
        lanesToRecover.append(lane)
        services.feed?.laneAcquired(lease)
        scanAlarm.ring()
    }

    /// The leases that this node still holds; lanes that are not among them are lost.
    func renewed(_ leases: [Int16: LaneLease], validUntil: Timestamp) {
        for number in lanes.keys.sorted() {
            guard let lane = lanes[number] else { continue }
            if let lease = leases[number], lease.epoch == lane.epoch {
                renew(lease, validUntil: validUntil)
            } else {
                lose(lane, .notOwner(slots: []))
            }
        }
    }

    private func renew(_ lease: LaneLease, validUntil: Timestamp) {
        guard let lane = lanes[lease.lane] else { return }
        // Offers taken while nothing could be decided were dropped.
        if lane.isInDoubt || lane.validUntil <= clock.monotonic() { queueHasRoom() }
        lane.validUntil = max(lane.validUntil, validUntil)
        guard lane.isInDoubt else { return }
        lane.sequence = lease.lastOutboxSequence
        lane.isInDoubt = false
    }

    /// Somebody else may write the lane now: forget everything about it.
    func lose(_ lane: LaneState, _ error: StoreError) {
        guard !lane.isLost else { return }
        lane.isLost = true
        if lanes[lane.lane] === lane { lanes[lane.lane] = nil }
        lanesToRecover.removeAll { $0 === lane }
        services.feed?.laneLost(lane.lane)
        services.leaseAlarm.ring()
        services.logger.notice("lane lost", metadata: ["lane": "\(lane.lane)", "epoch": "\(lane.epoch)"])
        for hot in runs.values.filter({ $0.lane === lane }) { forget(hot) }
        while let waiting = lane.queue.popFirst() {
            waitingTransitions -= waiting.transitions
            for write in waiting.writes { write.hot.openBatch = nil }
            waiting.finish(.failure(error))
        }
        lane.last = nil
    }

    var ownedLanes: Int { lanes.count }
}
