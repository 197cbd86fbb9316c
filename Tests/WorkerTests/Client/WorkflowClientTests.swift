import Foundation
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import Worker

private typealias StartRequest = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest
private typealias StartResponse = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse
private typealias HistoryRequest = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest
private typealias HistoryResponse = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse

@Suite("Workflow client")
struct WorkflowClientTests {
    private let server = ScriptedServer()
    private let converter = DataConverter.default

    /// An answer to the long poll that carries one close event.
    private func closed(_ change: (inout Temporal_Api_History_V1_HistoryEvent) throws -> Void) throws -> HistoryResponse
    {
        var event = Temporal_Api_History_V1_HistoryEvent()
        event.eventID = 11
        try change(&event)
        var response = HistoryResponse()
        response.history.events = [try event.serializedBytes()]
        return response
    }

    private func completed(_ value: some Encodable, next: String = "") throws -> HistoryResponse {
        try closed {
            $0.workflowExecutionCompletedEventAttributes.result = Data(try converter.result(value))
            $0.workflowExecutionCompletedEventAttributes.newExecutionRunID = next
        }
    }

    @Test("A start carries everything the options say")
    func start() async throws {
        server.on("StartWorkflowExecution") { (_: StartRequest) in
            var response = StartResponse()
            response.runID = "run-1"
            return response
        }
        let options = StartOptions(
            id: "order-1", taskQueue: "pay", executionTimeout: .seconds(60), runTimeout: .seconds(30),
            taskTimeout: .seconds(5),
            retryPolicy: RetryPolicy(
                initialInterval: .milliseconds(500), maximumAttempts: 3, nonRetryableErrorTypes: ["X"]),
            idReusePolicy: .rejectDuplicate, idConflictPolicy: .useExisting, startDelay: .seconds(2),
            memo: ["who": "ann"],
            searchAttributes: ["Cents": .int(7)], priority: 2, summary: "one order")
        let handle = try await server.client().start(
            workflowType: "Charge", "in", 2, options: options, returning: Int.self)
        #expect(handle.firstRunID == "run-1")
        #expect(handle.runID == nil)
        let call = try #require(server.calls("StartWorkflowExecution").first)
        let request = try call.request(as: StartRequest.self)
        #expect(request.namespace == "test")
        #expect(request.identity == "tester")
        #expect(request.workflowID == "order-1")
        #expect(request.workflowType.name == "Charge")
        #expect(request.taskQueue.name == "pay")
        #expect(try converter.openedPayloads(wire: request.input).count == 2)
        #expect(request.workflowExecutionTimeout.seconds == 60)
        #expect(request.workflowRunTimeout.seconds == 30)
        #expect(request.workflowTaskTimeout.seconds == 5)
        #expect(request.retryPolicy.initialInterval.nanos == 500_000_000)
        #expect(request.retryPolicy.maximumAttempts == 3)
        #expect(request.workflowIDReusePolicy == .rejectDuplicate)
        #expect(request.workflowIDConflictPolicy == .useExisting)
        #expect(request.workflowStartDelay.seconds == 2)
        #expect(UUID(uuidString: request.requestID) != nil)
        #expect(!request.requestEagerExecution)
        let memo = try Payload.fields(wire: request.memo)
        #expect(try converter.value(String.self, from: try #require(memo["who"])) == "ann")
        let attributes = try Payload.fields(wire: request.searchAttributes)
        #expect(attributes["Cents"]?.metadata["type"] == Array("Int".utf8))
        #expect(request.priority.priorityKey == 2)
        let metadata = try Temporal_Api_Sdk_V1_UserMetadata(serializedBytes: request.userMetadata)
        #expect(metadata.summary.data == Data(#""one order""#.utf8))
        #expect(call.metadata["temporal-namespace"] == "test")
        #expect(call.metadata["client-name"] != nil)
        #expect(call.metadata["client-version"] != nil)
        #expect(call.deadline == .seconds(30))
    }

