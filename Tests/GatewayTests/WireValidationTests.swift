import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import Testing

@Suite("What the wire service refuses")
struct WireValidationTests {
    typealias Start = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest

    struct BadStart: Sendable, CustomTestStringConvertible {
        let message: String
        let change: @Sendable (inout Start) -> Void
        var testDescription: String { message }
    }

    static let badStarts: [BadStart] = [
        BadStart(message: "Namespace is empty.") { $0.namespace = "" },
        BadStart(message: "WorkflowId is not set on request.") { $0.workflowID = "" },
        BadStart(message: "WorkflowId length exceeds limit.") { $0.workflowID = String(repeating: "x", count: 1001) },
        BadStart(message: "WorkflowType is not set on request.") { $0.clearWorkflowType() },
        BadStart(message: "taskQueue is not set") { $0.clearTaskQueue() },
        BadStart(message: "task queue name cannot start with reserved prefix /_sys/") { $0.taskQueue.name = "/_sys/x" },
        BadStart(message: "Blob data size exceeds limit.") { $0.input = Data(count: (2 << 20) + 1) },
        BadStart(message: "MaximumAttempts cannot be negative on retry policy.") {
            $0.retryPolicy.maximumAttempts = -1
        },
        BadStart(message: "BackoffCoefficient cannot be less than 1 on retry policy.") {
            $0.retryPolicy.backoffCoefficient = 0.5
        },
        BadStart(message: "Invalid WorkflowRunTimeoutSeconds.") { $0.workflowRunTimeout.seconds = -1 },
        BadStart(
            message:
                "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together "
                + "with a WorkflowIDConflictPolicy"
        ) {
            $0.workflowIDReusePolicy = .terminateIfRunning
            $0.workflowIDConflictPolicy = .fail
        },
        BadStart(
            message:
                "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with "
                + "WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"
        ) {
            $0.workflowIDReusePolicy = .rejectDuplicate
            $0.workflowIDConflictPolicy = .terminateExisting
        },
        BadStart(message: "Namespace default has no mapping defined for search attribute Color") {
            let attributes = Temporal_Api_Common_V1_SearchAttributes.with { $0.indexedFields["Color"] = .init() }
            $0.searchAttributes = (try? attributes.serializedData()) ?? Data()
        },
    ]

    @Test("A bad start gets its documented text and starts nothing", arguments: badStarts)
    func badStart(_ bad: BadStart) async throws {
        let backend = ScriptedBackend()
        let failure = try await Wire(backend).failure("StartWorkflowExecution", Requests.start(bad.change))
        #expect(failure.code == .invalidArgument)
        #expect(failure.message == bad.message)
        #expect(backend.state.withLock { $0.starts.isEmpty })
    }

    @Test("An unknown namespace is named in the detail")
    func unknownNamespace() async throws {
        let failure = try await Wire(ScriptedBackend()).failure(
            "StartWorkflowExecution", Requests.start { $0.namespace = "nowhere" })
        #expect(failure.code == .notFound)
        #expect(failure.message == "Namespace nowhere is not found.")
        let status = try Google_Rpc_Status(serializedBytes: failure.statusDetails)
        #expect(status.code == 5)
        let detail = try Temporal_Api_Errordetails_V1_NamespaceNotFoundFailure(serializedBytes: status.details[0].value)
        #expect(detail.namespace == "nowhere")
        #expect(
            status.details[0].typeURL == "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure")
    }

    @Test("A method that is not served is UNIMPLEMENTED with the text clients look for")
    func unknownMethod() async throws {
        let failure = try await Wire(ScriptedBackend()).failure("CreateWorkflowRule", Google_Protobuf_Empty())
        #expect(failure.code == .unimplemented)
        #expect(
            failure.message
                == "unknown method CreateWorkflowRule for service temporal.api.workflowservice.v1.WorkflowService")
    }

    @Test("A request that is no message, and one that is too large, are refused")
    func garbage() async throws {
        let service = WireService(backend: ScriptedBackend())
        let method = WireMethod(name: "StartWorkflowExecution")
        let torn = await service.handle(WireCall(method: method, request: [0x0A, 0xFF, 0x01]))
        guard case .failure(let failure) = torn else { throw UnexpectedSuccess() }
        #expect(failure.code == .invalidArgument)
        let large = await service.handle(
            WireCall(
                method: method, request: [UInt8](repeating: 0, count: (4 << 20) + 1),
                metadata: [("grpc-encoding", "gzip")]))
        guard case .failure(let tooLarge) = large else { throw UnexpectedSuccess() }
        #expect(tooLarge.code == .resourceExhausted)
        #expect(tooLarge.message == "grpc: received message after decompression larger than max 4194304")
    }

    @Test(
        "Task tokens are checked before anything else",
        arguments: [
            ("", "Task token not set on request."), ("nonsense", "Error deserializing task token."),
        ])
    func tokens(_ token: String, _ message: String) async throws {
        let wire = Wire(ScriptedBackend())
        let completed = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest.with {
            $0.taskToken = Data(token.utf8)
        }
        let activity = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest.with {
            $0.taskToken = Data(token.utf8)
        }
        for failure in [
            try await wire.failure("RespondWorkflowTaskCompleted", completed),
            try await wire.failure("RespondActivityTaskCompleted", activity),
        ] {
            #expect(failure.code == .invalidArgument)
            #expect(failure.message == message)
        }
    }

    @Test("Run ids must be UUIDs, executions must be set")
    func executions() async throws {
        let wire = Wire(ScriptedBackend())
        let badRun = try await wire.failure(
            "GetWorkflowExecutionHistory", Requests.history { $0.execution.runID = "x" })
        #expect(badRun.message == "Invalid RunId.")
        let unset = Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionRequest.with { $0.namespace = "default" }
        #expect(
            try await wire.failure("DescribeWorkflowExecution", unset).message == "Execution is not set on request.")
        let signal = Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionRequest.with {
            $0.namespace = "default"
            $0.workflowExecution.workflowID = "w"
        }
        #expect(
            try await wire.failure("SignalWorkflowExecution", signal).message == "SignalName is not set on request.")
    }

    @Test("A poll with less than two seconds left is refused at once")
    func shortPoll() async throws {
        let failure = try await Wire(ScriptedBackend()).failure("PollWorkflowTaskQueue", Requests.poll(), seconds: 1)
        #expect(failure.code == .failedPrecondition)
        #expect(failure.message == "Context timeout is too short.")
    }

    @Test(
        "List queries that cannot be answered say what can",
        arguments: [
            ("Nope = 'x'", "invalid query: invalid expression: column name 'Nope' is not a valid search attribute"),
            ("ExecutionStatus = 'Nope'", "invalid query: invalid expression: invalid ExecutionStatus value 'Nope'"),
            ("WorkflowId = 'x", "invalid query: malformed SQL query: syntax error at position 41"),
        ])
    func badQueries(_ query: String, _ message: String) async throws {
        let request = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest.with {
            $0.namespace = "default"
            $0.query = query
        }
        let failure = try await Wire(ScriptedBackend()).failure("ListWorkflowExecutions", request)
        #expect(failure.code == .invalidArgument)
        #expect(failure.message == message)
    }
}
