/// Temporal's HTTP paths: method, verb and path, as its API definitions have them. Each is served a second time under `/api/v1`.
///
/// A `{placeholder}` is the path of a field of the request; the body is the rest of it.
enum TemporalPaths {
    struct Row: Hashable, Sendable {
        let method: String
        let verb: String
        let path: String
    }

    static let rows: [Row] = text.split(separator: "\n").map { line in
        let parts = line.split(separator: " ").map(String.init)
        return Row(method: parts[0], verb: parts[1], path: parts[2])
    }

    /// The same path under the other prefix.
    static func versioned(_ path: String) -> String {
        if path == "/cluster" { return "/api/v1/cluster-info" }
        return "/api/v1" + (path.hasPrefix("/cluster/") ? String(path.dropFirst("/cluster".count)) : path)
    }

    private static let text = """
        ListSearchAttributes GET /cluster/namespaces/{namespace}/search-attributes
        GetNexusEndpoint GET /cluster/nexus/endpoints/{id}
        CreateNexusEndpoint POST /cluster/nexus/endpoints
        UpdateNexusEndpoint POST /cluster/nexus/endpoints/{id}/update
        DeleteNexusEndpoint DELETE /cluster/nexus/endpoints/{id}
        ListNexusEndpoints GET /cluster/nexus/endpoints
        RegisterNamespace POST /cluster/namespaces
        DescribeNamespace GET /cluster/namespaces/{namespace}
        ListNamespaces GET /cluster/namespaces
        UpdateNamespace POST /cluster/namespaces/{namespace}/update
        StartWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_id}
        GetWorkflowExecutionHistory GET /namespaces/{namespace}/workflows/{execution.workflow_id}/history
        GetWorkflowExecutionHistoryReverse GET /namespaces/{namespace}/workflows/{execution.workflow_id}/history-reverse
        RecordActivityTaskHeartbeat POST /namespaces/{namespace}/activity-heartbeat
        RecordActivityTaskHeartbeatById POST /namespaces/{namespace}/activities/{activity_id}/heartbeat
        RecordActivityTaskHeartbeatById POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/heartbeat
        RespondActivityTaskCompleted POST /namespaces/{namespace}/activity-complete
        RespondActivityTaskCompletedById POST /namespaces/{namespace}/activities/{activity_id}/complete
        RespondActivityTaskCompletedById POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/complete
        RespondActivityTaskFailed POST /namespaces/{namespace}/activity-fail
        RespondActivityTaskFailedById POST /namespaces/{namespace}/activities/{activity_id}/fail
        RespondActivityTaskFailedById POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/fail
        RespondActivityTaskCanceled POST /namespaces/{namespace}/activity-resolve-as-canceled
        RespondActivityTaskCanceledById POST /namespaces/{namespace}/activities/{activity_id}/resolve-as-canceled
        RespondActivityTaskCanceledById POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/resolve-as-canceled
        RequestCancelWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/cancel
        SignalWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/signal/{signal_name}
        SignalWithStartWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_id}/signal-with-start/{signal_name}
        ResetWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/reset
        TerminateWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/terminate
        ListWorkflowExecutions GET /namespaces/{namespace}/workflows
        ListArchivedWorkflowExecutions GET /namespaces/{namespace}/archived-workflows
        CountWorkflowExecutions GET /namespaces/{namespace}/workflow-count
        QueryWorkflow POST /namespaces/{namespace}/workflows/{execution.workflow_id}/query/{query.query_type}
        DescribeWorkflowExecution GET /namespaces/{namespace}/workflows/{execution.workflow_id}
        DescribeTaskQueue GET /namespaces/{namespace}/task-queues/{task_queue.name}
        GetClusterInfo GET /cluster
        GetSystemInfo GET /system-info
        CreateSchedule POST /namespaces/{namespace}/schedules/{schedule_id}
        DescribeSchedule GET /namespaces/{namespace}/schedules/{schedule_id}
        UpdateSchedule POST /namespaces/{namespace}/schedules/{schedule_id}/update
        PatchSchedule POST /namespaces/{namespace}/schedules/{schedule_id}/patch
        ListScheduleMatchingTimes GET /namespaces/{namespace}/schedules/{schedule_id}/matching-times
        DeleteSchedule DELETE /namespaces/{namespace}/schedules/{schedule_id}
        ListSchedules GET /namespaces/{namespace}/schedules
        CountSchedules GET /namespaces/{namespace}/schedule-count
        GetWorkerBuildIdCompatibility GET /namespaces/{namespace}/task-queues/{task_queue}/worker-build-id-compatibility
        GetWorkerVersioningRules GET /namespaces/{namespace}/task-queues/{task_queue}/worker-versioning-rules
        GetWorkerTaskReachability GET /namespaces/{namespace}/worker-task-reachability
        DescribeDeployment GET /namespaces/{namespace}/deployments/{deployment.series_name}/{deployment.build_id}
        DescribeWorkerDeploymentVersion GET /namespaces/{namespace}/worker-deployment-versions/{deployment_version.deployment_name}/{deployment_version.build_id}
        ListDeployments GET /namespaces/{namespace}/deployments
        GetDeploymentReachability GET /namespaces/{namespace}/deployments/{deployment.series_name}/{deployment.build_id}/reachability
        GetCurrentDeployment GET /namespaces/{namespace}/current-deployment/{series_name}
        SetCurrentDeployment POST /namespaces/{namespace}/current-deployment/{deployment.series_name}
        SetWorkerDeploymentCurrentVersion POST /namespaces/{namespace}/worker-deployments/{deployment_name}/set-current-version
        DescribeWorkerDeployment GET /namespaces/{namespace}/worker-deployments/{deployment_name}
        DeleteWorkerDeployment DELETE /namespaces/{namespace}/worker-deployments/{deployment_name}
        DeleteWorkerDeploymentVersion DELETE /namespaces/{namespace}/worker-deployment-versions/{deployment_version.deployment_name}/{deployment_version.build_id}
        SetWorkerDeploymentRampingVersion POST /namespaces/{namespace}/worker-deployments/{deployment_name}/set-ramping-version
        ListWorkerDeployments GET /namespaces/{namespace}/worker-deployments
        CreateWorkerDeployment POST /namespaces/{namespace}/worker-deployments/{deployment_name}
        CreateWorkerDeploymentVersion POST /namespaces/{namespace}/worker-deployment-versions/{deployment_version.deployment_name}
        UpdateWorkerDeploymentVersionComputeConfig POST /namespaces/{namespace}/worker-deployment-versions/{deployment_version.deployment_name}/{deployment_version.build_id}/update-compute-config
        ValidateWorkerDeploymentVersionComputeConfig POST /namespaces/{namespace}/worker-deployment-versions/{deployment_version.deployment_name}/{deployment_version.build_id}/validate-compute-config
        UpdateWorkerDeploymentVersionMetadata POST /namespaces/{namespace}/worker-deployment-versions/{deployment_version.deployment_name}/{deployment_version.build_id}/update-metadata
        SetWorkerDeploymentManager POST /namespaces/{namespace}/worker-deployments/{deployment_name}/set-manager
        UpdateWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/update/{request.input.name}
        StartBatchOperation POST /namespaces/{namespace}/batch-operations/{job_id}
        StopBatchOperation POST /namespaces/{namespace}/batch-operations/{job_id}/stop
        DescribeBatchOperation GET /namespaces/{namespace}/batch-operations/{job_id}
        ListBatchOperations GET /namespaces/{namespace}/batch-operations
        UpdateActivityOptions POST /namespaces/{namespace}/activities-deprecated/update-options
        UpdateWorkflowExecutionOptions POST /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/update-options
        PauseActivity POST /namespaces/{namespace}/activities-deprecated/pause
        UnpauseActivity POST /namespaces/{namespace}/activities-deprecated/unpause
        ResetActivity POST /namespaces/{namespace}/activities-deprecated/reset
        CreateWorkflowRule POST /namespaces/{namespace}/workflow-rules
        DescribeWorkflowRule GET /namespaces/{namespace}/workflow-rules/{rule_id}
        DeleteWorkflowRule DELETE /namespaces/{namespace}/workflow-rules/{rule_id}
        ListWorkflowRules GET /namespaces/{namespace}/workflow-rules
        TriggerWorkflowRule POST /namespaces/{namespace}/workflows/{execution.workflow_id}/trigger-rule
        RecordWorkerHeartbeat POST /namespaces/{namespace}/workers/heartbeat
        ListWorkers GET /namespaces/{namespace}/workers
        CountWorkers GET /namespaces/{namespace}/worker-count
        UpdateTaskQueueConfig POST /namespaces/{namespace}/task-queues/{task_queue}/update-config
        FetchWorkerConfig POST /namespaces/{namespace}/workers/fetch-config
        UpdateWorkerConfig POST /namespaces/{namespace}/workers/update-config
        DescribeWorker GET /namespaces/{namespace}/workers/describe/{worker_instance_key}
        PauseWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_id}/pause
        UnpauseWorkflowExecution POST /namespaces/{namespace}/workflows/{workflow_id}/unpause
        StartActivityExecution POST /namespaces/{namespace}/activities/{activity_id}
        StartNexusOperationExecution POST /namespaces/{namespace}/nexus-operations/{operation_id}
        DescribeActivityExecution GET /namespaces/{namespace}/activities/{activity_id}
        DescribeNexusOperationExecution GET /namespaces/{namespace}/nexus-operations/{operation_id}
        PollActivityExecution GET /namespaces/{namespace}/activities/{activity_id}/outcome
        PollNexusOperationExecution GET /namespaces/{namespace}/nexus-operations/{operation_id}/poll
        ListActivityExecutions GET /namespaces/{namespace}/activities
        ListNexusOperationExecutions GET /namespaces/{namespace}/nexus-operations
        CountActivityExecutions GET /namespaces/{namespace}/activity-count
        CountNexusOperationExecutions GET /namespaces/{namespace}/nexus-operation-count
        RequestCancelActivityExecution POST /namespaces/{namespace}/activities/{activity_id}/cancel
        RequestCancelNexusOperationExecution POST /namespaces/{namespace}/nexus-operations/{operation_id}/cancel
        TerminateActivityExecution POST /namespaces/{namespace}/activities/{activity_id}/terminate
        PauseActivityExecution POST /namespaces/{namespace}/activities/{activity_id}/pause
        PauseActivityExecution POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/pause
        ResetActivityExecution POST /namespaces/{namespace}/activities/{activity_id}/reset
        ResetActivityExecution POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/reset
        UnpauseActivityExecution POST /namespaces/{namespace}/activities/{activity_id}/unpause
        UnpauseActivityExecution POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/unpause
        UpdateActivityExecutionOptions POST /namespaces/{namespace}/activities/{activity_id}/update-options
        UpdateActivityExecutionOptions POST /namespaces/{namespace}/workflows/{workflow_id}/activities/{activity_id}/update-options
        TerminateNexusOperationExecution POST /namespaces/{namespace}/nexus-operations/{operation_id}/terminate
        PollWorkflowExecutionTimeSkipping GET /namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/time-skipping/poll
        """
}
