public import History

extension Schedule {
    private mutating func isRepeated(_ requestID: RequestID, _ limits: ScheduleLimits) -> Bool {
        guard !requestID.isEmpty else { return false }
        if requests.contains(requestID) { return true }
        requests.append(requestID)
        if requests.count > limits.rememberedRequestsMax { requests.removeFirst() }
        return false
    }

    /// Replaces the definition. Call ``advance(to:_:limits:)`` before, under the old times.
    ///
    /// - Parameter token: when set, the state that the caller has seen.
    /// - Throws: ``Rejection`` when the schedule has changed since.
    /// - Returns: false for a repeated request, which changes nothing.
    public mutating func update(
        _ definition: ScheduleDefinition, memo: Blob?, searchAttributes: Blob?, token: Int64?, requestID: RequestID,
        at now: Timestamp, limits: ScheduleLimits = ScheduleLimits()
    ) throws(Rejection) -> Bool {
        if !requestID.isEmpty, requests.contains(requestID) { return false }
        if let token, token != conflictToken {
            throw Rejection(.failedPrecondition, "mismatched conflict token")
        }
        _ = isRepeated(requestID, limits)
        self.definition = definition
        if let memo { self.memo = memo.isEmpty ? nil : memo }
        if let searchAttributes { self.searchAttributes = searchAttributes.isEmpty ? nil : searchAttributes }
        updateTime = now
        conflictToken += 1
        forgetTimes(before: now)
        decide(limits)
        return true
    }

    /// Triggers, backfills, pauses, unpauses. Call ``advance(to:_:limits:)`` before.
    ///
    /// - Throws: ``Rejection`` when too many backfills wait.
    /// - Returns: false for a repeated request, which changes nothing.
    public mutating func patch(
        _ patch: SchedulePatch, requestID: RequestID, at now: Timestamp, limits: ScheduleLimits = ScheduleLimits()
    ) throws(Rejection) -> Bool {
        if !requestID.isEmpty, requests.contains(requestID) { return false }
        guard backfills.count + patch.backfills.count <= limits.backfillsMax else {
            throw .invalid("more than \(limits.backfillsMax) backfills of a schedule at once")
        }
        _ = isRepeated(requestID, limits)
        if let note = patch.pause {
            definition.isPaused = true
            definition.notes = note
        }
        if let note = patch.unpause {
            definition.isPaused = false
            definition.notes = note
            processedUntil = max(processedUntil, now)
        }
        if let trigger = patch.trigger {
            manualCount += 1
            add(
                Due(
                    nominal: trigger.scheduledTime ?? now, due: now, overlap: trigger.overlap ?? overlapByDefault,
                    isManual: true,
                    requestID: RequestID("\(incarnation)-m\(manualCount)")), limits)
        }
        for backfill in patch.backfills {
            manualCount += 1
            backfills.append(
                Backfilling(
                    done: backfill.start.advanced(by: TimeSpan(nanoseconds: -1)), end: backfill.end,
                    overlap: backfill.overlap, number: manualCount))
        }
        conflictToken += 1
        decide(limits)
        return true
    }
}
