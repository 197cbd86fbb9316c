import Engine
import History
import Logging

extension ScheduleKeeper {
    /// The writer: takes what waits, stores it, settles it; until it is drained.
    func runCommits() async {
        while true {
            var batch: [HotSchedule] = []
            while batch.count < Self.batchMax, let hot = dirty.popFirst() {
                if !hot.isDropped { batch.append(hot) }
            }
            if batch.isEmpty {
                if isDraining || Task.isCancelled { return }
                await writerBell.wait()
                continue
            }
            let (wire, wishes) = seal(batch)
            let outcome = await Self.store(wire, in: store)
            metrics.commits += 1
            metrics.writes += wire.writes.count
            settle(batch, wishes, outcome)
        }
    }

    private func seal(_ batch: [HotSchedule]) -> (ScheduleBatch, [[ScheduleWish]]) {
        var epochs: [Int16: Int64] = [:]
        var writes: [ScheduleWrite] = []
        for hot in batch {
            hot.isDirty = false
            hot.isSealed = true
            hot.isSealedAsDeleted = hot.isDeleted
            hot.sealedWaiting = hot.waiting
            hot.waiting = []
            epochs[hot.lane] = hot.epoch
            let schedule = hot.schedule
            writes.append(
                ScheduleWrite(
                    key: hot.key, slot: hot.slot, expectedVersion: hot.version,
                    snapshot: hot.isDeleted ? nil : schedule.snapshot(), createTime: schedule.createTime,
                    isPaused: schedule.definition.isPaused,
                    wakeAt: schedule.isBusy ? .zero : schedule.nextMoment(hot.times)))
        }
        let lanes = epochs.map { LaneEpoch(lane: $0.key, epoch: $0.value) }.sorted { $0.lane < $1.lane }
        return (ScheduleBatch(lanes: lanes, writes: writes), batch.map { $0.isDeleted ? [] : $0.schedule.wishes })
    }

    @concurrent
    private nonisolated static func store(
        _ wire: ScheduleBatch, in store: any ScheduleStore
    ) async -> Result<Void, StoreError> {
        do throws(StoreError) {
            return .success(try await store.commitSchedules(wire))
        } catch {
            return .failure(error)
        }
    }

    private func settle(_ batch: [HotSchedule], _ wishes: [[ScheduleWish]], _ outcome: Result<Void, StoreError>) {
        switch outcome {
        case .success:
            for (hot, wishes) in zip(batch, wishes) {
                hot.isSealed = false
                let waiting = hot.sealedWaiting
                hot.sealedWaiting = []
                hot.version = (hot.version ?? 0) + 1
                for waiter in waiting { waiter.resume() }
                guard !hot.isDropped else { continue }
                // Deleted while an earlier state was under way: the deletion is in the next batch.
                if hot.isSealedAsDeleted { forget(hot) } else if !hot.isDeleted { act(on: wishes, of: hot) }
            }
        case .failure(let error):
            services.logger.warning(
                "schedules not stored", metadata: ["schedules": "\(batch.count)", "why": "\(error)"])
            // What is stored is the truth, whatever happened: it is loaded again.
            let again = clock.now().advanced(by: .milliseconds(200))
            for hot in batch {
                if !hot.isDropped { drop(hot, error) }
                moments.push(again, hot.key)
            }
            timerAlarm.set(again)
            if case .notOwner = error { services.leaseAlarm.ring() }
        }
    }

    // MARK: Life

    /// No more decisions; the writer ends when everything decided is stored.
    func drain() {
        isDraining = true
        writerBell.ring()
    }

    /// Returns when everything decided is stored (or has failed).
    func finished() async {
        for hot in schedules.values where !hot.isSettled { try? await stored(hot) }
        errandQueue.finish()
    }

    /// Like a killed process: what waits is never stored.
    func abandon() {
        isDraining = true
        for lane in lanes.keys.sorted() { lose(lane) }
        writerBell.ring()
        errandQueue.finish()
    }
}
