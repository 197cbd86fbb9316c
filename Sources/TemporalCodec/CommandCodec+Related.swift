import History
import SwiftProtobuf
import TemporalAPI

// Commands about other workflows.

extension StartChildWorkflow {
    init(_ a: Temporal_Api_Command_V1_StartChildWorkflowExecutionCommandAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, ""), workflowID: WorkflowID(a.workflowID),
            workflowType: a.workflowType.name,
            taskQueue: a.taskQueue.name.isEmpty ? nil : TaskQueueName(a.taskQueue.name),
            input: Blob(a.input, isSet: a.hasInput), header: Blob(a.header, isSet: a.hasHeader),
            workflowExecutionTimeout: TimeSpan(a.workflowExecutionTimeout),
            workflowRunTimeout: TimeSpan(a.workflowRunTimeout), workflowTaskTimeout: TimeSpan(a.workflowTaskTimeout),
            parentClosePolicy: ParentClosePolicy(a.parentClosePolicy), control: a.control,
            reusePolicy: WorkflowIDReusePolicy(a.workflowIDReusePolicy) ?? .allowDuplicate,
            retryPolicy: a.hasRetryPolicy ? RetryPolicy(a.retryPolicy) : nil, cronSchedule: a.cronSchedule,
            memo: Blob(a.memo, isSet: a.hasMemo),
            searchAttributes: Blob(a.searchAttributes, isSet: a.hasSearchAttributes),
            priority: a.hasPriority ? Priority(a.priority) : nil,
            versioningOverride: Blob(a.versioningOverride, isSet: a.hasVersioningOverride),
            inheritBuildID: a.inheritBuildID)
    }
}

extension Temporal_Api_Command_V1_StartChildWorkflowExecutionCommandAttributes {
    init(_ wish: StartChildWorkflow) {
        self.init()
        namespace = wish.namespace.name
        workflowID = wish.workflowID.value
        workflowType.name = wish.workflowType
        if let queue = wish.taskQueue { taskQueue = .init(TaskQueue(queue)) }
        if let bytes = wish.input { input = bytes.data }
        if let bytes = wish.header { header = bytes.data }
        workflowExecutionTimeout = Google_Protobuf_Duration(wish.workflowExecutionTimeout)
        workflowRunTimeout = Google_Protobuf_Duration(wish.workflowRunTimeout)
        workflowTaskTimeout = Google_Protobuf_Duration(wish.workflowTaskTimeout)
        parentClosePolicy = wish.parentClosePolicy?.wire ?? .unspecified
        control = wish.control
        workflowIDReusePolicy = wish.reusePolicy.wire
        if let policy = wish.retryPolicy { retryPolicy = .init(policy) }
        cronSchedule = wish.cronSchedule
        if let bytes = wish.memo { memo = bytes.data }
        if let bytes = wish.searchAttributes { searchAttributes = bytes.data }
        if let order = wish.priority { priority = .init(order) }
        if let bytes = wish.versioningOverride { versioningOverride = bytes.data }
        inheritBuildID = wish.inheritBuildID
    }
}

extension RequestCancelExternal {
    init(_ a: Temporal_Api_Command_V1_RequestCancelExternalWorkflowExecutionCommandAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, ""),
            execution: WorkflowReference(workflow: WorkflowID(a.workflowID), run: RunID(nonEmpty: a.runID)),
            control: a.control, childWorkflowOnly: a.childWorkflowOnly, reason: a.reason)
    }
}

extension Temporal_Api_Command_V1_RequestCancelExternalWorkflowExecutionCommandAttributes {
    init(_ wish: RequestCancelExternal) {
        self.init()
        namespace = wish.namespace.name
        workflowID = wish.execution.workflow.value
        runID = wish.execution.run?.value ?? ""
        control = wish.control
        childWorkflowOnly = wish.childWorkflowOnly
        reason = wish.reason
    }
}

extension SignalExternal {
    init(_ a: Temporal_Api_Command_V1_SignalExternalWorkflowExecutionCommandAttributes) {
        self.init(
            namespace: NamespaceReference(a.namespace, ""),
            execution: a.hasExecution ? WorkflowReference(a.execution) : nil, signalName: a.signalName,
            input: Blob(a.input, isSet: a.hasInput), header: Blob(a.header, isSet: a.hasHeader), control: a.control,
            childWorkflowOnly: a.childWorkflowOnly)
    }
}

extension Temporal_Api_Command_V1_SignalExternalWorkflowExecutionCommandAttributes {
    init(_ wish: SignalExternal) {
        self.init()
        namespace = wish.namespace.name
        if let target = wish.execution { execution = .init(workflow: target.workflow, run: target.run) }
        signalName = wish.signalName
        if let bytes = wish.input { input = bytes.data }
        if let bytes = wish.header { header = bytes.data }
        control = wish.control
        childWorkflowOnly = wish.childWorkflowOnly
    }
}
