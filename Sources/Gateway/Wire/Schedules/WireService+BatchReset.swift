import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Resetting the runs of a batch operation.
extension WireService {
    /// Refuses what could not be done to any run.
    func check(_ reset: Temporal_Api_Batch_V1_BatchOperationReset) throws(Rejection) {
        _ = try operations(reset.postResetOperations, identity: reset.identity)
        switch reset.options.target {
        case .firstWorkflowTask?, .lastWorkflowTask?, .workflowTaskID?: return
        case .buildID(let build)?: try checks.identifier(build, "BuildId")
        case nil:
            guard reset.resetType != .unspecified else { throw .invalid("ResetOptions is not set on request.") }
        }
    }

    /// Resets one run of a batch operation to the workflow task that its options name.
    ///
    /// - Parameter options: an encoded `BatchOperationReset`.
    func reset(
        _ target: RunTarget, options: Blob, reason: String, requestID: RequestID
    ) async throws {
        let asked = try Temporal_Api_Batch_V1_BatchOperationReset(serializedBytes: options.bytes)
        let finish: EventID
        switch asked.options.target {
        case .workflowTaskID(let id)?: finish = EventID(id)
        case .firstWorkflowTask?: finish = try await finishedTask(of: target, isLast: false)
        case .lastWorkflowTask?: finish = try await finishedTask(of: target, isLast: true)
        case .buildID(let build)?: finish = try await finishedTask(of: target, isLast: false, build: build)
        case nil: finish = try await finishedTask(of: target, isLast: asked.resetType == .lastWorkflowTask)
        }
        let namespace = try await backend.namespace(named: target.namespace.value)
        var request = Temporal_Api_Workflowservice_V1_ResetWorkflowExecutionRequest()
        request.resetReapplyType = asked.options.resetReapplyType
        if request.resetReapplyType == .unspecified { request.resetReapplyType = asked.resetReapplyType }
        request.resetReapplyExcludeTypes = asked.options.resetReapplyExcludeTypes
        _ = try await backend.resetWorkflow(
            ResetWorkflowRequest(
                target: target, finishEventID: finish, reason: reason, requestID: requestID, identity: asked.identity,
                namespaceName: namespace.name, exclusions: try Self.exclusions(request),
                operations: try operations(asked.postResetOperations, identity: asked.identity)))
    }

    /// The event that ended the first or the last workflow task that was completed, by `build` if one is named.
    private func finishedTask(of target: RunTarget, isLast: Bool, build: String? = nil) async throws -> EventID {
        var request = HistoryRequest(target: target, limit: 0, newestFirst: isLast)
        while true {
            let page = try await backend.history(request, deadline: now)
            for body in page.events {
                let event = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: body)
                guard event.eventType == .workflowTaskCompleted else { continue }
                if let build {
                    let completed = event.workflowTaskCompletedEventAttributes
                    let version = try Temporal_Api_Common_V1_WorkerVersionStamp(
                        serializedBytes: completed.workerVersion)
                    guard version.buildID == build else { continue }
                }
                return EventID(event.eventID)
            }
            guard let next = page.next else { throw Rejection.invalid(Self.noSuchTask(build)) }
            if isLast { request.last = next } else { request.first = next }
        }
    }

    private static func noSuchTask(_ build: String?) -> String {
        guard let build else { return "no workflow task of the run was completed" }
        return "no workflow task of the run was completed by build '\(build)'"
    }
}
