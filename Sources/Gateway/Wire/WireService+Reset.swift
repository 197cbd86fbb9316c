import Engine
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Taking a run back to an earlier point, and taking it away.
extension WireService {
    func resetWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_ResetWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ResetWorkflowExecutionResponse {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution)
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.reason, "Reason")
        try checks.length(request.identity, "Identity")
        let own = try await namespace(request.namespace)
        let reset = ResetWorkflowRequest(
            target: target, finishEventID: EventID(request.workflowTaskFinishEventID), reason: request.reason,
            requestID: RequestID(request.requestID.isEmpty ? UUIDs.random() : request.requestID),
            identity: request.identity, namespaceName: own.name, exclusions: try Self.exclusions(request),
            operations: try operations(request.postResetOperations, identity: request.identity))
        let run = try await backend.resetWorkflow(reset)
        return .with { $0.runID = run.value }
    }

    func deleteWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_DeleteWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DeleteWorkflowExecutionResponse {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution)
        try await backend.deleteWorkflow(target)
        return .init()
    }

    static func exclusions(
        _ request: Temporal_Api_Workflowservice_V1_ResetWorkflowExecutionRequest
    ) throws(Rejection) -> ReapplyExclusions {
        var excluded: ReapplyExclusions = []
        switch request.resetReapplyType {
        case .unspecified, .allEligible, .UNRECOGNIZED: break
        case .signal: excluded = [.updates, .cancelRequests]
        case .none: excluded = .everything
        }
        for type in request.resetReapplyExcludeTypes {
            switch type {
            case .signal: excluded.insert(.signals)
            case .update: excluded.insert(.updates)
            case .cancelRequest: excluded.insert(.cancelRequests)
            case .unspecified, .nexus, .UNRECOGNIZED: break
            }
        }
        return excluded
    }
}
