import Engine
import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@Suite("Updates on the wire")
struct WireUpdateTests {
    private typealias Request = Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest
    private typealias Response = Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionResponse

    private func request(_ change: (inout Request) -> Void = { _ in }) -> Request {
        var request = Request()
        request.namespace = "default"
        request.workflowExecution.workflowID = "w"
        request.request.meta.updateID = "u"
        request.request.input.name = "add"
        request.waitPolicy.lifecycleStage = .completed
        change(&request)
        return request
    }

    private func backend(ending end: UpdateEnd) -> ScriptedBackend {
        ScriptedBackend(onUpdate: { request in
            let key = RunKey(
                namespace: request.target.namespace, workflow: request.target.workflow, run: ScriptedBackend.run)
            return UpdateWorkflowResult(run: key, stage: .completed, end: end)
        })
    }

    @Test("An update without an id gets one; without a stage it waits for the acceptance")
    func defaults() async throws {
        let backend = ScriptedBackend()
        let answer = try await Wire(backend).call(
            "UpdateWorkflowExecution",
            request {
                $0.request.meta.updateID = ""
                $0.clearWaitPolicy()
            }, returning: Response.self)
        let asked = try #require(backend.state.withLock { $0.updates.first })
        #expect(UUIDs.isValid(asked.update.id.value) && answer.updateRef.updateID == asked.update.id.value)
        #expect(asked.stage == .accepted && answer.stage == .accepted && !answer.hasOutcome)
        #expect(answer.updateRef.workflowExecution.runID == ScriptedBackend.run.value)
        let message = try Temporal_Api_Update_V1_Request(serializedBytes: asked.update.request.bytes)
        #expect(message.meta.updateID == asked.update.id.value && message.input.name == "add")
    }

    @Test("Every end of an update becomes an outcome")
    func outcomes() async throws {
        func outcome(_ end: UpdateEnd) async throws -> Temporal_Api_Update_V1_Outcome {
            try await Wire(backend(ending: end)).call("UpdateWorkflowExecution", request(), returning: Response.self)
                .outcome
        }
        let success = try await outcome(.outcome(UpdateOutcomeCodec.success(Blob([1, 2]))))
        #expect(success.success == Data([1, 2]))
        #expect(try await outcome(.rejected(failure: Blob([3]))).failure == Data([3]))
        for (end, type) in [
            (UpdateEnd.unprocessed, "UnprocessedUpdate"), (.outlivedRun, "AcceptedUpdateCompletedWorkflow"),
        ] {
            let failure = try Temporal_Api_Failure_V1_Failure(serializedBytes: try await outcome(end).failure)
            #expect(failure.applicationFailureInfo.type == type && failure.applicationFailureInfo.nonRetryable)
            #expect(failure.source == "Server")
        }
    }

    @Test("What is missing or cannot be is named")
    func faults() async throws {
        let wire = Wire(ScriptedBackend())
        let faults: [(Request, WireFailure.Code, String)] = [
            (request { $0.clearWorkflowExecution() }, .invalidArgument, "Execution is not set on request."),
            (request { $0.request.clearMeta() }, .invalidArgument, "Update meta is not set on request."),
            (request { $0.request.clearInput() }, .invalidArgument, "Update input is not set on request."),
            (request { $0.request.input.name = "" }, .invalidArgument, "Update name is not set on request."),
            (
                request { $0.request.meta.updateID = String(repeating: "x", count: 1001) }, .invalidArgument,
                "UpdateId length exceeds limit."
            ),
            (
                request { $0.waitPolicy.lifecycleStage = .admitted }, .permissionDenied,
                "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported."
            ),
        ]
        for (request, code, text) in faults {
            let failure = await #expect(throws: WireFailure.self) {
                try await wire.call("UpdateWorkflowExecution", request, returning: Response.self)
            }
            #expect(failure?.code == code && failure?.message == text, "\(String(describing: failure))")
        }
    }

    @Test("A failed update-with-start says of each part what became of it")
    func multiOperation() async throws {
        let backend = ScriptedBackend(onStart: { _ in
            throw Rejection(.workflowAlreadyStarted(startRequestID: "r", run: ScriptedBackend.run), "it runs")
        })
        var start = Requests.start { _ in }
        start.workflowID = "w"
        start.workflowIDConflictPolicy = .fail
        var both = Temporal_Api_Workflowservice_V1_ExecuteMultiOperationRequest()
        both.namespace = "default"
        both.operations = [.with { $0.startWorkflow = start }, .with { $0.updateWorkflow = request() }]
        let asked = both
        let failure = try #require(
            await #expect(throws: WireFailure.self) {
                try await Wire(backend).call(
                    "ExecuteMultiOperation", asked,
                    returning: Temporal_Api_Workflowservice_V1_ExecuteMultiOperationResponse.self)
            })
        #expect(failure.code == .alreadyExists && failure.message == "Update-with-Start could not be executed.")
        let status = try Google_Rpc_Status(serializedBytes: failure.statusDetails)
        let detail = try Temporal_Api_Errordetails_V1_MultiOperationExecutionFailure(
            serializedBytes: try #require(status.details.first).value)
        #expect(detail.statuses.map(\.code) == [6, 10])
        #expect(detail.statuses.map(\.message) == ["it runs", "Operation was aborted."])
        #expect(detail.statuses[0].details[0].typeURL.hasSuffix("WorkflowExecutionAlreadyStartedFailure"))
        #expect(detail.statuses[1].details[0].typeURL.hasSuffix("MultiOperationExecutionAborted"))
    }

    @Test("The HTTP path takes plain values and shows them")
    func httpPath() async throws {
        let payloads = Temporal_Api_Common_V1_Payloads.with {
            $0.payloads = [
                .with {
                    $0.metadata["encoding"] = Data("json/plain".utf8)
                    $0.data = Data("7".utf8)
                }
            ]
        }
        let scripted = backend(ending: .outcome(UpdateOutcomeCodec.success(Blob(encoding: payloads))))
        let answer = await Web(scripted).ask(
            "POST", "/api/v1/namespaces/default/workflows/w/update/add",
            #"{"request":{"meta":{"updateId":"u"},"input":{"args":["milk"]}},"waitPolicy":{"lifecycleStage":"UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"}}"#
        )
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["outcome"]?["success"] == .array([7]))
        let asked = try #require(scripted.state.withLock { $0.updates.first })
        let message = try Temporal_Api_Update_V1_Request(serializedBytes: asked.update.request.bytes)
        #expect(message.input.name == "add" && asked.update.id == "u")
        let arguments = try Temporal_Api_Common_V1_Payloads(serializedBytes: message.input.args)
        #expect(arguments.payloads.map { String(decoding: $0.data, as: UTF8.self) } == ["\"milk\""])
    }
}
