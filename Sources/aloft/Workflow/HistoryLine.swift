import History
import Runtime
import TemporalCodec

/// One event as a line for people.
struct HistoryLine: Sendable {
    let id: Int64
    let time: String
    let type: String
    let detail: String

    static func lines(of events: [[UInt8]]) throws -> [HistoryLine] {
        try events.map { bytes in
            let event = try EventCodec.decode(bytes)
            return HistoryLine(
                id: event.id.value, time: RFC3339.text(event.time), type: event.kind.typeName,
                detail: detail(event.kind))
        }
    }

    var printable: Printable {
        .object([
            ("eventId", .integer(id)), ("eventTime", .string(time)), ("eventType", .string(type)),
            ("detail", .string(detail)),
        ])
    }

    private static func detail(_ kind: EventKind) -> String {
        switch kind {
        case .workflowExecutionStarted(let a): "\(a.workflowType) on \(a.taskQueue.name)"
        case .workflowExecutionFailed(let a): a.failure.traits.message
        case .workflowExecutionCompleted, .workflowExecutionCanceled, .upsertWorkflowSearchAttributes,
            .workflowPropertiesModified:
            ""
        case .workflowExecutionTimedOut(let a): "\(a.retryState)"
        case .workflowExecutionCancelRequested(let a): a.cause
        case .workflowExecutionTerminated(let a): a.reason
        case .workflowExecutionOptionsUpdated(let a):
            a.attachedRequestID.isEmpty ? "by \(a.identity)" : "attached request \(a.attachedRequestID)"
        case .workflowExecutionContinuedAsNew(let a): "as run \(a.newExecutionRunID)"
        case .workflowExecutionSignaled(let a): a.signalName
        case .workflowTaskScheduled(let a): "attempt \(a.attempt) on \(a.taskQueue.name)"
        case .workflowTaskStarted(let a): "by \(a.identity)"
        case .workflowTaskCompleted(let a): "by \(a.identity)"
        case .workflowTaskTimedOut(let a): "\(a.timeoutType)"
        case .workflowTaskFailed(let a): "\(a.cause) \(a.failure?.traits.message ?? "")"
        case .activityTaskScheduled(let a): "\(a.activityType) (\(a.activityID)) on \(a.taskQueue.name)"
        case .activityTaskStarted(let a): "of \(a.scheduledEventID), attempt \(a.attempt) by \(a.identity)"
        case .activityTaskCompleted(let a): "of \(a.scheduledEventID)"
        case .activityTaskFailed(let a):
            "of \(a.scheduledEventID): \(a.failure.traits.type) \(a.failure.traits.message)"
        case .activityTaskTimedOut(let a): "of \(a.scheduledEventID): \(a.failure.traits.message)"
        case .activityTaskCancelRequested(let a): "of \(a.scheduledEventID)"
        case .activityTaskCanceled(let a): "of \(a.scheduledEventID)"
        case .timerStarted(let a): "\(a.timerID), \(a.startToFireTimeout)"
        case .timerFired(let a): "\(a.timerID)"
        case .timerCanceled(let a): "\(a.timerID)"
        case .markerRecorded(let a): a.markerName
        case .childWorkflow(let event): detail(event)
        case .externalWorkflow(let event): detail(event)
        case .workflowExecutionUpdateAdmitted(let a): a.update.value
        case .workflowExecutionUpdateAccepted(let a): a.update.value
        case .workflowExecutionUpdateCompleted(let a): a.update.value
        }
    }

    private static func detail(_ event: ChildWorkflowEvent) -> String {
        switch event {
        case .initiated(let a): "\(a.workflowType) (\(a.workflowID)) on \(a.taskQueue.name)"
        case .startFailed(let a): "of \(a.initiatedEventID): \(a.cause)"
        case .started(let a): "of \(a.initiatedEventID), run \(a.execution.run?.value ?? "")"
        case .ended(let a): "of \(a.initiatedEventID)"
        }
    }

    private static func detail(_ event: ExternalWorkflowEvent) -> String {
        switch event {
        case .cancelInitiated(let a): "\(a.execution.workflow)"
        case .signalInitiated(let a): "\(a.signalName) to \(a.execution.workflow)"
        case .cancelFailed(let a), .signalFailed(let a): "of \(a.initiatedEventID): \(a.cause)"
        case .cancelRequested(let a), .signaled(let a): "of \(a.initiatedEventID)"
        }
    }
}
