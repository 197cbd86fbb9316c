import ArgumentParser
import SwiftProtobuf
import TemporalAPI

/// Which activity of which workflow a command means.
struct ActivityTargetArguments: ParsableArguments {
    @Option(name: [.customLong("workflow-id"), .customShort("w")], help: "Workflow id.")
    var workflowID: String
    @Option(name: [.customLong("run-id"), .customShort("r")], help: "Run id; the current run if not given.")
    var runID: String?
    @Option(name: [.customLong("activity-id"), .customShort("a")], help: "Activity id.")
    var activityID: String
    @Option(name: .long, help: "Who does this.")
    var identity: String = "aloft"

    var execution: Temporal_Api_Common_V1_WorkflowExecution {
        .with {
            $0.workflowID = workflowID
            $0.runID = runID ?? ""
        }
    }
}

struct CompleteActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "complete", abstract: "Complete an activity.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ActivityTargetArguments
    @Option(name: .long, help: "The result as JSON.")
    var result: String = "null"

    func run() async throws {
        _ = try JSONValue.parse(result, argument: "--result")
        let payloads = Temporal_Api_Common_V1_Payloads.with {
            $0.payloads = [
                .with {
                    $0.metadata = ["encoding": .init("json/plain".utf8)]
                    $0.data = .init(result.utf8)
                }
            ]
        }
        let bytes: [UInt8] = try payloads.serializedBytes()
        let request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedByIdRequest.with {
            $0.namespace = server.namespace
            $0.workflowID = target.workflowID
            $0.runID = target.runID ?? ""
            $0.activityID = target.activityID
            $0.identity = target.identity
            $0.result = .init(bytes)
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "RespondActivityTaskCompletedById", request,
                as: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedByIdResponse.self)
        }
        Terminal.line("activity \(target.activityID) completed")
    }
}

struct FailActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fail", abstract: "Fail an activity; it is not tried again.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ActivityTargetArguments
    @Option(name: .long, help: "Why.")
    var reason: String = "failed by an operator"

    func run() async throws {
        let failure = Temporal_Api_Failure_V1_Failure.with {
            $0.message = reason
            $0.source = "aloft"
            $0.applicationFailureInfo = .with { $0.nonRetryable = true }
        }
        let bytes: [UInt8] = try failure.serializedBytes()
        let request = Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdRequest.with {
            $0.namespace = server.namespace
            $0.workflowID = target.workflowID
            $0.runID = target.runID ?? ""
            $0.activityID = target.activityID
            $0.identity = target.identity
            $0.failure = .init(bytes)
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "RespondActivityTaskFailedById", request,
                as: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdResponse.self)
        }
        Terminal.line("activity \(target.activityID) failed")
    }
}

struct PauseActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let no further attempt of an activity begin.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ActivityTargetArguments
    @Option(name: .long, help: "Why.")
    var reason: String = ""

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_PauseActivityRequest.with {
            $0.namespace = server.namespace
            $0.execution = target.execution
            $0.id = target.activityID
            $0.identity = target.identity
            $0.reason = reason
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "PauseActivity", request, as: Temporal_Api_Workflowservice_V1_PauseActivityResponse.self)
        }
        Terminal.line("activity \(target.activityID) paused")
    }
}

struct UnpauseActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unpause", abstract: "Let a paused activity go on.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ActivityTargetArguments
    @Flag(name: .long, help: "Count attempts from 1 again.")
    var resetAttempts = false
    @Flag(name: .long, help: "Forget the details of the last heartbeat.")
    var resetHeartbeats = false

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_UnpauseActivityRequest.with {
            $0.namespace = server.namespace
            $0.execution = target.execution
            $0.id = target.activityID
            $0.identity = target.identity
            $0.resetAttempts = resetAttempts
            $0.resetHeartbeat = resetHeartbeats
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "UnpauseActivity", request, as: Temporal_Api_Workflowservice_V1_UnpauseActivityResponse.self)
        }
        Terminal.line("activity \(target.activityID) goes on")
    }
}

