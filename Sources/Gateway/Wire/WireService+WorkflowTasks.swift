import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Workflow tasks: polls and what workers answer.
extension WireService {
    func pollWorkflowTaskQueue(
        _ request: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse {
        let namespace = try await namespace(request.namespace)
        let queue = try checks.taskQueue(request.taskQueue, isSet: request.hasTaskQueue)
        try checks.length(request.identity, "Identity")
        let stamp = Self.workerVersion(
            checksum: request.binaryChecksum, capabilities: request.workerVersionCapabilities,
            isSet: request.hasWorkerVersionCapabilities)
        let poll = TaskPoll(
            namespace: namespace.id, queue: queue, identity: request.identity,
            workerInstanceKey: request.workerInstanceKey,
            deadline: try pollDeadline(of: call), workerVersion: stamp)
        guard let task = try await backend.pollWorkflowTask(poll) else { return .init() }
        return polled(task)
    }

    func respondWorkflowTaskCompleted(
        _ request: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedResponse {
        let token = try TaskTokenCodec.decodeWorkflowTask([UInt8](request.taskToken))
        try checks.length(request.identity, "Identity")
        if request.intermediatePage {
            throw Rejection(.unimplemented, "paged workflow task completions are not implemented")
        }
        let (resolved, ownName) = try await resolved(request.commands.map(CommandCodec.decode), of: token.run)
        let commands = try await checked(resolved, in: token.run.namespace)
        let answer = CompleteWorkflowTaskRequest(
            token: token, commands: commands,
            completed: Self.completion(request, token),
            sticky: try sticky(request), returnNewTask: request.returnNewWorkflowTask,
            forceNewTask: request.forceCreateNewWorkflowTask, queryResults: Self.queryResults(request.queryResults),
            eagerActivitiesMax: options.limits.eagerActivitiesMax, namespaceName: ownName,
            messages: request.messages.map(ProtocolMessageCodec.decode),
            discardsEvents: request.capabilities.discardSpeculativeWorkflowTaskWithEvents)
        let completed = try await backend.completeWorkflowTask(answer)
        let namespaceName =
            completed.eagerActivities.isEmpty ? "" : try await namespace(token.run.namespace.value).name
        return .with {
            if let task = completed.newTask { $0.workflowTask = polled(task) }
            if let event = completed.resetHistory { $0.resetHistoryEventID = event.value }
            $0.activityTasks = completed.eagerActivities.map { polled($0, namespace: namespaceName) }
        }
    }

    func respondWorkflowTaskFailed(
        _ request: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedResponse {
        let token = try TaskTokenCodec.decodeWorkflowTask([UInt8](request.taskToken))
        try checks.length(request.identity, "Identity")
        let failed = FailWorkflowTask(
            token: token, cause: WorkflowTaskFailedCause(request.cause),
            failure: request.hasFailure ? FailureCodec.decode([UInt8](request.failure)) : nil,
            identity: request.identity,
            binaryChecksum: request.binaryChecksum)
        try await backend.failWorkflowTask(failed)
        return .init()
    }

    func respondQueryTaskCompleted(
        _ request: Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedResponse {
        let (run, id) = try TaskTokenCodec.decodeQuery([UInt8](request.taskToken))
        let answer: QueryAnswer
        if request.completedType == .failed {
            answer = .failed(message: request.errorMessage, failure: Blob(request.failure, isSet: request.hasFailure))
        } else if request.queryResult.count > options.limits.blobBytesMax {
            answer = .failed(message: "query result size exceeds limit", failure: nil)
        } else {
            answer = .answered(Blob(request.queryResult, isSet: request.hasQueryResult))
        }
        try await backend.answerQuery(QueryToken(run: run, id: id), answer)
        return .init()
    }

    // MARK: Answers to polls

    /// A task as a worker gets it; SDKs drop it unless every one of these is there (protocol.md 2.2).
    func polled(_ task: PolledWorkflowTask) -> Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse {
        .with {
            $0.workflowExecution = Temporal_Api_Common_V1_WorkflowExecution(task.run)
            $0.workflowType = .with { $0.name = task.workflowType }
            $0.workflowExecutionTaskQueue = Temporal_Api_Taskqueue_V1_TaskQueue(TaskQueue(task.taskQueue))
            $0.history = .with { $0.events = task.history.map { Data($0) } }
            $0.previousStartedEventID = task.previousStartedEventID.value
            $0.attempt = task.attempt
            $0.backlogCountHint = task.backlogHint
            if let next = task.nextEvent {
                $0.nextPageToken = Data(HistoryPageToken(run: task.run.run, next: next, last: task.lastEvent).bytes)
            }
            switch task.work {
            case .task(let token):
                $0.taskToken = Data(TaskTokenCodec.encode(token))
                $0.startedEventID = task.startedEventID.value
                $0.scheduledTime = Google_Protobuf_Timestamp(task.scheduledTime)
                $0.startedTime = Google_Protobuf_Timestamp(task.startedTime)
                for (id, query) in task.queries { $0.queries[id] = Self.message(query) }
                $0.messages = task.messages.map(ProtocolMessageCodec.encode)
            case .query(let token, let query):
                $0.taskToken = Data(TaskTokenCodec.encodeQuery(run: token.run, id: token.id))
                $0.query = Self.message(query)
            }
        }
    }

    private static func message(_ query: QueryRequest) -> Temporal_Api_Query_V1_WorkflowQuery {
        .with {
            $0.queryType = query.type
            if let arguments = query.arguments { $0.queryArgs = arguments.data }
            if let header = query.header { $0.header = header.data }
        }
    }

    // MARK: Parts of requests

    private static func workerVersion(
        checksum: String, capabilities: Temporal_Api_Common_V1_WorkerVersionCapabilities, isSet: Bool
    ) -> Blob? {
        let buildID = isSet ? capabilities.buildID : checksum
        guard !buildID.isEmpty else { return nil }
        let stamp = Temporal_Api_Common_V1_WorkerVersionStamp.with {
            $0.buildID = buildID
            $0.useVersioning = isSet && capabilities.useVersioning
        }
        return (try? stamp.serializedData()).map { Blob($0) }
    }

    private static func completion(
        _ request: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest, _ token: WorkflowTaskToken
    ) -> WorkflowTaskCompleted {
        WorkflowTaskCompleted(
            scheduledEventID: token.scheduledEventID, startedEventID: token.startedEventID, identity: request.identity,
            binaryChecksum: request.binaryChecksum,
            workerVersion: Blob(request.workerVersionStamp, isSet: request.hasWorkerVersionStamp),
            sdkMetadata: Blob(request.sdkMetadata, isSet: request.hasSdkMetadata),
            meteringMetadata: Blob(request.meteringMetadata, isSet: request.hasMeteringMetadata),
            versioningBehavior: Int32(request.versioningBehavior.rawValue),
            workerDeploymentName: request.hasDeploymentOptions ? request.deploymentOptions.deploymentName : "",
            deploymentVersion: deploymentVersion(request))
    }

    private static func deploymentVersion(
        _ request: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest
    ) -> Blob? {
        guard request.hasDeploymentOptions, request.versioningBehavior != .unspecified else { return nil }
        let version = Temporal_Api_Deployment_V1_WorkerDeploymentVersion.with {
            $0.deploymentName = request.deploymentOptions.deploymentName
            $0.buildID = request.deploymentOptions.buildID
        }
        return (try? version.serializedData()).map { Blob($0) }
    }

    private func sticky(
        _ request: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest
    ) throws(Rejection) -> StickyAttributes? {
        guard request.hasStickyAttributes, !request.stickyAttributes.workerTaskQueue.name.isEmpty else { return nil }
        let attributes = request.stickyAttributes
        try checks.length(attributes.workerTaskQueue.name, "taskQueue")
        let timeout = try checks.span(
            attributes.scheduleToStartTimeout, isSet: attributes.hasScheduleToStartTimeout, "ScheduleToStartTimeout")
        return StickyAttributes(queue: TaskQueueName(attributes.workerTaskQueue.name), scheduleToStartTimeout: timeout)
    }

    private static func queryResults(
        _ results: [String: Temporal_Api_Query_V1_WorkflowQueryResult]
    ) -> [(id: String, answer: QueryAnswer)] {
        results.sorted { $0.key < $1.key }.map { id, result in
            if result.resultType == .failed {
                return (
                    id, .failed(message: result.errorMessage, failure: Blob(result.failure, isSet: result.hasFailure))
                )
            }
            return (id, .answered(Blob(result.answer, isSet: result.hasAnswer)))
        }
    }
}
