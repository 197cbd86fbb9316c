public import History

extension Run {
    /// Moves with every change of the format; older versions are read as long as runs may carry them.
    private static let snapshotVersion: UInt8 = 4

    /// Everything that must survive: the history's part and the live part.
    ///
    /// A workflow task that was started without anything being stored is written as scheduled: after a crash it is simply
    /// offered again.
    public func snapshot() -> [UInt8] {
        var coder = SnapshotCoder()
        var copy = self
        if let lease = workflowTask.pending?.lease, !lease.isRecorded, eventBuffer.isEmpty {
            copy.workflowTask.pending?.lease = nil
        }
        // Made again for the updates that are admitted then.
        if workflowTask.pending?.isSpeculative == true { copy.workflowTask.pending = nil }
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
        self.init()
        var coder = SnapshotCoder(reading: snapshot)
        var version: UInt8 = 0
        try coder.code(&version)
        guard version == Self.snapshotVersion else {
            throw Corruption("snapshot: expected version \(Self.snapshotVersion), got \(version)")
        }
        try code(&coder)
        guard coder.isAtEnd else { throw Corruption("snapshot: bytes are left over") }
    }

    private mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var (namespace, workflow, run) = (key.namespace, key.workflow, key.run)
        try coder.code(&namespace)
        try coder.code(&workflow)
        try coder.code(&run)
        key = RunKey(namespace: namespace, workflow: workflow, run: run)
        try coder.code(&started, .blank) { coder, started throws(Corruption) in try coder.code(&started) }
        try coder.code(&startTime)
        try facts.code(&coder)
        try workflowTask.code(&coder)
        try activities.code(&coder)
        try timers.code(&coder)
        try children.code(&coder)
        try externals.code(&coder)
        try coder.code(&sticky, StickyAttributes(queue: "", scheduleToStartTimeout: .zero)) {
            coder, sticky throws(Corruption) in
            try coder.code(&sticky.queue)
            try coder.code(&sticky.scheduleToStartTimeout)
        }
        let blank = EventBuffer.Entry(time: .zero, fact: .cancelRequested(WorkflowExecutionCancelRequested()))
        try coder.code(&eventBuffer.entries, blank) { coder, entry throws(Corruption) in try coder.code(&entry) }
        try coder.code(&eventBuffer.bytes)
        try coder.code(&cancelRequestIsBuffered)
        try requests.code(&coder)
        try coder.code(&isHeld)
        try coder.code(&resetRequestID)
        try outgoing.code(&coder)
        try coder.code(&isDeleted)
        try deliveries.code(&coder)
        try updates.code(&coder)
        try coder.code(&historySizeBytes)
    }
}

extension Run.Facts {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        try coder.code(&status, .running) { coder, status throws(Corruption) in try coder.code(&status) }
        try coder.code(&closeTime)
        try coder.code(&lastEventID)
        try coder.code(&cancelIsRequested)
        try coder.code(&signalCount)
        let blank = Run.ChangedMap(blob: nil)
        try coder.code(&memo, blank) { coder, map throws(Corruption) in try coder.code(&map.blob) }
        try coder.code(&searchAttributes, blank) { coder, map throws(Corruption) in try coder.code(&map.blob) }
        try coder.code(&resetFrom)
        try coder.code(&resetTime)
        try coder.code(&options, RunOptions()) { coder, options throws(Corruption) in
            try coder.code(&options.priority)
            try coder.code(&options.versioningOverride)
        }
        let nobody = AttachedRequest(request: "", event: .none)
        try coder.code(&attached, nobody) { coder, attached throws(Corruption) in
            try coder.code(&attached.request)
            try coder.code(&attached.event)
        }
    }
}

extension WorkflowTaskMachine {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        let blank = Pending(
            scheduledEventID: .none, isRecorded: true, attempt: 1, scheduledTime: .zero, originalScheduledTime: .zero,
            queue: TaskQueue(""), wasSticky: false, timeout: .zero)
        try coder.code(&pending, blank) { coder, task throws(Corruption) in
            try coder.code(&task.scheduledEventID)
            try coder.code(&task.isRecorded)
            try coder.code(&task.attempt)
            try coder.code(&task.scheduledTime)
            try coder.code(&task.originalScheduledTime)
            try coder.code(&task.queue)
            try coder.code(&task.wasSticky)
            try coder.code(&task.timeout)
            try coder.code(&task.scheduleToStartTimeout)
            try task.codeLease(&coder)
        }
        try coder.code(&isOwed)
        try coder.code(&wasEverScheduled)
        try coder.code(&lastCompletedStartedEventID)
        try coder.code(&stamp)
    }
}

