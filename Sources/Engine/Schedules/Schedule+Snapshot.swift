public import History

extension Schedule {
    private static let snapshotVersion: UInt8 = 1

    /// Everything about it, as it is stored.
    public func snapshot() -> [UInt8] {
        var coder = SnapshotCoder()
        var copy = self
        do {
            var version = Self.snapshotVersion
            try coder.code(&version)
            try copy.code(&coder)
        } catch {
            preconditionFailure("writing a snapshot cannot fail: \(error)")
        }
        return coder.bytes
    }

    /// Reads what ``snapshot()`` wrote.
    ///
    /// - Throws: ``Corruption`` for an unknown version and for bytes that do not add up.
    public init(snapshot: [UInt8]) throws(Corruption) {
        let nothing = ScheduledStart(attributes: .blank, info: .empty)
        self.init(
            namespace: "", id: "", incarnation: "",
            definition: ScheduleDefinition(spec: ScheduleSpec(), action: nothing),
            memo: nil, searchAttributes: nil, requestID: "", at: .zero)
        var coder = SnapshotCoder(reading: snapshot)
        var version: UInt8 = 0
        try coder.code(&version)
        guard version == Self.snapshotVersion else {
            throw Corruption("schedule: expected version \(Self.snapshotVersion), got \(version)")
        }
        try code(&coder)
        guard coder.isAtEnd else { throw Corruption("schedule: bytes are left over") }
    }

    private mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        try coder.code(&namespace)
        try coder.code(&id)
        try coder.code(&incarnation)
        try definition.code(&coder)
        try coder.code(&memo)
        try coder.code(&searchAttributes)
        try coder.code(&createTime)
        try coder.code(&updateTime)
        try coder.code(&createRequestID)
        for field in [
            \Schedule.conflictToken, \.actionCount, \.missedCatchupWindow, \.overlapSkipped, \.bufferDropped,
            \.manualCount,
        ] {
            try coder.code(&self[keyPath: field])
        }
        try coder.code(&recent, Recent(nominal: .zero, actual: .zero, workflow: "", run: "", status: .running)) {
            coder, recent throws(Corruption) in
            try coder.code(&recent.nominal)
            try coder.code(&recent.actual)
            try coder.code(&recent.workflow)
            try coder.code(&recent.run)
            try coder.code(&recent.status)
        }
        try coder.code(&running, Running(workflow: "", run: "")) { coder, running throws(Corruption) in
            try coder.code(&running.workflow)
            try coder.code(&running.run)
            try coder.code(&running.stopping)
        }
        try Self.code(&buffered, &coder)
        try Self.code(&starting, &coder)
        try coder.code(&processedUntil)
        let blank = Backfilling(done: .zero, end: .zero, overlap: nil, number: 0)
        try coder.code(&backfills, blank) { coder, backfill throws(Corruption) in
            try coder.code(&backfill.done)
            try coder.code(&backfill.end)
            try coder.code(&backfill.overlap, .skip) { coder, overlap throws(Corruption) in try coder.code(&overlap) }
            try coder.code(&backfill.number)
        }
        try coder.code(&requests, "") { coder, request throws(Corruption) in try coder.code(&request) }
        try coder.code(&lastResult)
        try coder.code(&lastFailure)
    }

    private static func code(_ list: inout [Due], _ coder: inout SnapshotCoder) throws(Corruption) {
        let blank = Due(nominal: .zero, due: .zero, overlap: .skip, isManual: false, requestID: "")
        try coder.code(&list, blank) { coder, due throws(Corruption) in
            try coder.code(&due.nominal)
            try coder.code(&due.due)
            try coder.code(&due.overlap)
            try coder.code(&due.isManual)
            try coder.code(&due.requestID)
        }
    }
}

extension ScheduleDefinition {
    fileprivate mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        try spec.code(&coder)
        try coder.code(&action.attributes)
        try coder.code(&action.userMetadata)
        try coder.code(&action.info)
        try coder.code(&policies.overlap)
        try coder.code(&policies.catchupWindow)
        try coder.code(&policies.pausesOnFailure)
        try coder.code(&policies.keepsWorkflowID)
        try coder.code(&notes)
        try coder.code(&isPaused)
        try coder.code(&isLimited)
        try coder.code(&remainingActions)
    }
}

extension ScheduleSpec {
    fileprivate mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        for list in [\ScheduleSpec.calendars, \.excluded] {
            try coder.code(&self[keyPath: list], ScheduleCalendar()) { coder, calendar throws(Corruption) in
                try calendar.code(&coder)
            }
        }
        try coder.code(&intervals, ScheduleInterval(every: .zero)) { coder, interval throws(Corruption) in
            try coder.code(&interval.every)
            try coder.code(&interval.phase)
        }
        try coder.code(&startTime)
        try coder.code(&endTime)
        try coder.code(&jitter)
        try coder.code(&zoneName)
        try coder.code(&zoneData)
    }
}

extension ScheduleCalendar {
    fileprivate mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        for field in [
            \ScheduleCalendar.second, \.minute, \.hour, \.dayOfMonth, \.month, \.year, \.dayOfWeek,
        ] {
            try coder.code(&self[keyPath: field], CalendarRange(0)) { coder, range throws(Corruption) in
                try coder.code(&range.start)
                try coder.code(&range.end)
                try coder.code(&range.step)
            }
        }
        try coder.code(&comment)
    }
}
