public import History

extension Run {
    /// Folds one recorded event in: the only place where an event changes a run, live or replayed.
    ///
    /// - Throws: ``Corruption`` when `event` cannot follow the events folded so far.
    public mutating func apply(_ event: Event) throws(Corruption) {
        guard event.id == facts.lastEventID.next else {
            throw Corruption("expected event \(facts.lastEventID.next), got \(event.id)")
        }
        if facts.status != .running {
            guard facts.status == nil, case .workflowExecutionStarted(let attributes) = event.kind else {
                throw Corruption(
                    "event \(event.id) (\(event.kind.typeName)) cannot follow \(facts.status.map { "\($0)" } ?? "nothing")"
                )
            }
            begin(attributes, at: event.time)
        } else {
            try fold(event)
        }
        facts.lastEventID = event.id
    }

    private mutating func begin(_ attributes: WorkflowExecutionStarted, at time: Timestamp) {
        started = attributes
        startTime = time
        facts.status = .running
        workflowTask.owe()
        if key.run.isEmpty {
            key = RunKey(namespace: "", workflow: attributes.workflowID, run: attributes.originalExecutionRunID)
        }
    }

    private mutating func fold(_ event: Event) throws(Corruption) {
        let id = event.id
        switch event.kind {
        case .workflowExecutionStarted: throw Corruption("event \(id): a second start")
        case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
            .workflowExecutionCanceled,
            .workflowExecutionTerminated, .workflowExecutionContinuedAsNew:
            close(event)
        case .workflowTaskScheduled(let attributes):
            try workflowTask.schedule(attributes, id: id, time: event.time)
        case .workflowTaskStarted(let attributes): try workflowTask.start(attributes, id: id, time: event.time)
        case .workflowTaskCompleted(let attributes): try workflowTask.complete(attributes, id: id)
        case .workflowTaskTimedOut(let attributes):
            try workflowTask.timeOut(attributes, id: id, time: event.time, normal: normalQueue)
        case .workflowTaskFailed(let attributes):
            if attributes.cause == .resetWorkflow {
                facts.resetFrom = attributes.baseRunID
                facts.resetTime = event.time
            }
            try workflowTask.fail(attributes, id: id, time: event.time, normal: normalQueue)
        case .workflowExecutionSignaled(let attributes):
            facts.signalCount += 1
            requests.remember(attributes.requestID)
            noticeable()
        case .workflowExecutionCancelRequested:
            facts.cancelIsRequested = true
            noticeable()
        case .activityTaskScheduled, .activityTaskStarted, .activityTaskCompleted, .activityTaskFailed,
            .activityTaskTimedOut, .activityTaskCancelRequested, .activityTaskCanceled:
            try foldActivity(event)
        case .timerStarted(let attributes):
            timers.insert(
                PendingTimer(
                    timerID: attributes.timerID, startedEventID: id,
                    firesAt: event.time.advanced(by: attributes.startToFireTimeout)))
        case .timerFired(let attributes):
            try timers.end(attributes.timerID, startedEventID: attributes.startedEventID)
            noticeable()
        case .timerCanceled(let attributes):
            try timers.end(attributes.timerID, startedEventID: attributes.startedEventID)
        case .markerRecorded: break
        case .upsertWorkflowSearchAttributes(let attributes):
            facts.searchAttributes = Self.change(searchAttributes, by: attributes.searchAttributes)
        case .workflowPropertiesModified(let attributes):
            facts.memo = Self.change(memo, by: attributes.upsertedMemo)
        case .childWorkflow(let child): try foldChild(child, id: id)
        case .externalWorkflow(let external): try foldExternal(external, id: id)
        case .workflowExecutionUpdateAdmitted(let attributes):
            try updates.admit(attributes, at: id)
            noticeable()
        case .workflowExecutionUpdateAccepted(let attributes): try updates.accept(attributes, at: id)
        case .workflowExecutionUpdateCompleted(let attributes): try updates.complete(attributes, at: id)
        case .workflowExecutionOptionsUpdated(let attributes): fold(attributes, id: id)
        }
    }

    private mutating func foldActivity(_ event: Event) throws(Corruption) {
        switch event.kind {
        case .activityTaskScheduled(let attributes):
            activities.insert(
                PendingActivity(scheduledEventID: event.id, scheduledTime: event.time, scheduled: attributes))
        case .activityTaskStarted(let attributes):
            try activities.recordStart(attributes.scheduledEventID, startedEventID: event.id)
            workflowTask.dropTransient()
        case .activityTaskCompleted(let attributes):
            try activities.end(attributes.scheduledEventID, startedEventID: attributes.startedEventID)
            noticeable()
        case .activityTaskFailed(let attributes):
            try activities.end(attributes.scheduledEventID, startedEventID: attributes.startedEventID)
            noticeable()
        case .activityTaskTimedOut(let attributes):
            try activities.end(attributes.scheduledEventID, startedEventID: attributes.startedEventID)
            noticeable()
        case .activityTaskCancelRequested(let attributes):
            try activities.requestCancel(attributes.scheduledEventID, requestedEventID: event.id)
        case .activityTaskCanceled(let attributes):
            try activities.end(attributes.scheduledEventID, startedEventID: attributes.startedEventID)
            noticeable()
        case .workflowExecutionStarted, .workflowExecutionCompleted, .workflowExecutionFailed,
            .workflowExecutionTimedOut,
            .workflowExecutionCanceled, .workflowExecutionTerminated, .workflowExecutionContinuedAsNew,
            .workflowExecutionSignaled, .workflowExecutionCancelRequested, .workflowTaskScheduled, .workflowTaskStarted,
            .workflowTaskCompleted, .workflowTaskTimedOut, .workflowTaskFailed, .timerStarted, .timerFired,
            .timerCanceled,
            .markerRecorded, .upsertWorkflowSearchAttributes, .workflowPropertiesModified, .childWorkflow,
            .externalWorkflow, .workflowExecutionUpdateAdmitted, .workflowExecutionUpdateAccepted,
            .workflowExecutionUpdateCompleted, .workflowExecutionOptionsUpdated:
            throw Corruption("event \(event.id): \(event.kind.typeName) is not about an activity")
        }
    }

    private mutating func foldChild(_ event: ChildWorkflowEvent, id: EventID) throws(Corruption) {
        try children.fold(event, id: id)
        switch event {
        case .initiated: break
        case .startFailed, .started, .ended: noticeable()
        }
    }

    private mutating func foldExternal(_ event: ExternalWorkflowEvent, id: EventID) throws(Corruption) {
        try externals.fold(event, id: id)
        switch event {
        case .cancelInitiated, .signalInitiated: break
        case .cancelFailed, .cancelRequested, .signalFailed, .signaled: noticeable()
        }
    }

    /// The workflow must see what was just recorded.
    private mutating func noticeable() {
        workflowTask.dropTransient()
        if workflowTask.pending == nil { workflowTask.owe() }
    }

    private mutating func close(_ event: Event) {
        facts.status = event.kind.closesRun
        facts.closeTime = event.time
        workflowTask.pending = nil
        workflowTask.isOwed = false
        activities.removeAll()
        timers.removeAll()
        children.removeAll()
        externals.removeAll()
        sticky = nil
    }

    private static func change(_ map: Blob?, by upsert: Blob) -> ChangedMap {
        ChangedMap(blob: PayloadMap.merged([map ?? .empty, upsert]))
    }

    /// The run's own task queue, as events name it.
    var normalQueue: TaskQueue { TaskQueue(started?.taskQueue.name ?? "") }
}