struct ResetActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Begin an activity again with attempt 1.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ActivityTargetArguments
    @Flag(name: .long, help: "Leave a paused activity paused.")
    var keepPaused = false
    @Flag(name: .long, help: "Forget the details of the last heartbeat.")
    var resetHeartbeats = false
    @Flag(name: .long, help: "Back to the options that it was scheduled with.")
    var restoreOriginalOptions = false

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_ResetActivityRequest.with {
            $0.namespace = server.namespace
            $0.execution = target.execution
            $0.id = target.activityID
            $0.identity = target.identity
            $0.keepPaused = keepPaused
            $0.resetHeartbeat = resetHeartbeats
            $0.restoreOriginalOptions = restoreOriginalOptions
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "ResetActivity", request, as: Temporal_Api_Workflowservice_V1_ResetActivityResponse.self)
        }
        Terminal.line("activity \(target.activityID) reset")
    }
}

struct UpdateActivityOptionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update-options", abstract: "Change the options of a pending activity.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ActivityTargetArguments
    @Option(name: [.customLong("task-queue"), .customShort("t")], help: "Where further attempts run.")
    var taskQueue: String?
    @Option(name: .long, help: "For example 30s.")
    var scheduleToCloseTimeout: SpanArgument?
    @Option(name: .long, help: "For example 30s.")
    var scheduleToStartTimeout: SpanArgument?
    @Option(name: .long, help: "For example 30s.")
    var startToCloseTimeout: SpanArgument?
    @Option(name: .long, help: "For example 30s.")
    var heartbeatTimeout: SpanArgument?
    @Option(name: .long, help: "0 is without limit.")
    var retryMaximumAttempts: Int32?
    @Flag(name: .long, help: "Back to the options that it was scheduled with.")
    var restoreOriginalOptions = false

    func run() async throws {
        var request = Temporal_Api_Workflowservice_V1_UpdateActivityOptionsRequest.with {
            $0.namespace = server.namespace
            $0.execution = target.execution
            $0.id = target.activityID
            $0.identity = target.identity
            $0.restoreOriginal = restoreOriginalOptions
        }
        if !restoreOriginalOptions { putOptions(&request) }
        let sent = request
        let response = try await server.withCalls { calls in
            try await calls.workflow(
                "UpdateActivityOptions", sent, as: Temporal_Api_Workflowservice_V1_UpdateActivityOptionsResponse.self)
        }
        let options = response.activityOptions
        Terminal.table([
            ["task queue", options.taskQueue.name],
            ["schedule to close", SpanArgument.text(options.scheduleToCloseTimeout)],
            ["schedule to start", SpanArgument.text(options.scheduleToStartTimeout)],
            ["start to close", SpanArgument.text(options.startToCloseTimeout)],
            ["heartbeat", SpanArgument.text(options.heartbeatTimeout)],
            ["maximum attempts", "\(options.retryPolicy.maximumAttempts)"],
        ])
    }

    private func putOptions(_ request: inout Temporal_Api_Workflowservice_V1_UpdateActivityOptionsRequest) {
        var paths: [String] = []
        var options = Temporal_Api_Activity_V1_ActivityOptions()
        func put<Value>(_ value: Value?, _ path: String, _ set: (Value) -> Void) {
            guard let value else { return }
            paths.append(path)
            set(value)
        }
        put(taskQueue, "task_queue.name") { options.taskQueue.name = $0 }
        put(scheduleToCloseTimeout, "schedule_to_close_timeout") { options.scheduleToCloseTimeout = $0.duration }
        put(scheduleToStartTimeout, "schedule_to_start_timeout") { options.scheduleToStartTimeout = $0.duration }
        put(startToCloseTimeout, "start_to_close_timeout") { options.startToCloseTimeout = $0.duration }
        put(heartbeatTimeout, "heartbeat_timeout") { options.heartbeatTimeout = $0.duration }
        put(retryMaximumAttempts, "retry_policy.maximum_attempts") { options.retryPolicy.maximumAttempts = $0 }
        request.activityOptions = options
        request.updateMask = .with { $0.paths = paths }
    }
}
