import Engine
import History
import Logging

extension ScheduleKeeper {
    /// Looks at schedules when their moment has come, until the task is cancelled.
    func runTimers() async {
        while !Task.isCancelled {
            var next: Timestamp?
            do {
                next = try await turnDue()
            } catch {
                services.logger.warning("schedules not loaded", metadata: ["why": "\(error)"])
                next = clock.now().advanced(by: Self.retryPause)
            }
            if let next, next <= clock.now() {
                await Task.yield()
                continue
            }
            await timerAlarm.wait(until: next)
        }
    }

    /// Turns what is due and says when the next one is.
    private func turnDue() async throws -> Timestamp? {
        let now = clock.now()
        var turned = 0
        while turned < Self.turnsAtOnceMax, let due = moments.popDue(at: now) {
            turned += 1
            if let hot = schedules[due.key] {
                if let armed = hot.armedFor, armed <= due.at { hot.armedFor = nil }
                guard (try? check(due.key)) != nil else {
                    retry(due.key)
                    continue
                }
                turn(hot)
            } else if lanes[laneNumber(due.key)] != nil, !isDraining {
                do {
                    _ = try await find(due.key)
                } catch is Rejection {
                    retry(due.key)
                } catch {
                    retry(due.key)
                    throw error
                }
            }
        }
        return moments.first
    }

    private func retry(_ key: ScheduleKey) {
        guard !isDraining else { return }
        moments.push(clock.now().advanced(by: Self.retryPause), key)
    }

    // MARK: Looking through what is stored

    /// Reads the next window of moments in time, looks through lanes that were just acquired, and looks at runs that other
    /// nodes write; until the task is cancelled.
    func runScans() async {
        let window = services.configuration.timerWindow
        var next = clock.now()
        while !Task.isCancelled {
            let now = clock.now()
            do {
                while let lane = lanesToRecover.first {
                    let slots = Slots.slots(ofLane: lane, laneCount: services.configuration.laneCount)
                    try await eachPage(of: slots, until: max(horizon, now.advanced(by: window)), from: nil)
                    lanesToRecover.removeAll { $0 == lane }
                }
                if next <= now {
                    let end = now.advanced(by: window)
                    // What waits for being loaded (wake_at = 0) is in memory already: begin after it.
                    for lane in lanes.keys.sorted() {
                        let slots = Slots.slots(ofLane: lane, laneCount: services.configuration.laneCount)
                        let nobody = ScheduleKey(namespace: NamespaceID(UUIDText.zero), id: "")
                        try await eachPage(
                            of: slots, until: end,
                            from: ScheduleWakeEntry(key: nobody, slot: 0, wakeAt: Timestamp(nanoseconds: 1)))
                    }
                    horizon = max(horizon, end)
                    next = end.advanced(by: TimeSpan(nanoseconds: -Partition.scanLead.nanoseconds))
                }
                let hasForeign = lookAtForeignRuns()
                await scanAlarm.wait(until: hasForeign ? min(next, now.advanced(by: Self.foreignRunsPause)) : next)
            } catch {
                services.logger.warning("schedules not scanned", metadata: ["why": "\(error)"])
                await scanAlarm.wait(until: now.advanced(by: Self.retryPause))
            }
        }
    }

    private func eachPage(
        of slots: ClosedRange<Int16>, until end: Timestamp, from start: ScheduleWakeEntry?
    ) async throws {
        var cursor = start
        while !Task.isCancelled {
            let page = try await store.schedulesToWake(
                slots: slots, until: end, after: cursor, limit: Self.wakePageMax)
            for entry in page where schedules[entry.key] == nil {
                moments.push(entry.wakeAt, entry.key)
                timerAlarm.set(entry.wakeAt)
            }
            guard page.count == Self.wakePageMax, let last = page.last else { return }
            cursor = last
        }
    }

    /// Nobody tells this node when another one's runs close.
    private func lookAtForeignRuns() -> Bool {
        var hasForeign = false
        for workflow in services.closes.watched {
            let slot = Slots.slot(namespace: workflow.namespace, workflow: workflow.workflow)
            guard lanes[Slots.lane(of: slot, laneCount: services.configuration.laneCount)] == nil else { continue }
            hasForeign = true
            look(workflow)
        }
        return hasForeign
    }
}
