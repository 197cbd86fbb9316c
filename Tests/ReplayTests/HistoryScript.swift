import History
import Replay

/// Builds a history event by event.
struct HistoryScript {
    private(set) var events: [Event] = []
    private var now = Timestamp.zero
    private var start = EventID.none

    init(run: RunID = "run") {
        add(
            .workflowExecutionStarted(
                WorkflowExecutionStarted(
                    workflowType: "W", workflowID: "w", taskQueue: TaskQueue("q"), originalExecutionRunID: run,
                    firstExecutionRunID: run)))
    }

    @discardableResult
    mutating func add(_ kind: EventKind) -> EventID {
        now = now.advanced(by: .seconds(1))
        let id = EventID(Int64(events.count) + 1)
        events.append(Event(id: id, time: now, kind: kind))
        return id
    }

    /// A workflow task begins.
    mutating func task() {
        let scheduled = add(
            .workflowTaskScheduled(WorkflowTaskScheduled(taskQueue: TaskQueue("q"), startToCloseTimeout: .seconds(10))))
        start = add(.workflowTaskStarted(WorkflowTaskStarted(scheduledEventID: scheduled)))
    }

    mutating func failTask() {
        add(
            .workflowTaskFailed(
                WorkflowTaskFailed(
                    scheduledEventID: start.previous, startedEventID: start, cause: .workflowWorkerUnhandledFailure)))
    }

    /// The task is answered; the commands are recorded.
    /// - Returns: The ids of the events that record them.
    @discardableResult
    mutating func answer(_ commands: [WorkflowCommand]) -> [EventID] {
        let answer = add(
            .workflowTaskCompleted(WorkflowTaskCompleted(scheduledEventID: start.previous, startedEventID: start)))
        return commands.map { record($0.kind, answer) }
    }

    private mutating func record(_ command: WorkflowCommand.Kind, _ answer: EventID) -> EventID {
        switch command {
        case .scheduleActivityTask(let wish):
            add(
                .activityTaskScheduled(
                    ActivityTaskScheduled(
                        activityID: wish.activityID, activityType: wish.activityType, taskQueue: TaskQueue("q"),
                        workflowTaskCompletedEventID: answer, retryPolicy: RetryPolicy())))
        case .requestCancelActivityTask(let id):
            add(
                .activityTaskCancelRequested(
                    ActivityTaskCancelRequested(scheduledEventID: id, workflowTaskCompletedEventID: answer)))
        case .startTimer(let wish):
            add(
                .timerStarted(
                    TimerStarted(
                        timerID: wish.timerID, startToFireTimeout: wish.startToFireTimeout,
                        workflowTaskCompletedEventID: answer)))
        case .cancelTimer(let id):
            add(.timerCanceled(TimerCanceled(timerID: id, startedEventID: .none, workflowTaskCompletedEventID: answer)))
        case .completeWorkflowExecution(let result):
            add(
                .workflowExecutionCompleted(
                    WorkflowExecutionCompleted(result: result, workflowTaskCompletedEventID: answer)))
        case .failWorkflowExecution(let failure):
            add(
                .workflowExecutionFailed(
                    WorkflowExecutionFailed(
                        failure: failure ?? .server(message: "", nonRetryable: false), retryState: .retryPolicyNotSet,
                        workflowTaskCompletedEventID: answer)))
        case .cancelWorkflowExecution(let details):
            add(
                .workflowExecutionCanceled(
                    WorkflowExecutionCanceled(details: details, workflowTaskCompletedEventID: answer)))
        case .recordMarker(let marker):
            add(.markerRecorded(MarkerRecorded(markerName: marker.markerName, workflowTaskCompletedEventID: answer)))
        case .startChildWorkflow(let wish):
            add(
                .childWorkflow(
                    .initiated(
                        StartChildWorkflowInitiated(
                            namespace: wish.namespace, workflowID: wish.workflowID, workflowType: wish.workflowType,
                            taskQueue: TaskQueue("queue"), workflowTaskCompletedEventID: answer))))
        case .requestCancelExternalWorkflow(let wish):
            add(
                .externalWorkflow(
                    .cancelInitiated(
                        RequestCancelExternalInitiated(
                            namespace: wish.namespace, execution: wish.execution,
                            childWorkflowOnly: wish.childWorkflowOnly, workflowTaskCompletedEventID: answer))))
        case .signalExternalWorkflow(let wish):
            add(
                .externalWorkflow(
                    .signalInitiated(
                        SignalExternalInitiated(
                            namespace: wish.namespace,
                            execution: wish.execution ?? WorkflowReference(workflow: ""),
                            signalName: wish.signalName, workflowTaskCompletedEventID: answer))))
        case .continueAsNewWorkflowExecution, .upsertWorkflowSearchAttributes, .modifyWorkflowProperties,
            .protocolMessage, .unsupported, .refused:
            add(
                .workflowPropertiesModified(
                    WorkflowPropertiesModified(upsertedMemo: .empty, workflowTaskCompletedEventID: answer)))
        }
    }

    mutating func complete(activity scheduled: EventID, _ result: Blob? = nil) {
        let started = add(.activityTaskStarted(ActivityTaskStarted(scheduledEventID: scheduled, attempt: 1)))
        add(
            .activityTaskCompleted(
                ActivityTaskCompleted(result: result, scheduledEventID: scheduled, startedEventID: started)))
    }

    mutating func fire(timer: TimerID) { add(.timerFired(TimerFired(timerID: timer, startedEventID: .none))) }
}

/// Shorthand for an activity's command.
func activity(_ type: String) -> ScheduleActivityTask {
    ScheduleActivityTask(activityID: "", activityType: type, startToCloseTimeout: .seconds(1))
}
