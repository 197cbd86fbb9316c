import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@Suite("What the wire service answers")
struct WireServiceTests {
    @Test("A start gets its defaults at the edge")
    func startDefaults() async throws {
        let backend = ScriptedBackend()
        let answer = try await Wire(backend).call(
            "StartWorkflowExecution",
            Requests.start {
                $0.workflowTaskTimeout.seconds = 600
                $0.workflowExecutionTimeout.seconds = 60
                $0.retryPolicy = .init()
                $0.workflowIDReusePolicy = .terminateIfRunning
            }, returning: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse.self)
        let start = try #require(backend.state.withLock { $0.starts.first })
        #expect(answer.started && answer.status == .running && UUIDs.isValid(answer.runID))
        #expect(answer.firstExecutionRunID == answer.runID)
        #expect(start.attributes.taskQueue.kind == .normal)
        #expect(start.attributes.workflowTaskTimeout == .seconds(60))
        #expect(start.attributes.workflowRunTimeout == .seconds(60))
        #expect(start.attributes.retryPolicy?.maximumInterval == .seconds(100))
        #expect(UUIDs.isValid(start.requestID.value))
        #expect(start.conflictPolicy == .terminateExisting && start.reusePolicy == .allowDuplicate)
    }

    @Test("A poll ends a second before its caller's patience and answers empty")
    func emptyPoll() async throws {
        let backend = ScriptedBackend()
        let before = SystemTime.now()
        let answer = try await Wire(backend).call(
            "PollWorkflowTaskQueue", Requests.poll(),
            returning: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse.self, seconds: 5)
        #expect(answer.taskToken.isEmpty)
        let poll = try #require(backend.state.withLock { $0.polls.first })
        let allowed = poll.deadline.since(before)
        #expect(allowed >= .seconds(4) && allowed < .seconds(5))
    }

    @Test("A polled task has everything that SDKs insist on")
    func polledTask() async throws {
        let key = RunKey(namespace: ScriptedBackend.defaultNamespace.id, workflow: "w", run: ScriptedBackend.run)
        let token = WorkflowTaskToken(
            run: key, scheduledEventID: EventID(2), startedEventID: EventID(3), attempt: 1, requestID: "r")
        let backend = ScriptedBackend(onPollWorkflow: { _ in
            PolledWorkflowTask(
                work: .task(token), run: key, workflowType: "Hello", taskQueue: "hello", history: [[1], [2]],
                nextEvent: EventID(3), lastEvent: EventID(3), previousStartedEventID: .none, startedEventID: EventID(3),
                attempt: 1,
                scheduledTime: Timestamp(nanoseconds: 5), startedTime: Timestamp(nanoseconds: 6),
                queries: [("q1", QueryRequest(type: "progress", arguments: nil, header: nil))])
        })
        let wire = Wire(backend)
        let task = try await wire.call(
            "PollWorkflowTaskQueue", Requests.poll(),
            returning: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse.self)
        #expect(try TaskTokenCodec.decodeWorkflowTask([UInt8](task.taskToken)) == token)
        #expect(task.hasWorkflowExecution && task.hasWorkflowType && task.hasHistory)
        #expect(task.workflowExecutionTaskQueue.name == "hello" && task.workflowExecutionTaskQueue.kind == .normal)
        #expect(task.history.events.count == 2 && task.startedEventID == 3)
        #expect(task.queries["q1"]?.queryType == "progress")
        // The rest of the history is asked for with the token, in the same run and up to the started event.
        let request = Requests.history { $0.nextPageToken = task.nextPageToken }
        _ = try await wire.call(
            "GetWorkflowExecutionHistory", request,
            returning: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse.self)
        let asked = try #require(backend.state.withLock { $0.histories.first })
        #expect(asked.target.run == key.run && asked.first == EventID(3) && asked.last == EventID(3))
    }

    @Test("The capabilities promise only what is there")
    func systemInfo() async throws {
        let info = try await Wire(ScriptedBackend()).call(
            "GetSystemInfo", Google_Protobuf_Empty(),
            returning: Temporal_Api_Workflowservice_V1_GetSystemInfoResponse.self)
        #expect(!info.serverVersion.isEmpty)
        #expect(info.capabilities.sdkMetadata && info.capabilities.activityFailureIncludeHeartbeat)
        #expect(info.capabilities.supportsSchedules)
    }

