import Foundation
import SwiftProtobuf
import TemporalAPI

/// One workflow, seen from outside.
public struct WorkflowHandle<Output: Decodable & Sendable>: Sendable {
    let client: WorkflowClient
    public let workflowID: String
    /// The run this handle is pinned to; nil means the current one.
    public let runID: String?
    /// The run that the start created, when this handle comes from a start.
    public let firstRunID: String?

    private var converter: DataConverter {
        client.converter.scoped(namespace: client.namespace, workflowID: workflowID)
    }
    private var service: WorkflowService { client.service }

    var execution: Temporal_Api_Common_V1_WorkflowExecution {
        var execution = Temporal_Api_Common_V1_WorkflowExecution()
        execution.workflowID = workflowID
        execution.runID = runID ?? ""
        return execution
    }

    /// Waits until the workflow closes, and gives its result.
    ///
    /// - Parameter followsRuns: Whether a run that continued as new (or retries, or repeats by cron) is followed to the end.
    /// - Throws: ``WorkflowFailed``; ``WorkflowNotFound``; ``WorkflowContinuedAsNew`` without following; ``RPCFailure``.
    public func result(followsRuns: Bool = true) async throws -> Output {
        var run = runID ?? firstRunID ?? ""
        while true {
            let (event, closedRun) = try await closeEvent(run: run)
            switch try outcome(of: event, run: closedRun) {
            case .result(let wire, let next):
                guard followsRuns, !next.isEmpty else { return try converter.value(Output.self, fromWire: wire) }
                run = next
            case .failure(let failure, let next):
                guard followsRuns, !next.isEmpty else { throw failure }
                run = next
            case .continued(let next):
                guard followsRuns else { throw WorkflowContinuedAsNew(newRunID: next) }
                run = next
            }
        }
    }

    private enum RunOutcome {
        case result([UInt8], nextRun: String)
        case failure(WorkflowFailed, nextRun: String)
        case continued(String)
    }

    /// Long-polls for the last event of a run; nothing is asked while nothing happens.
    private func closeEvent(run: String) async throws -> (event: Temporal_Api_History_V1_HistoryEvent, run: String) {
        var request = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest()
        request.namespace = client.namespace
        request.execution = execution
        request.execution.runID = run
        request.waitNewEvent = true
        request.historyEventFilterType = .closeEvent
        request.skipArchival = true
        while true {
            let response: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse
            do {
                response = try await service.call(
                    "GetWorkflowExecutionHistory", request, deadline: WorkflowService.longPollDeadline)
            } catch {
                // A deadline on a long poll says only that nothing happened.
                if error.code == .deadlineExceeded { continue }
                throw ClientError.translated(error, workflowID: workflowID)
            }
            request.nextPageToken = response.nextPageToken
            if let last = response.history.events.last {
                return (try Temporal_Api_History_V1_HistoryEvent(serializedBytes: last), run)
            }
            if response.nextPageToken.isEmpty {
                throw RPCFailure(.dataLoss, "expected a close event, got an empty history")
            }
        }
    }

    private func outcome(of event: Temporal_Api_History_V1_HistoryEvent, run: String) throws -> RunOutcome {
        func failed(_ status: WorkflowRunStatus, _ cause: any TemporalFailure, next: String = "") -> RunOutcome {
            .failure(WorkflowFailed(workflowID: workflowID, runID: run, status: status, cause: cause), nextRun: next)
        }
        switch event.attributes {
        case .workflowExecutionCompletedEventAttributes(let closed):
            return .result([UInt8](closed.result), nextRun: closed.newExecutionRunID)
        case .workflowExecutionFailedEventAttributes(let closed):
            return failed(.failed, converter.error(fromFailure: closed.failure), next: closed.newExecutionRunID)
        case .workflowExecutionCanceledEventAttributes(let closed):
            let details = try FailureDetails(wire: closed.details, converter: converter)
            return failed(.canceled, CanceledFailure("Workflow canceled", details: details))
        case .workflowExecutionTerminatedEventAttributes(let closed):
            return failed(.terminated, TerminatedFailure(closed.reason, identity: closed.identity))
        case .workflowExecutionTimedOutEventAttributes(let closed):
            return failed(
                .timedOut, TimeoutFailure("Workflow timed out", kind: .startToClose), next: closed.newExecutionRunID)
        case .workflowExecutionContinuedAsNewEventAttributes(let closed): return .continued(closed.newExecutionRunID)
        default: throw RPCFailure(.dataLoss, "expected a close event, got \(event.eventType)")
        }
    }
}

extension WorkflowHandle {
    /// Sends a signal; it is in the history when this returns.
    public func signal(_ name: String, _ arguments: any Encodable & Sendable...) async throws {
        try await signal(name, arguments: arguments)
    }

    /// Sends a signal with a list of arguments.
    public func signal(_ name: String, arguments: [any Encodable & Sendable]) async throws {
        let call = SignalWorkflowCall(workflowID: workflowID, runID: runID, name: name, arguments: arguments)
        try await client.interceptors.pass(call) {
            try await $0.signal($1, next: $2)
        } to: {
            try await send($0)
        }
    }

    private func send(_ signal: SignalWorkflowCall) async throws {
        var request = Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.workflowExecution = execution
        request.signalName = signal.name
        request.identity = client.identity
        request.requestID = UUID().uuidString.lowercased()
        let input = try converter.arguments(signal.arguments)
        if !input.isEmpty { request.input = Data(input) }
        if !signal.header.isEmpty { request.header = Data(Payload.wire(fields: signal.header)) }
        let _: Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionResponse = try await call(
            "SignalWorkflowExecution", request)
    }

