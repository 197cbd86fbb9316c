import History

extension ReplayMachine {
    /// Holds an event that records a command against the next command of the last round.
    /// - Returns: False when no command causes events of this kind.
    mutating func match(_ event: Event, markers: [EventID: MarkerMeaning]) throws(ReplayFailure) -> Bool {
        guard event.kind.recordsCommand else { return false }
        if event.id == passedOver { return true }
        let wish = expectedHead < expected.count ? expected[expectedHead].kind : nil
        if let wish, take(event, as: wish, markers) {
            expectedHead += 1
            return true
        }
        if case .markerRecorded = event.kind, let meaning = markers[event.id], meaning.isOptional {
            if meaning.setsAttribute { passedOver = event.id.next(passing: ignoredEvents) }
            return true
        }
        throw .nondeterminism(
            Nondeterminism(
                eventID: event.id, expected: Self.describe(event, markers),
                actual: wish.map { describe($0) } ?? "no further command"))
    }

    /// Does the event record this command? If so the machine behind it moves on.
    private mutating func take(_ event: Event, as wish: Wish.Kind, _ markers: [EventID: MarkerMeaning]) -> Bool {
        switch (event.kind, wish) {
        case (.activityTaskScheduled(let recorded), .scheduleActivity(let future)):
            guard var activity = activities[future], activity.command.activityID == recorded.activityID,
                activity.command.activityType == recorded.activityType
            else { return false }
            activity.recorded(at: event.id)
            activities[future] = activity
            activityByEvent[event.id] = future
            return true
        case (.activityTaskCancelRequested(let recorded), .cancelActivity(let future)):
            return scheduledEvent(of: future) == recorded.scheduledEventID
        case (.timerStarted(let recorded), .startTimer(let future)):
            guard var timer = timers[future], timer.command.timerID == recorded.timerID else { return false }
            timer.recorded(at: event.id)
            timers[future] = timer
            return true
        case (.timerCanceled(let recorded), .cancelTimer(let future)):
            guard let timer = timers[future], timer.command.timerID == recorded.timerID else { return false }
            timers[future] = nil
            timerByID[recorded.timerID] = nil
            return true
        case (.markerRecorded(let recorded), .recordMarker(let marker, let meaning)):
            return recorded.markerName == marker.markerName && (meaning?.agrees(with: markers[event.id]) ?? true)
        case (.upsertWorkflowSearchAttributes, .upsertSearchAttributes),
            (.workflowPropertiesModified, .modifyProperties):
            return true
        case (.workflowExecutionUpdateAccepted(let recorded), .acceptUpdate(let update)):
            return recorded.update == update
        case (.workflowExecutionUpdateCompleted(let recorded), .completeUpdate(let update)):
            return recorded.update == update
        case (.workflowExecutionCompleted, .close(.completeWorkflowExecution)),
            (.workflowExecutionFailed, .close(.failWorkflowExecution)),
            (.workflowExecutionCanceled, .close(.cancelWorkflowExecution)),
            (.workflowExecutionContinuedAsNew, .close(.continueAsNewWorkflowExecution)):
            recordedEnd = event.id
            return true
        default:
            return takeRelated(event, as: wish)
        }
    }

    /// A command in words, as ``Nondeterminism`` names it.
    func describe(_ wish: Wish.Kind) -> String {
        switch wish {
        case .scheduleActivity(let future):
            guard let command = activities[future]?.command else { return "ScheduleActivityTask" }
            return "ScheduleActivityTask(id \(command.activityID), type \(command.activityType))"
        case .cancelActivity(let future):
            return "RequestCancelActivityTask(scheduled event \(scheduledEvent(of: future)))"
        case .startTimer(let future): return "StartTimer(id \(timers[future]?.command.timerID.value ?? ""))"
        case .cancelTimer(let future): return "CancelTimer(id \(timers[future]?.command.timerID.value ?? ""))"
        case .recordMarker(let marker, let meaning):
            return "RecordMarker(\(meaning?.description ?? marker.markerName))"
        case .upsertSearchAttributes: return "UpsertWorkflowSearchAttributes"
        case .modifyProperties: return "ModifyWorkflowProperties"
        case .startChild, .cancelChild, .external: return describeRelated(wish) ?? ""
        case .acceptUpdate(let update): return "acceptance of update \(update)"
        case .completeUpdate(let update): return "completion of update \(update)"
        case .close(let command): return Self.describe(close: command)
        }
    }

