import Foundation
import Logging
import SwiftProtobuf
import TemporalAPI

extension WorkerShell {
    private typealias Completion = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest

    /// Works on a task and on those that the answers to it bring, all in one slot.
    func runWorkflowTasks(_ first: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse) async {
        guard let processor else { return }
        var next: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse? = first
        while let task = next {
            next = nil
            let answer = await processor.process(task, history: self)
            do {
                switch answer {
                case .completed(let request): next = try await complete(task, request)
                case .failed(let request): try await fail(task, request)
                case .query(let request): try await answerQuery(task, request)
                case .dropped: return
                }
            } catch {
                await processor.evict(runID: task.workflowExecution.runID)
                log(error, task)
                if error.saysTooLarge, case .completed = answer { await failTooLarge(task, error) }
            }
        }
    }

    private func complete(
        _ task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse, _ answer: Completion
    ) async throws(RPCFailure) -> Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse? {
        var request = answer
        request.taskToken = task.taskToken
        request.identity = service.identity
        request.namespace = service.namespace
        request.workerInstanceKey = instanceKey
        request.capabilities.discardSpeculativeWorkflowTaskWithEvents = true
        if !options.buildID.isEmpty {
            var stamp = Temporal_Api_Common_V1_WorkerVersionStamp()
            stamp.buildID = options.buildID
            if let bytes: Data = try? stamp.serializedBytes() { request.workerVersionStamp = bytes }
        }
        if let deployment = options.deployment {
            request.deploymentOptions = deployment.message
            if request.versioningBehavior == .unspecified, deployment.isVersioned {
                request.versioningBehavior = .init(rawValue: deployment.defaultBehavior.rawValue) ?? .unspecified
            }
        }
        if request.forceCreateNewWorkflowTask { request.returnNewWorkflowTask = true }
        if balance.usesSticky && !life.isShuttingDown {
            request.stickyAttributes.workerTaskQueue.name = stickyQueue
            request.stickyAttributes.workerTaskQueue.kind = .sticky
            request.stickyAttributes.workerTaskQueue.normalName = taskQueue
            request.stickyAttributes.scheduleToStartTimeout = options.stickyTimeout.message
            request.returnNewWorkflowTask = true
        }
        let reserved = reserveEagerSlots(&request)
        let response: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedResponse
        do {
            response = try await service.call("RespondWorkflowTaskCompleted", request)
        } catch {
            for _ in 0..<reserved { activitySlots.release(activitySlot) }
            throw error
        }
        if response.resetHistoryEventID > 0 {
            await processor?.forgetTask(
                runID: task.workflowExecution.runID, backTo: response.resetHistoryEventID)
        }
        let brought = response.activityTasks.count
        for _ in brought..<max(reserved, brought) { activitySlots.release(activitySlot) }
        // No server starts more than it was asked for; should one, the tasks run all the same.
        for _ in reserved..<max(reserved, brought) { activitySlots.overdraw(activitySlot) }
        for activity in response.activityTasks { await start(.activity(activity)) }
        return response.hasWorkflowTask && !response.workflowTask.taskToken.isEmpty ? response.workflowTask : nil
    }

    /// Asks for eager starts as far as slots are free, and takes those slots.
    private func reserveEagerSlots(_ request: inout Completion) -> Int {
        var wanted: [Int] = []
        for (position, command) in request.commands.enumerated() {
            guard case .scheduleActivityTaskCommandAttributes(let activity)? = command.attributes else { continue }
            let isEligible =
                activity.taskQueue.name == taskQueue
                && runner?.activities.activity(ofType: activity.activityType.name) != nil
            if isEligible && wanted.count < min(options.eagerActivitiesMax, WorkerOptions.eagerActivitiesLimit) {
                wanted.append(position)
            } else {
                request.commands[position].scheduleActivityTaskCommandAttributes.requestEagerExecution = false
            }
        }
        var reserved = 0
        while reserved < wanted.count, !life.isShuttingDown, activitySlots.tryReserve(activitySlot) { reserved += 1 }
        for (rank, position) in wanted.enumerated() {
            request.commands[position].scheduleActivityTaskCommandAttributes.requestEagerExecution = rank < reserved
        }
        return reserved
    }

    /// Only the first attempt of a task is reported; later ones are left to time out, which slows the repeats down.
    private func fail(
        _ task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse,
        _ answer: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedRequest
    ) async throws(RPCFailure) {
        guard task.attempt <= 1 else { return }
        var request = answer
        request.taskToken = task.taskToken
        request.identity = service.identity
        request.namespace = service.namespace
        let _: Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedResponse = try await service.call(
            "RespondWorkflowTaskFailed", request)
    }

    private func failTooLarge(
        _ task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse, _ failure: RPCFailure
    ) async {
        var request = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedRequest()
        request.cause = .grpcMessageTooLarge
        request.failure = Data(
            DataConverter.default.failure(for: ApplicationFailure(failure.message, type: "GrpcMessageTooLarge")))
        do { try await fail(task, request) } catch { log(error, task) }
    }

    private func answerQuery(
        _ task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse,
        _ answer: Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedRequest
    ) async throws(RPCFailure) {
        var request = answer
        request.taskToken = task.taskToken
        request.namespace = service.namespace
        let _: Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedResponse = try await service.call(
            "RespondQueryTaskCompleted", request)
    }

    /// A task that the server has given up is no news: the run closed, or new events came and the task comes again.
    private func log(_ failure: RPCFailure, _ task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse) {
        let isExpected = failure.code == .notFound || failure.message == "UnhandledCommand"
        options.logger.log(
            level: isExpected ? .debug : .warning, "workflow task was not accepted",
            metadata: [
                "workflow": "\(task.workflowExecution.workflowID)", "run": "\(task.workflowExecution.runID)",
                "error": "\(failure)",
            ])
    }
}

extension WorkerShell: HistoryPages {
    func start(_ activity: LocalActivityTask) -> Bool {
        switch handOn.yield(.localActivity(activity)) {
        case .enqueued, .dropped: return true
        case .terminated:
            // The worker is at its end: the workflow task comes again elsewhere.
            let end = LocalActivityEnd(outcome: .abandoned, attempt: activity.info.attempt, elapsed: .zero)
            activity.desk.finish(activity.future, end)
            return true
        @unknown default: return false
        }
    }

    func page(
        of execution: Temporal_Api_Common_V1_WorkflowExecution, token: [UInt8]
    ) async throws(RPCFailure) -> (events: Temporal_Api_History_V1_History, nextToken: [UInt8]) {
        var request = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest()
        request.namespace = service.namespace
        request.execution = execution
        request.nextPageToken = Data(token)
        let response: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse = try await service.call(
            "GetWorkflowExecutionHistory", request)
        return (response.history, [UInt8](response.nextPageToken))
    }
}
