import Engine
import History
import Logging
import Synchronization

/// Durable timers: the moments are stored with the runs (`wake_at`), a window of them is held in a heap, one task sleeps until
/// the earliest. Nothing fires early, because the run itself compares the deadline with the time.
extension Partition {
    /// After a failed load or a doubtful lease: when to try again.
    static let retryPause = TimeSpan.seconds(1)
    /// The next window is read so long before the last one ends.
    static let scanLead = TimeSpan.seconds(5)
    /// Due runs are woken in turns of this many, so that requests get in between.
    static let firesPerTurnMax = 256

    /// Puts the run's next deadline into the heap, if it lies in the window and nothing earlier is there already.
    func schedule(_ hot: HotRun) {
        guard let next = hot.run.nextDeadline else {
            if let old = hot.deadline { deadlines.cancel(old) }
            hot.deadline = nil
            return
        }
        if let old = hot.deadline {
            if old.at <= next { return }
            deadlines.cancel(old)
            hot.deadline = nil
        }
        guard next <= horizon else { return }
        let deadline = Deadline(at: next, key: hot.key)
        hot.deadline = deadline
        push(deadline)
    }

    func push(_ deadline: Deadline) {
        deadlines.push(deadline)
        timerAlarm.set(deadline.at)
    }

    /// Wakes runs at their deadlines until the task is cancelled.
    func runTimers() async {
        while !Task.isCancelled {
            let next = fireDue()
            if let next, next <= clock.now() {
                await Task.yield()
                continue
            }
            await timerAlarm.wait(until: next)
        }
    }

    /// Wakes what is due, and says when the next one is.
    private func fireDue() -> Timestamp? {
        let now = clock.now()
        var fired = 0
        while fired < Self.firesPerTurnMax, let deadline = deadlines.popDue(at: now) {
            fired += 1
            guard let hot = runs[deadline.key] else {
                enqueueLoad(deadline.key)
                continue
            }
            if hot.deadline === deadline { hot.deadline = nil }
            wake(hot, at: now)
        }
        return deadlines.first()?.at
    }

    private func wake(_ hot: HotRun, at now: Timestamp) {
        guard let next = hot.run.nextDeadline else { return }
        guard next <= now else {
            schedule(hot)
            return
        }
        do {
            metrics.timersFired += 1
            _ = try decide(hot, .wake, by: "")
        } catch {
            // No lease to decide under right now, or too much waits already.
            if !hot.isDropped, !isDraining { push(Deadline(at: now.advanced(by: Self.retryPause), key: hot.key)) }
        }
    }

    // MARK: Loading runs that nobody asked for

    func enqueueLoad(_ key: RunKey) {
        toLoad.append(key)
        loadBell.ring()
    }

    /// Loads runs whose deadline came while they were not in memory, until the task is cancelled.
    func runLoads() async {
        while !Task.isCancelled {
            var keys: [RunKey] = []
            while keys.count < configuration.wakePageMax, let key = toLoad.popFirst() { keys.append(key) }
            if keys.isEmpty { await loadBell.wait() } else { await loadAll(keys) }
        }
    }

    /// Loads runs, a few at once; loading offers their tasks, and what is due happens.
    private func loadAll(_ keys: [RunKey]) async {
        await withDiscardingTaskGroup { group in
            let width = min(configuration.loadsAtOnceMax, keys.count)
            for worker in 0..<width {
                group.addTask {
                    for index in stride(from: worker, to: keys.count, by: width) where !Task.isCancelled {
                        await self.loadAndWake(keys[index])
                    }
                }
            }
        }
    }

    private func loadAndWake(_ key: RunKey) async {
        do {
            let hot = try await resident(RunTarget(namespace: key.namespace, workflow: key.workflow, run: key.run))
            wake(hot, at: clock.now())
        } catch let rejection as Rejection {
            // Deleted meanwhile, or another node's by now. If the lane is ours and only its lease is in doubt, the run is due still.
            let lane = laneNumber(of: WorkflowKey(namespace: key.namespace, workflow: key.workflow))
            guard rejection.kind == .unavailable, !isDraining, lanes[lane] != nil else { return }
            push(Deadline(at: clock.now().advanced(by: Self.retryPause), key: key))
        } catch {
            services.logger.warning("run not loaded", metadata: ["run": "\(key)", "why": "\(error)"])
            push(Deadline(at: clock.now().advanced(by: Self.retryPause), key: key))
        }
    }

