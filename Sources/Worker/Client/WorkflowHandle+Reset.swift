import Foundation
import History
import TemporalAPI
import TemporalCodec

/// Where a reset takes a run back to.
public enum ResetPoint: Hashable, Sendable {
    /// The code runs again from its beginning.
    case firstWorkflowTask
    /// The last workflow task that was completed is done again.
    case lastWorkflowTask
    /// The start of a workflow task, or the event after it.
    case event(Int64)
}

/// How a run is reset.
public struct ResetOptions: Hashable, Sendable {
    /// Why, for the history.
    public var reason: String
    /// Signals that came after the point are not told the new run again.
    public var excludesSignals = false
    /// Updates that came after the point are not told the new run again.
    public var excludesUpdates = false
    /// A cancel request that came after the point is not told the new run again.
    public var excludesCancelRequests = false
    /// Recognises a repeated reset; a fresh one if not given.
    public var requestID: String?

    public init(reason: String) { self.reason = reason }
}

extension WorkflowHandle {
    /// Begins a new run with the first part of this run's history; an open run of the id is terminated.
    ///
    /// - Returns: The new run's id.
    /// - Throws: ``WorkflowNotFound``; ``RPCFailure`` (`invalidArgument`) for an event that ends no workflow task.
    @discardableResult
    public func reset(to point: ResetPoint, options: ResetOptions) async throws -> String {
        var request = Temporal_Api_Workflowservice_V1_ResetWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.workflowExecution = execution
        request.reason = options.reason
        request.identity = client.identity
        request.requestID = options.requestID ?? UUID().uuidString.lowercased()
        request.workflowTaskFinishEventID = try await event(of: point)
        if options.excludesSignals { request.resetReapplyExcludeTypes.append(.signal) }
        if options.excludesUpdates { request.resetReapplyExcludeTypes.append(.update) }
        if options.excludesCancelRequests { request.resetReapplyExcludeTypes.append(.cancelRequest) }
        let response: Temporal_Api_Workflowservice_V1_ResetWorkflowExecutionResponse = try await call(
            "ResetWorkflowExecution", request)
        return response.runID
    }

    private func event(of point: ResetPoint) async throws -> Int64 {
        if case .event(let id) = point { return id }
        let completions = try await fetchHistory().events.compactMap { bytes -> Int64? in
            let event = try EventCodec.decode(bytes)
            guard case .workflowTaskCompleted = event.kind else { return nil }
            return event.id.value
        }
        let found = point == .firstWorkflowTask ? completions.first : completions.last
        guard let found else {
            throw RPCFailure(.failedPrecondition, "the run has completed no workflow task")
        }
        return found
    }

    /// Removes the run and its history for good; an open run is terminated first.
    ///
    /// The server does it in the background: for a moment the run may still be seen.
    public func delete() async throws {
        var request = Temporal_Api_Workflowservice_V1_DeleteWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.workflowExecution = execution
        let _: Temporal_Api_Workflowservice_V1_DeleteWorkflowExecutionResponse = try await call(
            "DeleteWorkflowExecution", request)
    }
}