    private static func describe(close command: WorkflowCommand.Kind) -> String {
        switch command {
        case .completeWorkflowExecution: "CompleteWorkflowExecution"
        case .failWorkflowExecution: "FailWorkflowExecution"
        case .cancelWorkflowExecution: "CancelWorkflowExecution"
        case .continueAsNewWorkflowExecution: "ContinueAsNewWorkflowExecution"
        case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer, .recordMarker,
            .upsertWorkflowSearchAttributes, .modifyWorkflowProperties, .startChildWorkflow,
            .requestCancelExternalWorkflow, .signalExternalWorkflow, .protocolMessage, .unsupported, .refused:
            "a command that does not close the run"
        }
    }

    /// An event that records a command, in words.
    private static func describe(_ event: Event, _ markers: [EventID: MarkerMeaning]) -> String {
        if case .activityTaskScheduled(let recorded) = event.kind {
            return "ActivityTaskScheduled(id \(recorded.activityID), type \(recorded.activityType))"
        }
        if case .activityTaskCancelRequested(let recorded) = event.kind {
            return "ActivityTaskCancelRequested(scheduled event \(recorded.scheduledEventID))"
        }
        if case .timerStarted(let recorded) = event.kind { return "TimerStarted(id \(recorded.timerID))" }
        if case .timerCanceled(let recorded) = event.kind { return "TimerCanceled(id \(recorded.timerID))" }
        if case .markerRecorded(let recorded) = event.kind {
            return "MarkerRecorded(\(markers[event.id]?.description ?? recorded.markerName))"
        }
        if case .workflowExecutionUpdateAccepted(let recorded) = event.kind {
            return "WorkflowExecutionUpdateAccepted(\(recorded.update))"
        }
        if case .workflowExecutionUpdateCompleted(let recorded) = event.kind {
            return "WorkflowExecutionUpdateCompleted(\(recorded.update))"
        }
        return describeRelated(event) ?? event.kind.typeName
    }
}

extension EventKind {
    /// Is this the record of a worker's command?
    var recordsCommand: Bool {
        switch self {
        case .activityTaskScheduled, .activityTaskCancelRequested, .timerStarted, .timerCanceled, .markerRecorded,
            .upsertWorkflowSearchAttributes, .workflowPropertiesModified, .workflowExecutionCompleted,
            .workflowExecutionFailed, .workflowExecutionCanceled, .workflowExecutionContinuedAsNew,
            .childWorkflow(.initiated), .externalWorkflow(.cancelInitiated), .externalWorkflow(.signalInitiated),
            .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted:
            true
        case .workflowExecutionStarted, .workflowExecutionTimedOut, .workflowExecutionCancelRequested,
            .workflowExecutionTerminated, .workflowExecutionSignaled, .workflowTaskScheduled, .workflowTaskStarted,
            .workflowTaskCompleted, .workflowTaskTimedOut, .workflowTaskFailed, .activityTaskStarted,
            .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut, .activityTaskCanceled, .timerFired,
            .childWorkflow(.startFailed), .childWorkflow(.started), .childWorkflow(.ended),
            .externalWorkflow(.cancelFailed), .externalWorkflow(.cancelRequested), .externalWorkflow(.signalFailed),
            .externalWorkflow(.signaled), .workflowExecutionUpdateAdmitted, .workflowExecutionOptionsUpdated:
            false
        }
    }
}