extension WorkflowTaskMachine.Pending {
    mutating func codeLease(_ coder: inout SnapshotCoder) throws(Corruption) {
        let blank = WorkflowTaskMachine.Lease(
            startedEventID: .none, time: .zero, deadline: .zero, identity: "", requestID: "",
            suggestReasons: [],
            historySizeBytes: 0, isRecorded: true)
        try coder.code(&lease, blank) { coder, lease throws(Corruption) in
            try coder.code(&lease.startedEventID)
            try coder.code(&lease.time)
            try coder.code(&lease.deadline)
            try coder.code(&lease.identity)
            try coder.code(&lease.requestID)
            var reasons = lease.suggestReasons.rawValue
            try coder.code(&reasons)
            lease.suggestReasons = ContinueAsNewReasons(rawValue: reasons)
            try coder.code(&lease.historySizeBytes)
            try coder.code(&lease.isRecorded)
        }
    }
}

extension ActivityMachine {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = table.all
        let blank = PendingActivity(scheduledEventID: .none, scheduledTime: .zero, scheduled: .blank)
        try coder.code(&all, blank) { coder, activity throws(Corruption) in try activity.code(&coder) }
        guard coder.isReading else { return }
        for activity in all { insert(activity) }
    }
}

extension PendingActivity {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        try coder.code(&scheduledEventID)
        try coder.code(&scheduledTime)
        try coder.code(&scheduled)
        try coder.code(&cancelRequestedEventID)
        try coder.code(&startedEventID)
        try coder.code(&attempt)
        try coder.code(&stamp)
        try coder.code(&dueTime)
        try coder.code(&isOffered)
        try coder.code(&start, Start(time: .zero, identity: "", requestID: "")) { coder, start throws(Corruption) in
            try coder.code(&start.time)
            try coder.code(&start.identity)
            try coder.code(&start.requestID)
        }
        try coder.code(&lastFailure)
        try coder.code(&lastWorkerIdentity)
        try coder.code(&heartbeatDetails)
        try coder.code(&lastHeartbeatTime)
        try coder.code(&endIsBuffered)
        try coder.code(&restartedTime)
        try codeOperations(&coder)
    }

    /// What operators did to it.
    private mutating func codeOperations(_ coder: inout SnapshotCoder) throws(Corruption) {
        let blank = Pause(time: .zero, identity: "", reason: "", requestID: "")
        try coder.code(&pause, blank) { coder, pause throws(Corruption) in
            try coder.code(&pause.time)
            try coder.code(&pause.identity)
            try coder.code(&pause.reason)
            try coder.code(&pause.requestID)
        }
        try coder.code(&isReset)
        try coder.code(&forgetsHeartbeat)
        try coder.code(&original, ActivityTaskOptions.blank) { coder, options throws(Corruption) in
            try coder.code(&options.taskQueue)
            try coder.code(&options.scheduleToCloseTimeout)
            try coder.code(&options.scheduleToStartTimeout)
            try coder.code(&options.startToCloseTimeout)
            try coder.code(&options.heartbeatTimeout)
            try coder.code(&options.retryPolicy)
            try coder.code(&options.priority)
        }
    }
}

extension TimerMachine {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = table.all
        let blank = PendingTimer(timerID: "", startedEventID: .none, firesAt: .zero)
        try coder.code(&all, blank) { coder, timer throws(Corruption) in
            try coder.code(&timer.timerID)
            try coder.code(&timer.startedEventID)
            try coder.code(&timer.firesAt)
            try coder.code(&timer.fireIsBuffered)
        }
        guard coder.isReading else { return }
        for timer in all { insert(timer) }
    }
}

extension RememberedRequests {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = inOrder
        try coder.code(&all, RequestID("")) { coder, request throws(Corruption) in try coder.code(&request) }
        guard coder.isReading else { return }
        for request in all { remember(request) }
    }
}
