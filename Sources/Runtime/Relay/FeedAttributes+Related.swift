import History

/// Events about other workflows.
extension FeedAttributes {
    static func write(_ event: ChildWorkflowEvent, to json: inout JSONWriter) {
        switch event {
        case .initiated(let attributes):
            json.field("child_workflow_id", attributes.workflowID.value)
            json.field("child_workflow_type", attributes.workflowType)
            json.field("task_queue", attributes.taskQueue.name.value)
        case .startFailed(let attributes):
            json.field("child_workflow_id", attributes.workflowID.value)
            json.field("initiated_event_id", attributes.initiatedEventID.value)
            json.field("cause", Int64(attributes.cause.rawValue))
        case .started(let attributes): child(attributes.execution, attributes.initiatedEventID, &json)
        case .ended(let attributes): child(attributes.execution, attributes.initiatedEventID, &json)
        }
    }

    static func write(_ event: ExternalWorkflowEvent, to json: inout JSONWriter) {
        switch event {
        case .cancelInitiated(let attributes): other(attributes.execution, &json)
        case .signalInitiated(let attributes):
            other(attributes.execution, &json)
            json.field("signal_name", attributes.signalName)
        case .cancelFailed(let attributes), .signalFailed(let attributes):
            other(attributes.execution, &json)
            json.field("initiated_event_id", attributes.initiatedEventID.value)
            json.field("cause", Int64(attributes.cause.rawValue))
        case .cancelRequested(let attributes), .signaled(let attributes):
            other(attributes.execution, &json)
            json.field("initiated_event_id", attributes.initiatedEventID.value)
        }
    }

    private static func child(_ execution: WorkflowReference, _ initiated: EventID, _ json: inout JSONWriter) {
        json.field("child_workflow_id", execution.workflow.value)
        json.fieldIfSet("child_run_id", execution.run?.value ?? "")
        json.field("initiated_event_id", initiated.value)
    }

    private static func other(_ execution: WorkflowReference, _ json: inout JSONWriter) {
        json.field("external_workflow_id", execution.workflow.value)
        json.fieldIfSet("external_run_id", execution.run?.value ?? "")
    }
}
