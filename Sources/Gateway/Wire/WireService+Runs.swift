import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Telling a run something: signal, cancel, terminate, and asking it a query.
extension WireService {
    func signalWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionResponse {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution)
        try checks.identifier(request.signalName, "SignalName")
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.identity, "Identity")
        try checks.blobs(request.input, request.header)
        let signal = WorkflowExecutionSignaled(
            signalName: request.signalName, input: Blob(request.input, isSet: request.hasInput),
            header: Blob(request.header, isSet: request.hasHeader), identity: request.identity,
            requestID: RequestID(request.requestID.isEmpty ? UUIDs.random() : request.requestID),
            links: try checks.links(request.links))
        try await backend.signalWorkflow(target, signal)
        return .init()
    }

    func requestCancelWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionResponse {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution,
            firstRun: request.firstExecutionRunID)
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.identity, "Identity")
        let cancel = WorkflowExecutionCancelRequested(
            cause: request.reason, identity: request.identity, links: try checks.links(request.links))
        let requestID = RequestID(request.requestID.isEmpty ? UUIDs.random() : request.requestID)
        try await backend.requestCancelWorkflow(target, cancel, requestID: requestID)
        return .init()
    }

    func terminateWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionResponse {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution,
            firstRun: request.firstExecutionRunID)
        try checks.blobs(request.details)
        try checks.length(request.identity, "Identity")
        let reason = request.reason.isEmpty ? "terminated by user via frontend" : request.reason
        let terminate = WorkflowExecutionTerminated(
            reason: reason, details: Blob(request.details, isSet: request.hasDetails), identity: request.identity,
            links: try checks.links(request.links))
        try await backend.terminateWorkflow(target, terminate)
        return .init()
    }

    func resetStickyTaskQueue(
        _ request: Temporal_Api_Workflowservice_V1_ResetStickyTaskQueueRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ResetStickyTaskQueueResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        try await backend.resetSticky(target)
        return .init()
    }

    func queryWorkflow(
        _ request: Temporal_Api_Workflowservice_V1_QueryWorkflowRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_QueryWorkflowResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        guard request.hasQuery else { throw Rejection.invalid("Query is not set on request.") }
        try checks.identifier(request.query.queryType, "QueryType")
        try checks.blobs(request.query.queryArgs)
        let query = QueryRequest(
            type: request.query.queryType, arguments: Blob(request.query.queryArgs, isSet: request.query.hasQueryArgs),
            header: Blob(request.query.header, isSet: request.query.hasHeader),
            rejectCondition: QueryRejectCondition(rawValue: Int32(request.queryRejectCondition.rawValue)) ?? .none)
        let answer = try await backend.query(target, query, deadline: deadline(of: call, wait: options.queryWait))
        return .with {
            switch answer {
            case .answered(let result): if let result { $0.queryResult = result.data }
            case .rejected(let status): $0.queryRejected = .with { $0.status = status.wire }
            }
        }
    }

    /// The run that a request names.
    func target(
        _ namespaceName: String, _ execution: Temporal_Api_Common_V1_WorkflowExecution, isSet: Bool,
        firstRun: String = ""
    ) async throws -> RunTarget {
        let namespace = try await namespace(namespaceName)
        guard isSet else { throw Rejection.invalid("Execution is not set on request.") }
        try checks.identifier(execution.workflowID, "WorkflowId")
        let run = try checks.run(execution.runID)
        return RunTarget(
            namespace: namespace.id, workflow: WorkflowID(execution.workflowID), run: run,
            firstRun: try checks.run(firstRun))
    }
}
