import FoundationEssentials
public import History
public import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Resetting the runs of a batch operation.
extension WireService {
    /// Refuses what could not be done to any run.
    func check(_ reset: Temporal_Api_Batch_V1_BatchOperationReset) throws(Rejection) {
        guard reset.postResetOperations.isEmpty else {
            throw Rejection(.unimplemented, "operations after a reset are not implemented")
        }
        switch reset.options.target {
        case .firstWorkflowTask?, .lastWorkflowTask?, .workflowTaskID?: return
        case .buildID?: throw Rejection(.unimplemented, "resetting to a build is not implemented")
        case nil:
            guard reset.resetType != .unspecified else { throw .invalid("ResetOptions is not set on request.") }
        }
    }

    /// Resets one run of a batch operation to the workflow task that its options name.
    ///
    /// - Parameter options: an encoded `BatchOperationReset`.
    public func reset(
        _ target: RunTarget, options: Blob, reason: String, requestID: RequestID
    ) async throws {
        let asked = try Temporal_Api_Batch_V1_BatchOperationReset(serializedBytes: options.bytes)
        let finish: EventID
        switch asked.options.target {
        case .workflowTaskID(let id)?: finish = EventID(id)
        case .firstWorkflowTask?: finish = try await finishedTask(of: target, isLast: false)
        case .lastWorkflowTask?: finish = try await finishedTask(of: target, isLast: true)
        case .buildID?: throw Rejection(.unimplemented, "resetting to a build is not implemented")
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
                namespaceName: namespace.name, exclusions: try Self.exclusions(request)))
    }

    /// The event that ended the first or the last workflow task that was completed.
    private func finishedTask(of target: RunTarget, isLast: Bool) async throws -> EventID {
        var request = HistoryRequest(target: target, limit: 0, newestFirst: isLast)
        while true {
            let page = try await backend.history(request, deadline: now)
            for body in page.events {
                let event = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: body)
                if event.eventType == .workflowTaskCompleted { return EventID(event.eventID) }
            }
            guard let next = page.next else { throw Rejection.invalid("no workflow task of the run was completed") }
            if isLast { request.last = next } else { request.first = next }
        }
    }
}
