public import History

extension Schedule {
    /// Lets the time pass up to `now`: buffers what has come due, goes on with backfills, decides what starts.
    ///
    /// - Returns: true when there is more to look at than one turn may; store the state, then call it again.
    public mutating func advance(
        to now: Timestamp, _ times: ScheduleTimes, limits: ScheduleLimits = ScheduleLimits()
    ) -> Bool {
        var left = limits.timesPerTurnMax
        passTime(to: now, times, left: &left, limits)
        backfill(at: now, times, left: &left, limits)
        decide(limits)
        return left <= 0
    }

    /// When it has to be looked at next; nil when nothing happens by itself.
    public func nextMoment(_ times: ScheduleTimes) -> Timestamp? {
        actsByItself ? times.next(after: processedUntil)?.actual : nil
    }

    /// The next actions, with jitter, as if nothing paused it.
    public func futureTimes(
        from now: Timestamp, _ times: ScheduleTimes, limits: ScheduleLimits = ScheduleLimits()
    ) -> [Timestamp] {
        var most = limits.futureMax
        if definition.isLimited { most = min(most, Int(clamping: definition.remainingActions)) }
        var found: [Timestamp] = []
        // A time before now may still be ahead, in its jitter.
        var cursor = max(processedUntil, now.advanced(by: TimeSpan(nanoseconds: -jitterMargin.nanoseconds)))
        while found.count < most, let next = times.next(after: cursor) {
            cursor = next.nominal
            if next.actual > now { found.append(next.actual) }
        }
        return found
    }

    private var jitterMargin: TimeSpan {
        TimeSpan(nanoseconds: (definition.spec.jitter ?? .zero).nanoseconds + 1_000_000_000)
    }

    /// After an update: what is still in its jitter counts, what was due before does not.
    mutating func forgetTimes(before now: Timestamp) {
        processedUntil = max(processedUntil, now.advanced(by: TimeSpan(nanoseconds: -jitterMargin.nanoseconds)))
    }

    private mutating func passTime(
        to now: Timestamp, _ times: ScheduleTimes, left: inout Int, _ limits: ScheduleLimits
    ) {
        while left > 0 {
            guard actsByItself else {
                processedUntil = max(processedUntil, now)
                return
            }
            guard let next = times.next(after: processedUntil), next.actual <= now else { return }
            left -= 1
            processedUntil = next.nominal
            // It was changed after this time: the new definition does not reach back.
            if let updateTime, next.actual < updateTime { continue }
            if now.since(next.actual) > definition.policies.catchupWindow {
                missedCatchupWindow += 1
                continue
            }
            add(
                Due(
                    nominal: next.nominal, due: next.actual, overlap: overlapByDefault, isManual: false,
                    requestID: RequestID("\(incarnation)-\(next.nominal.nanoseconds / 1_000_000_000)")), limits)
            // Each is decided on before the next, as when time passes without a break.
            decide(limits)
        }
    }

    mutating func add(_ due: Due, _ limits: ScheduleLimits) {
        guard buffered.count < limits.bufferedMax else {
            bufferDropped += 1
            return
        }
        buffered.append(due)
    }

    private mutating func backfill(
        at now: Timestamp, _ times: ScheduleTimes, left: inout Int, _ limits: ScheduleLimits
    ) {
        while left > 0, var backfill = backfills.first {
            // Half of the buffer is kept for what comes due meanwhile.
            let room = limits.bufferedMax / 2 - buffered.count - starting.count
            guard room > 0 else { return }
            let asked = min(room, left)
            let found = times.times(after: backfill.done, through: backfill.end, limit: asked)
            left -= max(found.count, 1)
            for time in found {
                backfill.done = time.nominal
                add(
                    Due(
                        nominal: time.nominal, due: now, overlap: backfill.overlap ?? overlapByDefault, isManual: true,
                        requestID: RequestID(
                            "\(incarnation)-b\(backfill.number)-\(time.nominal.nanoseconds / 1_000_000_000)")), limits)
                decide(limits)
            }
            if found.count < asked { backfills.removeFirst() } else { backfills[0] = backfill }
        }
    }
}
