import TemporalAPI

extension TemporalRoute {
    static let scheduleRoutes: [(String, String, TemporalRoute)] = [
        (
            "GET", "schedules",
            .init(
                "ListSchedules", Temporal_Api_Workflowservice_V1_ListSchedulesRequest.self,
                Temporal_Api_Workflowservice_V1_ListSchedulesResponse.self)
        ),
        (
            "GET", "schedule-count",
            .init(
                "CountSchedules", Temporal_Api_Workflowservice_V1_CountSchedulesRequest.self,
                Temporal_Api_Workflowservice_V1_CountSchedulesResponse.self)
        ),
        (
            "POST", "schedules/{schedule_id}",
            .init(
                "CreateSchedule", Temporal_Api_Workflowservice_V1_CreateScheduleRequest.self,
                Temporal_Api_Workflowservice_V1_CreateScheduleResponse.self)
        ),
        (
            "GET", "schedules/{schedule_id}",
            .init(
                "DescribeSchedule", Temporal_Api_Workflowservice_V1_DescribeScheduleRequest.self,
                Temporal_Api_Workflowservice_V1_DescribeScheduleResponse.self)
        ),
        (
            "POST", "schedules/{schedule_id}/update",
            .init(
                "UpdateSchedule", Temporal_Api_Workflowservice_V1_UpdateScheduleRequest.self,
                Temporal_Api_Workflowservice_V1_UpdateScheduleResponse.self)
        ),
        (
            "POST", "schedules/{schedule_id}/patch",
            .init(
                "PatchSchedule", Temporal_Api_Workflowservice_V1_PatchScheduleRequest.self,
                Temporal_Api_Workflowservice_V1_PatchScheduleResponse.self)
        ),
        (
            "GET", "schedules/{schedule_id}/matching-times",
            .init(
                "ListScheduleMatchingTimes", Temporal_Api_Workflowservice_V1_ListScheduleMatchingTimesRequest.self,
                Temporal_Api_Workflowservice_V1_ListScheduleMatchingTimesResponse.self)
        ),
        (
            "DELETE", "schedules/{schedule_id}",
            .init(
                "DeleteSchedule", Temporal_Api_Workflowservice_V1_DeleteScheduleRequest.self,
                Temporal_Api_Workflowservice_V1_DeleteScheduleResponse.self)
        ),
        (
            "GET", "batch-operations",
            .init(
                "ListBatchOperations", Temporal_Api_Workflowservice_V1_ListBatchOperationsRequest.self,
                Temporal_Api_Workflowservice_V1_ListBatchOperationsResponse.self)
        ),
        (
            "POST", "batch-operations/{job_id}",
            .init(
                "StartBatchOperation", Temporal_Api_Workflowservice_V1_StartBatchOperationRequest.self,
                Temporal_Api_Workflowservice_V1_StartBatchOperationResponse.self)
        ),
        (
            "GET", "batch-operations/{job_id}",
            .init(
                "DescribeBatchOperation", Temporal_Api_Workflowservice_V1_DescribeBatchOperationRequest.self,
                Temporal_Api_Workflowservice_V1_DescribeBatchOperationResponse.self)
        ),
        (
            "POST", "batch-operations/{job_id}/stop",
            .init(
                "StopBatchOperation", Temporal_Api_Workflowservice_V1_StopBatchOperationRequest.self,
                Temporal_Api_Workflowservice_V1_StopBatchOperationResponse.self)
        ),
    ]
}
