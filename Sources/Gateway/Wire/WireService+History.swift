import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Reading histories and waiting for what comes next (protocol.md 1.6).
extension WireService {
    func getWorkflowExecutionHistory(
        _ request: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse {
        var target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let token = try continuation(of: request.nextPageToken, target: &target)
        let wait = request.waitNewEvent
        let limit = pageSize(request.maximumPageSize)
        let onlyClose = request.historyEventFilterType == .closeEvent
        let asked = HistoryRequest(
            target: target, first: token?.next ?? .first, last: token?.last ?? .none, limit: limit,
            filter: onlyClose ? .closeEvent : .allEvents, waitForNew: wait)
        let page = try await backend.history(asked, deadline: deadline(of: call, wait: options.historyWait))
        var answer = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse()
        answer.history = .init()
        if onlyClose {
            if page.isOpen {
                if wait { answer.nextPageToken = Data(HistoryPageToken(run: page.run.run, next: asked.first).bytes) }
            } else {
                answer.history.events = page.events.suffix(1).map { Data(Self.closeEvent($0, for: call)) }
            }
            return answer
        }
        answer.history.events = page.events.map { Data($0) }
        if let next = page.next ?? (wait && page.isOpen ? EventID(asked.first.value + Int64(page.events.count)) : nil) {
            answer.nextPageToken = Data(HistoryPageToken(run: page.run.run, next: next, last: asked.last).bytes)
        }
        return answer
    }

    func getWorkflowExecutionHistoryReverse(
        _ request: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryReverseRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryReverseResponse {
        var target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let token = try continuation(of: request.nextPageToken, target: &target)
        let asked = HistoryRequest(
            target: target, last: token?.next ?? .none, limit: pageSize(request.maximumPageSize), newestFirst: true)
        let page = try await backend.history(asked, deadline: deadline(of: call, wait: options.historyWait))
        return .with {
            $0.history.events = page.events.map { Data($0) }
            if let next = page.next, next >= .first {
                $0.nextPageToken = Data(HistoryPageToken(run: page.run.run, next: next).bytes)
            }
        }
    }

    private func pageSize(_ asked: Int32) -> Int {
        let most = options.limits.historyPageEventsMax
        return asked <= 0 ? most : min(Int(asked), most)
    }

    /// Reads a page token and pins the target to its run.
    private func continuation(of bytes: Data, target: inout RunTarget) throws(Rejection) -> HistoryPageToken? {
        guard !bytes.isEmpty else { return nil }
        let token = try HistoryPageToken([UInt8](bytes))
        if let run = target.run, run != token.run {
            throw .invalid("RunId in the request does not match the NextPageToken.")
        }
        target.run = token.run
        return token
    }

    /// Callers that do not say that they follow `new_execution_run_id` get the end of a run that goes on in another one as a
    /// ContinuedAsNew event.
    private static func closeEvent(_ bytes: [UInt8], for call: WireCall) -> [UInt8] {
        let features = call.metadata(named: "supported-features") ?? ""
        if features.contains("follows-next-run-id") { return bytes }
        guard let event = try? EventCodec.decode(bytes), let goesOn = continuedAsNew(event.kind) else { return bytes }
        return EventCodec.encode(
            Event(
                id: event.id, time: event.time, kind: .workflowExecutionContinuedAsNew(goesOn),
                userMetadata: event.userMetadata,
                workerMayIgnore: event.workerMayIgnore))
    }

    private static func continuedAsNew(_ kind: EventKind) -> WorkflowExecutionContinuedAsNew? {
        func next(_ run: RunID?, task: EventID, result: Blob? = nil, failure: Failure? = nil)
            -> WorkflowExecutionContinuedAsNew?
        {
            guard let run, !run.isEmpty else { return nil }
            return WorkflowExecutionContinuedAsNew(
                newExecutionRunID: run, workflowType: "", taskQueue: TaskQueue(""), workflowTaskCompletedEventID: task,
                failure: failure, lastCompletionResult: result)
        }
        if case .workflowExecutionCompleted(let end) = kind {
            return next(end.newExecutionRunID, task: end.workflowTaskCompletedEventID, result: end.result)
        }
        if case .workflowExecutionFailed(let end) = kind {
            return next(end.newExecutionRunID, task: end.workflowTaskCompletedEventID, failure: end.failure)
        }
        if case .workflowExecutionTimedOut(let end) = kind {
            let failure = Failure.timeout(
                message: "workflow timeout", type: .startToClose, lastHeartbeatDetails: nil, cause: nil)
            return next(end.newExecutionRunID, task: .none, failure: failure)
        }
        return nil
    }
}