    @Test("Namespaces are registered once, described by name and id, and updated")
    func namespaces() async throws {
        let wire = Wire(ScriptedBackend())
        let register = Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest.with {
            $0.namespace = "other"
            $0.workflowExecutionRetentionPeriod.seconds = 86_400
        }
        _ = try await wire.call(
            "RegisterNamespace", register, returning: Temporal_Api_Workflowservice_V1_RegisterNamespaceResponse.self)
        let again = try await wire.failure("RegisterNamespace", register)
        #expect(again.code == .alreadyExists && again.message == "Namespace \"other\" already exists")
        typealias Described = Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse
        let byName = try await wire.call(
            "DescribeNamespace",
            Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest.with { $0.namespace = "other" },
            returning: Described.self)
        let byID = try await wire.call(
            "DescribeNamespace",
            Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest.with { $0.id = byName.namespaceInfo.id },
            returning: Described.self)
        #expect(byName == byID)
        #expect(byName.namespaceInfo.state == .registered)
        #expect(byName.config.workflowExecutionRetentionTtl.seconds == 86_400)
        let missing = try await wire.failure(
            "RegisterNamespace", register.with { $0.clearWorkflowExecutionRetentionPeriod() })
        #expect(missing.code == .invalidArgument)
    }

    @Test("An oversize result fails the activity for good instead of coming back for ever")
    func oversizeResult() async throws {
        let backend = ScriptedBackend()
        let key = RunKey(namespace: ScriptedBackend.defaultNamespace.id, workflow: "w", run: ScriptedBackend.run)
        let token = ActivityTaskToken(run: key, scheduledEventID: EventID(5), activityID: "a", attempt: 1, stamp: 1)
        let request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest.with {
            $0.taskToken = Data(TaskTokenCodec.encode(token))
            $0.result = Data(count: (2 << 20) + 1)
        }
        _ = try await Wire(backend).call(
            "RespondActivityTaskCompleted", request,
            returning: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedResponse.self)
        let failure = try #require(backend.state.withLock { $0.activityFailures.first })
        #expect(failure == .server(message: "Complete result exceeds size limit.", nonRetryable: true))
    }

    @Test("Lists are parsed into what the store can look up")
    func lists() async throws {
        let backend = ScriptedBackend(runs: [
            ScriptedBackend.summary("a"), ScriptedBackend.summary("b", run: RunID(UUIDs.random())),
        ])
        let wire = Wire(backend)
        let request = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest.with {
            $0.namespace = "default"
            $0.query = "WorkflowType = \"Hello\" and `ExecutionStatus` = Running"
            $0.pageSize = 1
        }
        let refused = try await wire.failure("ListWorkflowExecutions", request)
        #expect(refused.message.contains("did you forget to quote 'Running'?"))
        let quoted = request.with { $0.query = "WorkflowType = \"Hello\" and `ExecutionStatus` = 'Running'" }
        typealias Page = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsResponse
        let first = try await wire.call("ListWorkflowExecutions", quoted, returning: Page.self)
        let second = try await wire.call(
            "ListWorkflowExecutions", quoted.with { $0.nextPageToken = first.nextPageToken }, returning: Page.self)
        #expect(first.executions.map(\.execution.workflowID) == ["a"])
        #expect(second.executions.map(\.execution.workflowID) == ["b"])
        let asked = try #require(backend.state.withLock { $0.lists.last })
        #expect(asked.workflowType == "Hello" && asked.status == .running && asked.after?.key.workflow == "a")
    }

    @Test("Signal-with-start uses the running workflow unless told otherwise, and refuses FAIL")
    func signalWithStart() async throws {
        let backend = ScriptedBackend()
        let wire = Wire(backend)
        let request = Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest.with {
            $0.namespace = "default"
            $0.workflowID = "w"
            $0.workflowType.name = "Hello"
            $0.taskQueue.name = "hello"
            $0.signalName = "go"
        }
        _ = try await wire.call(
            "SignalWithStartWorkflowExecution", request,
            returning: Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionResponse.self)
        let start = try #require(backend.state.withLock { $0.starts.first })
        #expect(start.conflictPolicy == .useExisting && start.signal?.signalName == "go")
        let refused = try await wire.failure(
            "SignalWithStartWorkflowExecution", request.with { $0.workflowIDConflictPolicy = .fail })
        #expect(refused.code == .invalidArgument)
    }
}

extension Message {
    func with(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }
}
