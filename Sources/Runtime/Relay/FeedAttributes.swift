import History

/// The facts of an event that subscribers may see: names and ids, never payloads, headers or failure details.
enum FeedAttributes {
    static func write(_ kind: EventKind, to json: inout JSONWriter) {
        switch kind {
        case .workflowExecutionStarted(let attributes):
            json.field("task_queue", attributes.taskQueue.name.value)
            json.field("attempt", Int64(attributes.attempt))
            json.field("first_execution_run_id", attributes.firstExecutionRunID.value)
            json.fieldIfSet("continued_execution_run_id", attributes.continuedExecutionRunID?.value ?? "")
            json.fieldIfSet("identity", attributes.identity)
        case .workflowExecutionCompleted(let attributes):
            json.fieldIfSet("new_execution_run_id", attributes.newExecutionRunID?.value ?? "")
        case .workflowExecutionFailed(let attributes):
            json.field("retry_state", Int64(attributes.retryState.rawValue))
            json.fieldIfSet("failure_type", attributes.failure.traits.type)
        case .workflowExecutionTimedOut(let attributes):
            json.field("retry_state", Int64(attributes.retryState.rawValue))
        case .workflowExecutionCancelRequested(let attributes): json.fieldIfSet("identity", attributes.identity)
        case .workflowExecutionCanceled: break
        case .workflowExecutionTerminated(let attributes):
            json.fieldIfSet("reason", attributes.reason)
            json.fieldIfSet("identity", attributes.identity)
        case .workflowExecutionContinuedAsNew(let attributes):
            json.field("new_execution_run_id", attributes.newExecutionRunID.value)
        case .workflowExecutionSignaled(let attributes):
            json.field("signal_name", attributes.signalName)
            json.fieldIfSet("identity", attributes.identity)
        case .workflowTaskScheduled(let attributes): json.field("attempt", Int64(attributes.attempt))
        case .workflowTaskStarted(let attributes): scheduled(attributes.scheduledEventID, attributes.identity, &json)
        case .workflowTaskCompleted(let attributes): scheduled(attributes.scheduledEventID, attributes.identity, &json)
        case .workflowTaskTimedOut(let attributes):
            scheduled(attributes.scheduledEventID, "", &json)
            json.field("timeout_type", Int64(attributes.timeoutType.rawValue))
        case .workflowTaskFailed(let attributes):
            scheduled(attributes.scheduledEventID, attributes.identity, &json)
            json.field("cause", Int64(attributes.cause.rawValue))
        case .activityTaskScheduled(let attributes):
            json.field("activity_id", attributes.activityID.value)
            json.field("activity_type", attributes.activityType)
            json.field("task_queue", attributes.taskQueue.name.value)
        case .activityTaskStarted(let attributes):
            scheduled(attributes.scheduledEventID, attributes.identity, &json)
            json.field("attempt", Int64(attributes.attempt))
        case .activityTaskCompleted(let attributes): scheduled(attributes.scheduledEventID, attributes.identity, &json)
        case .activityTaskFailed(let attributes):
            scheduled(attributes.scheduledEventID, attributes.identity, &json)
            json.field("retry_state", Int64(attributes.retryState.rawValue))
            json.fieldIfSet("failure_type", attributes.failure.traits.type)
        case .activityTaskTimedOut(let attributes):
            scheduled(attributes.scheduledEventID, "", &json)
            json.field("retry_state", Int64(attributes.retryState.rawValue))
        case .activityTaskCancelRequested(let attributes): scheduled(attributes.scheduledEventID, "", &json)
        case .activityTaskCanceled(let attributes): scheduled(attributes.scheduledEventID, attributes.identity, &json)
        case .timerStarted(let attributes): json.field("timer_id", attributes.timerID.value)
        case .timerFired(let attributes): json.field("timer_id", attributes.timerID.value)
        case .timerCanceled(let attributes): json.field("timer_id", attributes.timerID.value)
        case .markerRecorded(let attributes): json.field("marker_name", attributes.markerName)
        case .workflowExecutionUpdateAdmitted(let attributes): json.field("update_id", attributes.update.value)
        case .workflowExecutionUpdateAccepted(let attributes): json.field("update_id", attributes.update.value)
        case .workflowExecutionUpdateCompleted(let attributes):
            json.field("update_id", attributes.update.value)
            json.fieldIfSet("identity", attributes.identity)
        case .workflowExecutionOptionsUpdated(let attributes):
            json.fieldIfSet("attached_request_id", attributes.attachedRequestID.value)
            json.fieldIfSet("identity", attributes.identity)
        case .upsertWorkflowSearchAttributes, .workflowPropertiesModified: break
        case .childWorkflow(let event): write(event, to: &json)
        case .externalWorkflow(let event): write(event, to: &json)
        }
    }

    private static func scheduled(_ id: EventID, _ identity: String, _ json: inout JSONWriter) {
        json.field("scheduled_event_id", id.value)
        json.fieldIfSet("identity", identity)
    }
}