    /// Asks the workflow's code a question; it sees every signal that was sent before.
    ///
    /// - Parameter onlyWhileRunning: Throws ``QueryRejected`` for a closed workflow instead of asking its last state.
    /// - Throws: ``QueryFailed``; ``QueryRejected``; ``WorkflowNotFound``; ``RPCFailure`` (`deadlineExceeded` without a worker).
    public func query<Answer: Decodable & Sendable>(
        _ name: String, _ arguments: any Encodable & Sendable..., returning: Answer.Type = Answer.self,
        onlyWhileRunning: Bool = false
    ) async throws -> Answer {
        try await query(name, arguments: arguments, returning: returning, onlyWhileRunning: onlyWhileRunning)
    }

    /// Asks with a list of arguments.
    public func query<Answer: Decodable & Sendable>(
        _ name: String, arguments: [any Encodable & Sendable], returning: Answer.Type = Answer.self,
        onlyWhileRunning: Bool = false
    ) async throws -> Answer {
        let call = QueryWorkflowCall(
            workflowID: workflowID, runID: runID, name: name, arguments: arguments, onlyWhileRunning: onlyWhileRunning)
        return try await client.interceptors.pass(call) {
            try await $0.query($1, next: $2)
        } to: {
            try await ask($0)
        }
        .value(Answer.self)
    }

    private func ask(_ query: QueryWorkflowCall) async throws -> EncodedValues {
        var request = Temporal_Api_Workflowservice_V1_QueryWorkflowRequest()
        request.namespace = client.namespace
        request.execution = execution
        request.query.queryType = query.name
        request.queryRejectCondition = query.onlyWhileRunning ? .notOpen : .none
        if !query.header.isEmpty { request.query.header = Data(Payload.wire(fields: query.header)) }
        let input = try converter.arguments(query.arguments)
        if !input.isEmpty { request.query.queryArgs = Data(input) }
        do {
            let response: Temporal_Api_Workflowservice_V1_QueryWorkflowResponse = try await service.call(
                "QueryWorkflow", request)
            if response.hasQueryRejected {
                throw QueryRejected(
                    status: WorkflowRunStatus(rawValue: response.queryRejected.status.rawValue) ?? .unspecified)
            }
            return EncodedValues(wire: [UInt8](response.queryResult), converter: converter)
        } catch let failure as RPCFailure {
            guard failure.code == .invalidArgument, let body = failure.detail("QueryFailedFailure") else {
                throw ClientError.translated(failure, workflowID: workflowID)
            }
            let detail = try? Temporal_Api_Errordetails_V1_QueryFailedFailure(serializedBytes: body)
            let cause = detail.flatMap { $0.hasFailure ? converter.error(fromFailure: $0.failure) : nil }
            throw QueryFailed(message: failure.message, cause: cause)
        }
    }

    /// Asks the workflow to end; its code decides how. Asking again, or asking a closed workflow, does nothing.
    public func cancel(reason: String = "") async throws {
        let call = CancelWorkflowCall(workflowID: workflowID, runID: runID, reason: reason)
        try await client.interceptors.pass(call) {
            try await $0.cancel($1, next: $2)
        } to: {
            try await send($0)
        }
    }

    private func send(_ cancellation: CancelWorkflowCall) async throws {
        var request = Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.workflowExecution = execution
        request.identity = client.identity
        request.requestID = UUID().uuidString.lowercased()
        request.reason = cancellation.reason
        request.firstExecutionRunID = firstRunID ?? ""
        let _: Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionResponse = try await call(
            "RequestCancelWorkflowExecution", request)
    }

    /// Ends the workflow at once; its code does not run again, so nothing is compensated.
    public func terminate(reason: String, details: any Encodable & Sendable...) async throws {
        let call = TerminateWorkflowCall(workflowID: workflowID, runID: runID, reason: reason, details: details)
        try await client.interceptors.pass(call) {
            try await $0.terminate($1, next: $2)
        } to: {
            try await send($0)
        }
    }

    private func send(_ termination: TerminateWorkflowCall) async throws {
        var request = Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.workflowExecution = execution
        request.identity = client.identity
        request.reason = termination.reason
        request.firstExecutionRunID = firstRunID ?? ""
        if !termination.details.isEmpty {
            request.details = Data(Payload.wire(try converter.payloads(for: termination.details)))
        }
        let _: Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionResponse = try await call(
            "TerminateWorkflowExecution", request)
    }

    /// The state of the run now.
    public func describe() async throws -> WorkflowDescription {
        var request = Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.execution = execution
        let response: Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionResponse = try await call(
            "DescribeWorkflowExecution", request)
        return WorkflowDescription(response, converter: converter)
    }

    /// The whole history of the run so far.
    public func fetchHistory() async throws -> WorkflowHistory {
        var events: [[UInt8]] = []
        var request = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest()
        request.namespace = client.namespace
        request.execution = execution
        repeat {
            let response: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse = try await call(
                "GetWorkflowExecutionHistory", request)
            events.append(contentsOf: response.history.events.map { [UInt8]($0) })
            request.nextPageToken = response.nextPageToken
        } while !request.nextPageToken.isEmpty
        return WorkflowHistory(workflowID: workflowID, runID: runID ?? firstRunID ?? "", events: events)
    }

    func call<Request: Message, Response: Message>(_ name: String, _ request: Request) async throws -> Response {
        do {
            return try await service.call(name, request)
        } catch {
            throw ClientError.translated(error, workflowID: workflowID)
        }
    }
}
