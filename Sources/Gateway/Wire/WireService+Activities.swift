import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Activity tasks: polls, heartbeats and answers, by token or by id from outside.
extension WireService {
    func pollActivityTaskQueue(
        _ request: Temporal_Api_Workflowservice_V1_PollActivityTaskQueueRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse {
        let namespace = try await namespace(request.namespace)
        let queue = try checks.taskQueue(request.taskQueue, isSet: request.hasTaskQueue)
        try checks.length(request.identity, "Identity")
        let poll = TaskPoll(
            namespace: namespace.id, queue: queue, identity: request.identity,
            workerInstanceKey: request.workerInstanceKey,
            deadline: try pollDeadline(of: call),
            tasksPerSecondMax: request.taskQueueMetadata.hasMaxTasksPerSecond
                ? request.taskQueueMetadata.maxTasksPerSecond.value : nil)
        guard let task = try await backend.pollActivityTask(poll) else { return .init() }
        return polled(task, namespace: namespace.name)
    }

    func respondActivityTaskCompleted(
        _ request: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedResponse {
        let target = try activity(token: request.taskToken)
        try await complete(target, Blob(request.result, isSet: request.hasResult), identity: request.identity)
        return .init()
    }

    func respondActivityTaskCompletedByID(
        _ request: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedByIdRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedByIdResponse {
        let target = try await activity(request.namespace, request.workflowID, request.runID, request.activityID)
        try await complete(target, Blob(request.result, isSet: request.hasResult), identity: request.identity)
        return .init()
    }

    func respondActivityTaskFailed(
        _ request: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedResponse {
        let target = try activity(token: request.taskToken)
        try await backend.failActivity(
            target, failure: try failure(request.failure),
            lastHeartbeatDetails: heartbeatDetails(request.lastHeartbeatDetails),
            identity: request.identity)
        return .init()
    }

    func respondActivityTaskFailedByID(
        _ request: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdResponse {
        let target = try await activity(request.namespace, request.workflowID, request.runID, request.activityID)
        try await backend.failActivity(
            target, failure: try failure(request.failure),
            lastHeartbeatDetails: heartbeatDetails(request.lastHeartbeatDetails),
            identity: request.identity)
        return .init()
    }

    func respondActivityTaskCanceled(
        _ request: Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledResponse {
        let target = try activity(token: request.taskToken)
        try checks.blobs(request.details)
        try await backend.cancelActivity(
            target, details: Blob(request.details, isSet: request.hasDetails), identity: request.identity)
        return .init()
    }

    func respondActivityTaskCanceledByID(
        _ request: Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledByIdRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledByIdResponse {
        let target = try await activity(request.namespace, request.workflowID, request.runID, request.activityID)
        try checks.blobs(request.details)
        try await backend.cancelActivity(
            target, details: Blob(request.details, isSet: request.hasDetails), identity: request.identity)
        return .init()
    }

    func recordActivityTaskHeartbeat(
        _ request: Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatResponse {
        let target = try activity(token: request.taskToken)
        let result = try await heartbeat(
            target, Blob(request.details, isSet: request.hasDetails), identity: request.identity)
        return .with {
            $0.cancelRequested = result.cancelRequested
            $0.activityPaused = result.paused
            $0.activityReset = result.reset
        }
    }

    func recordActivityTaskHeartbeatByID(
        _ request: Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatByIdRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatByIdResponse {
        let target = try await activity(request.namespace, request.workflowID, request.runID, request.activityID)
        let result = try await heartbeat(
            target, Blob(request.details, isSet: request.hasDetails), identity: request.identity)
        return .with {
            $0.cancelRequested = result.cancelRequested
            $0.activityPaused = result.paused
            $0.activityReset = result.reset
        }
    }

    // MARK: Parts

    func polled(
        _ task: PolledActivityTask, namespace: String
    ) -> Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse {
        let activity = task.activity
        let scheduled = activity.scheduled
        return .with {
            $0.taskToken = Data(TaskTokenCodec.encode(activity.token))
            $0.workflowNamespace = namespace
            $0.workflowType = .with { $0.name = activity.workflowType }
            $0.workflowExecution = Temporal_Api_Common_V1_WorkflowExecution(activity.token.run)
            $0.activityType = .with { $0.name = scheduled.activityType }
            $0.activityID = scheduled.activityID.value
            if let header = scheduled.header { $0.header = header.data }
            if let input = scheduled.input { $0.input = input.data }
            if let details = activity.heartbeatDetails { $0.heartbeatDetails = details.data }
            $0.scheduledTime = Google_Protobuf_Timestamp(activity.scheduledTime)
            $0.currentAttemptScheduledTime = Google_Protobuf_Timestamp(activity.currentAttemptScheduledTime)
            $0.startedTime = Google_Protobuf_Timestamp(activity.startedTime)
            $0.attempt = activity.token.attempt
            $0.scheduleToCloseTimeout = Google_Protobuf_Duration(scheduled.scheduleToCloseTimeout)
            $0.startToCloseTimeout = Google_Protobuf_Duration(scheduled.startToCloseTimeout)
            $0.heartbeatTimeout = Google_Protobuf_Duration(scheduled.heartbeatTimeout)
            $0.retryPolicy = Temporal_Api_Common_V1_RetryPolicy(scheduled.retryPolicy)
            if let priority = scheduled.priority { $0.priority = Temporal_Api_Common_V1_Priority(priority) }
        }
    }

    private func activity(token: Data) throws(Rejection) -> ActivityTarget {
        let token = try TaskTokenCodec.decodeActivityTask([UInt8](token))
        let run = RunTarget(namespace: token.run.namespace, workflow: token.run.workflow, run: token.run.run)
        return ActivityTarget(run: run, activity: .token(token))
    }

    private func activity(
        _ namespaceName: String, _ workflow: String, _ run: String, _ activity: String
    ) async throws -> ActivityTarget {
        let namespace = try await namespace(namespaceName)
        try checks.identifier(workflow, "WorkflowId")
        try checks.identifier(activity, "ActivityId")
        let run = RunTarget(namespace: namespace.id, workflow: WorkflowID(workflow), run: try checks.run(run))
        return ActivityTarget(run: run, activity: .id(ActivityID(activity)))
    }

    /// A result that is too large fails the activity for good instead of coming back for ever.
    private func complete(_ target: ActivityTarget, _ result: Blob?, identity: String) async throws {
        try checks.length(identity, "Identity")
        if let result, result.count > options.limits.blobBytesMax {
            let failure = Failure.server(message: "Complete result exceeds size limit.", nonRetryable: true)
            return try await backend.failActivity(
                target, failure: failure, lastHeartbeatDetails: nil, identity: identity)
        }
        try await backend.completeActivity(target, result: result, identity: identity)
    }

    /// Details that are too large fail the activity; the worker hears that it should stop.
    private func heartbeat(_ target: ActivityTarget, _ details: Blob?, identity: String) async throws -> HeartbeatResult
    {
        if let details, details.count > options.limits.blobBytesMax {
            let failure = Failure.server(message: "Heartbeat details exceed size limit.", nonRetryable: true)
            try await backend.failActivity(target, failure: failure, lastHeartbeatDetails: nil, identity: identity)
            return HeartbeatResult(cancelRequested: true)
        }
        return try await backend.heartbeatActivity(target, details: details, identity: identity)
    }

    private func failure(_ data: Data) throws(Rejection) -> Failure {
        if data.count > options.limits.blobBytesMax {
            let traits = FailureCodec.traits(of: [UInt8](data))
            return .server(
                message: "Failure exceeds size limit. \(traits.message.prefix(200))", nonRetryable: traits.nonRetryable)
        }
        return FailureCodec.decode([UInt8](data))
    }

    private func heartbeatDetails(_ data: Data) -> Blob? {
        data.isEmpty || data.count > options.limits.blobBytesMax ? nil : Blob(data)
    }
}
