import Engine
import History
import Logging

extension Partition {
    /// The batch that the next transition of `hot` belongs into. A run is in at most one open batch, so that the snapshot taken
    /// when it is sealed says exactly what its events say.
    func join(_ hot: HotRun) -> Batch {
        if let batch = hot.openBatch { return batch }
        let batch = openBatch()
        hot.openBatch = batch
        return batch
    }

    func openBatch() -> Batch {
        if let last = growingBatch, !last.isFull { return last }
        let batch = Batch()
        waitingBatches.append(batch)
        growingBatch = batch
        ringLoop()
        return batch
    }

    /// Returns when everything decided about `hot` so far is stored.
    func stored(_ hot: HotRun) async throws {
        guard let batch = hot.openBatch ?? hot.sealedBatch else { return }
        try await stored(batch, of: hot)
    }

    func stored(_ batch: Batch, of hot: HotRun?) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            batch.add(continuation, of: hot)
        }
    }

    // MARK: The loop

    /// The writer: takes the batch that waits longest, stores it, settles it; until the partition is drained.
    func runCommits() async {
        while let batch = await nextBatch() {
            let wire = seal(batch)
            guard !wire.writes.isEmpty else {
                batch.succeed()
                continue
            }
            sealedBatch = batch
            let started = clock.monotonic()
            let outcome = await Self.store(wire, in: services)
            sealedBatch = nil
            metrics.commits += 1
            metrics.committedRuns += wire.writes.count
            metrics.commitNanoseconds += clock.monotonic().since(started).nanoseconds
            settle(batch, wire: wire, outcome)
        }
    }

    private func nextBatch() async -> Batch? {
        while true {
            if let batch = waitingBatches.popFirst() { return batch }
            if isDraining { return nil }
            await withCheckedContinuation { idleLoop = $0 }
        }
    }

    /// Closes a batch and says how it is written.
    private func seal(_ batch: Batch) -> CommitBatch {
        if growingBatch === batch { growingBatch = nil }
        let now = clock.now()
        var sequences: [Int16: Int64] = [:]
        var epochs: [Int16: Int64] = [:]
        var writes: [RunWrite] = []
        writes.reserveCapacity(batch.writes.count)
        for write in batch.writes {
            let hot = write.hot
            let lane = hot.lane.lane
            hot.openBatch = nil
            hot.sealedBatch = batch
            hot.hasUnwrittenState = false
            write.version = (hot.version ?? 0) + 1
            write.lastMessage = hot.run.lastMessageNumber
            epochs[lane] = hot.lane.epoch
            var sequence: Int64?
            if !write.events.isEmpty {
                let next = (sequences[lane] ?? hot.lane.sequence) + 1
                sequences[lane] = next
                sequence = next
            }
            let summary = hot.summary()
            writes.append(
                RunWrite(
                    slot: hot.slot, lane: lane, expectedVersion: hot.version, summary: summary,
                    snapshot: hot.run.snapshot(),
                    wakeAt: hot.run.wakeHint(at: now, horizon: configuration.timerWindow), events: write.events,
                    attempts: write.attempts, supersedes: write.supersedes, outboxSequence: sequence,
                    claim: write.claim, previousStatus: hot.countedStatus,
                    searchValues: searchValues(of: write, summary)
                ))
            // A later transition decides on what this write makes.
            hot.version = write.version
            hot.countedStatus = summary.status
        }
        let lanes = epochs.map { LaneEpoch(lane: $0.key, epoch: $0.value) }.sorted { $0.lane < $1.lane }
        return CommitBatch(lanes: lanes, writes: writes)
    }

    /// What the run is found by, when this write changes it: with its start, its close and every change of the attributes.
    private func searchValues(of write: OpenWrite, _ summary: RunSummary) -> [SearchValue]? {
        let hot = write.hot
        guard let attributes = summary.searchAttributes else {
            return hot.version != nil && write.changesSearchAttributes ? [] : nil
        }
        guard hot.version == nil || summary.status != hot.countedStatus || write.changesSearchAttributes else {
            return nil
        }
        return services.encoder.searchValues(attributes)
    }

    /// Off the actor, which meanwhile decides what the next batch holds.
    @concurrent
    private nonisolated static func store(_ wire: CommitBatch, in services: Services) async -> Result<Void, StoreError>
    {
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
        guard let write = wire.writes.first(where: { !$0.events.isEmpty }) ?? wire.writes.first else {
            return .success(())
        }
        let key = write.summary.key
        for attempt in 1...services.configuration.outcomeProbesMax {
            do throws(StoreError) {
                if let last = write.events.last {
                    let found = try await services.runs.readEvents(
                        key, from: last.id, through: last.id, limit: 1, newestFirst: false)
                    return found.first?.hash == last.hash
                        ? .success(()) : .failure(.unavailable("the commit did not happen"))
                }
                let run = try await services.runs.loadRun(
                    namespace: key.namespace, workflow: key.workflow, run: key.run)
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

    private func settle(_ batch: Batch, wire: CommitBatch, _ outcome: Result<Void, StoreError>) {
        waitingTransitions -= batch.transitions
        switch outcome {
        case .success:
            publish(batch, wire: wire)
            batch.succeed()
            evictIfFull()
        case .failure(let error):
            metrics.failedCommits += 1
            services.logger.warning("commit failed", metadata: ["runs": "\(wire.writes.count)", "why": "\(error)"])
            fail(batch, error)
        }
    }

    /// The batch is stored: its events go to readers and to the feed, its tasks to the queues.
    private func publish(_ batch: Batch, wire: CommitBatch) {
        var entries: [OutboxEntry] = []
        entries.reserveCapacity(wire.writes.count)
        for (write, row) in zip(batch.writes, wire.writes) {
            let hot = write.hot
            hot.sealedBatch = nil
            hot.durableMessage = write.lastMessage
            if let last = write.events.last {
                hot.durableLast = last.id
                wakeReaders(of: hot)
            }
            if let sequence = row.outboxSequence {
                hot.lane.sequence = sequence
                if !hot.lane.isLost {
                    entries.append(
                        OutboxEntry(
                            lane: row.lane, sequence: sequence, run: hot.key, workflowType: row.summary.workflowType,
                            events: write.events, kinds: write.kinds))
                }
            }
            guard !hot.isDropped else { continue }
            for effect in write.effects { deliver(effect, of: hot) }
            if hot.run.status?.isOpen == false {
                close(hot)
                services.closes.closed(hot.key)
            }
            sendMessages(of: hot)
            forgetIfDeleted(hot)
        }
        if !entries.isEmpty { services.feed?.committed(entries) }
    }

    /// A run ended: queries that waited for its next workflow task are asked of its whole history.
    private func close(_ hot: HotRun) {
        if let deadline = hot.deadline { deadlines.cancel(deadline) }
        hot.deadline = nil
        redirectQueries(of: hot)
    }

    /// Nothing of the batch was stored, or nobody knows: drops its runs and what was decided on top of them, tells the callers
    /// (`error` for those whom the store named, "unavailable" for those who only shared the transaction), and has the runs
    /// loaded again.
    private func fail(_ batch: Batch, _ error: StoreError) {
        let isShared: Bool
        var named: (HotRun) -> Bool = { _ in true }
        switch error {
        case .notOwner(let slots):
            let lost = Set(slots.map { Slots.lane(of: $0, laneCount: configuration.laneCount) })
            for lane in batch.lanes where lost.isEmpty || lost.contains(lane.lane) { lose(lane, error) }
            named = { lost.isEmpty || lost.contains($0.lane.lane) }
            isShared = false
        case .outcomeUnknown:
            for lane in batch.lanes { lane.isInDoubt = true }
            services.leaseAlarm.ring()
            isShared = false
        case .outOfStep(let numbers):
            for lane in batch.lanes where numbers.contains(lane.lane) { lane.isInDoubt = true }
            services.leaseAlarm.ring()
            isShared = false
        case .conflict(let keys), .alreadyExists(let keys):
            let losers = Set(keys)
            named = { losers.contains($0.key) }
            isShared = false
        case .unavailable, .corrupt, .closed: isShared = true
        }
        let later = StoreError.unavailable("a commit before it, or of another run with it, failed")
        var dropped = Set(batch.writes.map(\.hot.key.run))
        drop(batch.writes)
        // What waits and builds on a dropped run changed nothing either, nor can a lane in doubt be numbered on.
        for waiting in waitingBatches.all {
            let withdrawn = waiting.withdraw(later) { write in
                isShared || write.hot.lane.isInDoubt || dropped.contains(write.hot.key.run)
                    || write.supersedes.map { dropped.contains($0) } ?? false
            }
            dropped.formUnion(withdrawn.map(\.hot.key.run))
            for write in withdrawn { waitingTransitions -= write.transitions }
            drop(withdrawn)
        }
        batch.fail(later) { named($0) ? error : later }
    }

    /// Takes the runs of failed writes out of memory; they are loaded again at once, if they are still this node's.
    private func drop(_ writes: [OpenWrite]) {
        let now = clock.now()
        for write in writes {
            let hot = write.hot
            hot.openBatch = nil
            hot.sealedBatch = nil
            if !hot.isDropped { forget(hot) }
            if !hot.lane.isLost { push(Deadline(at: now, key: hot.key)) }
        }
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
        // The doubtful commit may have happened, and then the feed has not heard of it.
        services.feed?.laneAcquired(lease)
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
        for waiting in waitingBatches.all {
            let withdrawn = waiting.withdraw(error) { $0.hot.lane === lane }
            for write in withdrawn {
                waitingTransitions -= write.transitions
                write.hot.openBatch = nil
            }
        }
    }

    var ownedLanes: Int { lanes.count }
}