    @Test("A second start with the id throws who stands in the way")
    func alreadyStarted() async throws {
        server.on("StartWorkflowExecution") { _ in
            var detail = Temporal_Api_Errordetails_V1_WorkflowExecutionAlreadyStartedFailure()
            detail.runID = "other"
            throw try RPCFailure(.alreadyExists, "is running", detail: "WorkflowExecutionAlreadyStartedFailure", detail)
        }
        await #expect(throws: WorkflowAlreadyStarted(workflowID: "w", runID: "other", message: "is running")) {
            _ = try await server.client().start(
                workflowType: "T", options: StartOptions(id: "w", taskQueue: "q"), returning: NoValue.self)
        }
    }

    @Test("An unknown namespace is named")
    func unknownNamespace() async throws {
        server.on("StartWorkflowExecution") { _ in
            var detail = Temporal_Api_Errordetails_V1_NamespaceNotFoundFailure()
            detail.namespace = "test"
            throw try RPCFailure(.notFound, "Namespace test is not found.", detail: "NamespaceNotFoundFailure", detail)
        }
        await #expect(throws: NamespaceNotFound(namespace: "test")) {
            _ = try await server.client().start(
                workflowType: "T", options: StartOptions(id: "w", taskQueue: "q"), returning: NoValue.self)
        }
    }

    @Test("A result waits through empty polls, and the token pins the run")
    func resultWaits() async throws {
        var waiting = HistoryResponse()
        waiting.nextPageToken = Data([1])
        let answers = AnswerList([waiting, waiting, try completed("done")])
        server.on("GetWorkflowExecutionHistory") { (_: HistoryRequest) in answers.next() }
        let result = try await server.client().handle(workflowID: "w", runID: "r", returning: String.self).result()
        #expect(result == "done")
        let calls = server.calls("GetWorkflowExecutionHistory")
        let requests = try calls.map { try $0.request(as: HistoryRequest.self) }
        #expect(requests.map(\.nextPageToken) == [Data(), Data([1]), Data([1])])
        #expect(
            requests.allSatisfy {
                $0.waitNewEvent && $0.historyEventFilterType == .closeEvent && $0.execution.runID == "r"
            })
        #expect(calls.allSatisfy { $0.deadline == .seconds(70) })
    }

    @Test("A result follows continue-as-new to the last run, unless told not to")
    func resultFollows() async throws {
        let continued = try closed {
            $0.workflowExecutionContinuedAsNewEventAttributes.newExecutionRunID = "r2"
        }
        let last = try completed(5)
        server.on("GetWorkflowExecutionHistory") { (request: HistoryRequest) in
            request.execution.runID == "r2" ? last : continued
        }
        let handle = server.client().handle(workflowID: "w", runID: "r1", returning: Int.self)
        #expect(try await handle.result() == 5)
        await #expect(throws: WorkflowContinuedAsNew(newRunID: "r2")) { try await handle.result(followsRuns: false) }
    }

    @Test("Each way of closing without a result is its own error")
    func closings() async throws {
        let failure = Data(converter.failure(for: ApplicationFailure("no", type: "Declined")))
        let answers = AnswerList([
            try closed { $0.workflowExecutionFailedEventAttributes.failure = failure },
            try closed { $0.workflowExecutionCanceledEventAttributes.details = Data(try converter.arguments([9])) },
            try closed { $0.workflowExecutionTerminatedEventAttributes.reason = "enough" },
            try closed { $0.workflowExecutionTimedOutEventAttributes.retryState = .timeout },
        ])
        server.on("GetWorkflowExecutionHistory") { (_: HistoryRequest) in answers.next() }
        let handle = server.client().handle(workflowID: "w", returning: NoValue.self)
        func failed() async throws -> WorkflowFailed {
            do {
                _ = try await handle.result()
            } catch let failure as WorkflowFailed {
                return failure
            }
            throw ConversionFailure("expected a failed workflow")
        }
        let application = try await failed()
        #expect(application.status == .failed)
        #expect((application.cause as? ApplicationFailure)?.type == "Declined")
        let canceled = try await failed()
        #expect(canceled.status == .canceled)
        #expect(try (canceled.cause as? CanceledFailure)?.details.value(Int.self) == 9)
        let terminated = try await failed()
        #expect(terminated.status == .terminated)
        #expect(terminated.cause.message == "enough")
        #expect(try await failed().cause is TimeoutFailure)
    }

    @Test("A query gives its answer, its rejection or its failure")
    func query() async throws {
        typealias Response = Temporal_Api_Workflowservice_V1_QueryWorkflowResponse
        var answer = Response()
        answer.queryResult = Data(try converter.result(3))
        var rejected = Response()
        rejected.queryRejected.status = .completed
        let answers = AnswerList([answer, rejected])
        server.on("QueryWorkflow") { (_: Temporal_Api_Workflowservice_V1_QueryWorkflowRequest) in answers.next() }
        let handle = server.client().handle(workflowID: "w", returning: NoValue.self)
        #expect(try await handle.query("count", "x", returning: Int.self) == 3)
        await #expect(throws: QueryRejected(status: .completed)) {
            try await handle.query("count", returning: Int.self, onlyWhileRunning: true)
        }
        let cause = Data(converter.failure(for: ApplicationFailure("inner")))
        server.on("QueryWorkflow") { _ in
            var detail = Temporal_Api_Errordetails_V1_QueryFailedFailure()
            detail.failure = cause
            throw try RPCFailure(.invalidArgument, "handler threw", detail: "QueryFailedFailure", detail)
        }
        do {
            _ = try await handle.query("count", returning: Int.self)
            Issue.record("expected a failure")
        } catch let failure as QueryFailed {
            #expect(failure.message == "handler threw")
            #expect(failure.cause?.message == "inner")
        }
    }

    @Test("Signal, cancel and terminate say who, what and why")
    func controls() async throws {
        server.on("SignalWorkflowExecution") { (_: Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionRequest) in
            Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionResponse()
        }
        server.on("RequestCancelWorkflowExecution") {
            (_: Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionRequest) in
            Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionResponse()
        }
        server.on("TerminateWorkflowExecution") { _ in
            throw RPCFailure(.notFound, "workflow execution already completed")
        }
        let handle = server.client().handle(workflowID: "w", runID: "r", returning: NoValue.self)
        try await handle.signal("go", 1)
        try await handle.cancel(reason: "why")
        await #expect(throws: WorkflowNotFound(message: "workflow execution already completed")) {
            try await handle.terminate(reason: "stop", details: 4)
        }
        let signal = try server.calls("SignalWorkflowExecution")[0].request(
            as: Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionRequest.self)
        #expect(signal.signalName == "go")
        #expect(signal.workflowExecution.runID == "r")
        #expect(!signal.requestID.isEmpty)
        #expect(try converter.value(Int.self, fromWire: signal.input) == 1)
        let cancel = try server.calls("RequestCancelWorkflowExecution")[0].request(
            as: Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionRequest.self)
        #expect(cancel.reason == "why")
        let terminate = try server.calls("TerminateWorkflowExecution")[0].request(
            as: Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionRequest.self)
        #expect(terminate.reason == "stop")
        #expect(try converter.value(Int.self, fromWire: terminate.details) == 4)
    }

    @Test("A list reads page after page")
    func list() async throws {
        typealias Request = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest
        server.on("ListWorkflowExecutions") { (request: Request) in
            var response = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsResponse()
            var info = Temporal_Api_Workflow_V1_WorkflowExecutionInfo()
            info.execution.workflowID = request.nextPageToken.isEmpty ? "first" : "second"
            info.status = .running
            info.memo = Data(Payload.wire(fields: ["n": try DataConverter.default.payload(for: 8)]))
            response.executions = [info]
            response.nextPageToken = request.nextPageToken.isEmpty ? Data([1]) : Data()
            return response
        }
        var found: [WorkflowSummary] = []
        for try await workflow in server.client().list(query: "x = 1") { found.append(workflow) }
        #expect(found.map(\.workflowID) == ["first", "second"])
        #expect(try found[0].memo("n", as: Int.self) == 8)
        #expect(try found[0].memo("m", as: Int.self) == nil)
        #expect(server.calls("ListWorkflowExecutions").count == 2)
    }

    @Test("An activity is completed from outside by token and by id")
    func asyncCompletion() async throws {
        server.on("RespondActivityTaskCompleted") {
            (_: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest) in
            Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedResponse()
        }
        server.on("RespondActivityTaskFailedById") {
            (_: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdRequest) in
            Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdResponse()
        }
        server.on("RecordActivityTaskHeartbeat") {
            (_: Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatRequest) in
            var response = Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatResponse()
            response.cancelRequested = true
            return response
        }
        let client = server.client()
        try await client.activity(taskToken: [7]).complete("ok")
        try await client.activity(id: "5", workflowID: "w").fail(ApplicationFailure("no", type: "T"))
        await #expect(throws: AsyncActivityCanceled(reason: .requested)) {
            try await client.activity(taskToken: [7]).heartbeat(1)
        }
        let completed = try server.calls("RespondActivityTaskCompleted")[0].request(
            as: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest.self)
        #expect(completed.taskToken == Data([7]))
        #expect(try converter.value(String.self, fromWire: completed.result) == "ok")
        let failed = try server.calls("RespondActivityTaskFailedById")[0].request(
            as: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdRequest.self)
        #expect(failed.activityID == "5")
        #expect((converter.error(fromFailure: failed.failure) as? ApplicationFailure)?.type == "T")
    }
}