    // MARK: Looking through what is stored

    /// Reads the next window of deadlines in time, looks through lanes that were just acquired, and finds offers again that did
    /// not fit into memory; until the task is cancelled.
    func runScans() async {
        var next = clock.now()
        while !Task.isCancelled {
            let now = clock.now()
            do {
                try await recoverLanes()
                if tasksWereDropped.exchange(false, ordering: .relaxed) { try await rescanTasks() }
                if next <= now {
                    try await readWindow(until: now.advanced(by: configuration.timerWindow))
                    next = now.advanced(by: configuration.timerWindow).advanced(
                        by: TimeSpan(nanoseconds: -Self.scanLead.nanoseconds))
                }
                await scanAlarm.wait(until: next)
            } catch {
                services.logger.warning("scan failed", metadata: ["why": "\(error)"])
                await scanAlarm.wait(until: now.advanced(by: Self.retryPause))
            }
        }
    }

    private func recoverLanes() async throws {
        while let lane = lanesToRecover.first {
            let until = max(horizon, clock.now().advanced(by: configuration.timerWindow))
            let slots = Slots.slots(ofLane: lane.lane, laneCount: configuration.laneCount)
            try await eachPage(of: slots, until: until, from: nil)
            lanesToRecover.removeAll { $0 === lane }
        }
    }

    private func rescanTasks() async throws {
        for hot in runs.values {
            for offer in hot.run.outstandingOffers where hot.isSettled { services.queues.offer(offer, of: hot.key) }
        }
        for slots in ownedRanges() { try await eachPage(of: slots, until: .zero, from: nil) }
    }

    private func readWindow(until end: Timestamp) async throws {
        // What waits for being loaded (wake_at = 0) is in memory or in the heap already: begin after it.
        let nobody = RunKey(namespace: NamespaceID(UUIDText.zero), workflow: "", run: RunID(UUIDText.zero))
        let cursor = WakeEntry(key: nobody, slot: 0, wakeAt: Timestamp(nanoseconds: 1_000))
        for slots in ownedRanges() { try await eachPage(of: slots, until: end, from: cursor) }
        horizon = max(horizon, end)
        for hot in runs.values {
            schedule(hot)
            if hot.hasUnwrittenState { writeState(of: hot) }
        }
    }

    /// Stores what only memory knows (the last heartbeat), so that a crash loses little of it.
    private func writeState(of hot: HotRun) {
        guard hot.isSettled, hot.run.unrecordedEvents.isEmpty, (try? check(hot.lane)) != nil else { return }
        let batch = join(hot)
        batch.write(for: hot).transitions += 1
        waitingTransitions += 1
    }

    private func eachPage(of slots: ClosedRange<Int16>, until end: Timestamp, from start: WakeEntry?) async throws {
        var cursor = start
        while !Task.isCancelled {
            let page = try await services.runs.runsToWake(
                slots: slots, until: end, after: cursor, limit: configuration.wakePageMax)
            let now = clock.now()
            var due: [RunKey] = []
            for entry in page where runs[entry.key] == nil {
                if entry.wakeAt <= now {
                    due.append(entry.key)
                } else {
                    push(Deadline(at: entry.wakeAt, key: entry.key))
                }
            }
            await loadAll(due)
            guard page.count == configuration.wakePageMax, let last = page.last else { return }
            cursor = last
        }
    }

    /// The slots of this node's lanes, joined where they touch.
    private func ownedRanges() -> [ClosedRange<Int16>] {
        var ranges: [ClosedRange<Int16>] = []
        for lane in lanes.keys.sorted() {
            let slots = Slots.slots(ofLane: lane, laneCount: configuration.laneCount)
            if let last = ranges.last, last.upperBound + 1 == slots.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound...slots.upperBound
            } else {
                ranges.append(slots)
            }
        }
        return ranges
    }
}
