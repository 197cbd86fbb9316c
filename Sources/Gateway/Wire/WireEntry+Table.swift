/// Every method that is served; all others answer UNIMPLEMENTED.
extension WireEntry {
    static let workflowService: [String: WireEntry] = [
        // The server and its namespaces.
        "GetSystemInfo": WireEntry { $0.getSystemInfo },
        "GetClusterInfo": WireEntry { $0.getClusterInfo },
        "GetSearchAttributes": WireEntry { $0.getSearchAttributes },
        "RegisterNamespace": WireEntry { $0.registerNamespace },
        "DescribeNamespace": WireEntry { $0.describeNamespace },
        "ListNamespaces": WireEntry { $0.listNamespaces },
        "UpdateNamespace": WireEntry { $0.updateNamespace },
        // Runs.
        "StartWorkflowExecution": WireEntry { $0.startWorkflowExecution },
        "SignalWithStartWorkflowExecution": WireEntry { $0.signalWithStartWorkflowExecution },
        "SignalWorkflowExecution": WireEntry { $0.signalWorkflowExecution },
        "RequestCancelWorkflowExecution": WireEntry { $0.requestCancelWorkflowExecution },
        "TerminateWorkflowExecution": WireEntry { $0.terminateWorkflowExecution },
        "ResetStickyTaskQueue": WireEntry { $0.resetStickyTaskQueue },
        "QueryWorkflow": WireEntry(mayWait: true) { $0.queryWorkflow },
        "DescribeWorkflowExecution": WireEntry { $0.describeWorkflowExecution },
        "GetWorkflowExecutionHistory": WireEntry(mayWait: true) { $0.getWorkflowExecutionHistory },
        "GetWorkflowExecutionHistoryReverse": WireEntry { $0.getWorkflowExecutionHistoryReverse },
        "ListWorkflowExecutions": WireEntry { $0.listWorkflowExecutions },
        "ScanWorkflowExecutions": WireEntry { $0.scanWorkflowExecutions },
        "CountWorkflowExecutions": WireEntry { $0.countWorkflowExecutions },
        // Workers.
        "PollWorkflowTaskQueue": WireEntry(mayWait: true) { $0.pollWorkflowTaskQueue },
        "RespondWorkflowTaskCompleted": WireEntry { $0.respondWorkflowTaskCompleted },
        "RespondWorkflowTaskFailed": WireEntry { $0.respondWorkflowTaskFailed },
        "RespondQueryTaskCompleted": WireEntry { $0.respondQueryTaskCompleted },
        "PollActivityTaskQueue": WireEntry(mayWait: true) { $0.pollActivityTaskQueue },
        "RespondActivityTaskCompleted": WireEntry { $0.respondActivityTaskCompleted },
        "RespondActivityTaskCompletedById": WireEntry { $0.respondActivityTaskCompletedByID },
        "RespondActivityTaskFailed": WireEntry { $0.respondActivityTaskFailed },
        "RespondActivityTaskFailedById": WireEntry { $0.respondActivityTaskFailedByID },
        "RespondActivityTaskCanceled": WireEntry { $0.respondActivityTaskCanceled },
        "RespondActivityTaskCanceledById": WireEntry { $0.respondActivityTaskCanceledByID },
        "RecordActivityTaskHeartbeat": WireEntry { $0.recordActivityTaskHeartbeat },
        "RecordActivityTaskHeartbeatById": WireEntry { $0.recordActivityTaskHeartbeatByID },
        "RecordWorkerHeartbeat": WireEntry { $0.recordWorkerHeartbeat },
        "ShutdownWorker": WireEntry { $0.shutdownWorker },
        "DescribeTaskQueue": WireEntry { $0.describeTaskQueue },
    ]
}
