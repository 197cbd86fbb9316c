import Foundation
import Logging
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import Worker

private typealias Heartbeat = Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatRequest
private typealias HeartbeatAnswer = Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatResponse
private typealias Completed = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest
private typealias Failed = Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedRequest
private typealias Canceled = Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledRequest

/// Lets one task wait for another.
private final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    init() { (stream, continuation) = AsyncStream.makeStream() }
    func open() { continuation.finish() }
    func pass() async { for await _ in stream {} }
}

@Suite("Activities")
struct ActivityRunnerTests {
    private let server = ScriptedServer()
    private let clock = ManualClock()
    private let converter = DataConverter.default

    init() {
        for method in [
            "RespondActivityTaskCompleted", "RespondActivityTaskFailed", "RespondActivityTaskCanceled",
            "RecordActivityTaskHeartbeat",
        ] { server.on(method) { _ in [] } }
    }

    private func runner(
        _ activities: RegisteredActivity..., classifier: ActivityFailureClassifier? = nil
    ) -> ActivityRunner {
        ActivityRunner(
            executor: ActivityExecutor(
                activities: ActivityTypes(activities), converter: converter, interceptors: [], client: nil,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: clock),
            service: server.client().service, taskQueue: "q", classifier: classifier, clock: clock,
            draw: { backoff, attempt in backoff.bound(attempt: attempt) })
    }

    private func task(
        _ type: String, _ input: [any Encodable] = [], attempt: Int32 = 1, heartbeatTimeout: Int64 = 0,
        details: [any Encodable] = []
    ) throws -> ActivityRunner.Task {
        var task = ActivityRunner.Task()
        task.taskToken = Data([1, 2])
        task.workflowNamespace = "test"
        task.workflowExecution.workflowID = "w"
        task.workflowExecution.runID = "r"
        task.activityID = "5"
        task.activityType.name = type
        task.attempt = attempt
        task.input = Data(try converter.arguments(input))
        task.startToCloseTimeout.seconds = 600
        task.heartbeatTimeout.seconds = heartbeatTimeout
        if !details.isEmpty { task.heartbeatDetails = Data(try converter.arguments(details)) }
        return task
    }

    private func last<Request: Message>(_ method: String, as type: Request.Type) throws -> Request {
        try #require(server.calls(method).last).request(as: type)
    }

    @Test("A result is reported with the token of the attempt")
    func completes() async throws {
        let greet = RegisteredActivity("greet") { (name: String, context: ActivityContext) in
            "Hello, \(name) from \(context.info.workflowID)/\(context.info.activityID)"
        }
        await runner(greet).run(try task("greet", ["Ann"]), control: ActivityControl())
        let report = try last("RespondActivityTaskCompleted", as: Completed.self)
        #expect(report.taskToken == Data([1, 2]))
        #expect(try converter.value(String.self, fromWire: report.result) == "Hello, Ann from w/5")
    }

    @Test("An activity type knows its name, its types and its context")
    func typed() async throws {
        struct Double: ActivityDefinition {
            func run(_ input: Int, _ context: ActivityContext) async throws -> Int {
                ActivityContext.current?.info.activityType == "Double" ? input * 2 : 0
            }
        }
        await runner(RegisteredActivity(Double())).run(try task("Double", [21]), control: ActivityControl())
        #expect(
            try converter.value(Int.self, fromWire: last("RespondActivityTaskCompleted", as: Completed.self).result)
                == 42)
    }

    @Test("An error is reported as a failure; an own back-off adds the pause")
    func fails() async throws {
        struct Flaky: Error {}
        let flaky = RegisteredActivity("flaky", retryBackoff: RetryBackoff(base: .seconds(1), cap: .seconds(60))) {
            (_: NoValue, _) -> NoValue in throw Flaky()
        }
        await runner(flaky).run(try task("flaky", attempt: 3), control: ActivityControl())
        let report = try last("RespondActivityTaskFailed", as: Failed.self)
        let failure = try #require(converter.error(fromFailure: report.failure) as? ApplicationFailure)
        #expect(failure.type == "Flaky")
        #expect(failure.nextRetryDelay == .seconds(4))
    }

    @Test("A classifier gives an error its class, and a permanent failure gets no pause")
    func classifies() async throws {
        struct Declined: Error {}
        let pay = RegisteredActivity("pay", retryBackoff: RetryBackoff(base: .seconds(1), cap: .seconds(60))) {
            (_: NoValue, _) -> NoValue in throw Declined()
        }
        let classifier: ActivityFailureClassifier = { error, _ in
            error is Declined ? ApplicationFailure("declined", type: "Permanent", isNonRetryable: true) : nil
        }
        await runner(pay, classifier: classifier).run(try task("pay"), control: ActivityControl())
        let report = try last("RespondActivityTaskFailed", as: Failed.self)
        let failure = try #require(converter.error(fromFailure: report.failure) as? ApplicationFailure)
        #expect(failure.isNonRetryable)
        #expect(failure.nextRetryDelay == nil)
    }

    @Test("An unknown type and a wrong argument fail with what was expected")
    func badTasks() async throws {
        let greet = RegisteredActivity("greet") { (name: String, _) in name }
        await runner(greet).run(try task("grett"), control: ActivityControl())
        var failure = converter.error(fromFailure: try last("RespondActivityTaskFailed", as: Failed.self).failure)
        #expect(failure.message == "activity grett is not registered, only: greet")
        await runner(greet).run(try task("greet", [3]), control: ActivityControl())
        failure = converter.error(fromFailure: try last("RespondActivityTaskFailed", as: Failed.self).failure)
        #expect((failure as? ApplicationFailure)?.isNonRetryable == true)
    }

    @Test("Heartbeats go out at once, then once in 0.8 of the timeout with the newest details")
    func throttles() async throws {
        let gate = Gate()
        let reported = Gate()
        let busy = RegisteredActivity("busy") { [server, clock] (_: NoValue, context: ActivityContext) -> NoValue in
            context.heartbeat(1)
            await server.wait(for: "RecordActivityTaskHeartbeat", count: 1)
            await clock.waitForSleepers(2)
            for count in 2...50 { context.heartbeat(count) }
            reported.open()
            await gate.pass()
            return NoValue()
        }
        let runner = runner(busy)
        let task = try task("busy", heartbeatTimeout: 10)
        async let run: Void = runner.run(task, control: ActivityControl())
        await reported.pass()
        #expect(server.calls("RecordActivityTaskHeartbeat").count == 1)
        clock.advance(by: .milliseconds(7999))
        #expect(server.calls("RecordActivityTaskHeartbeat").count == 1)
        clock.advance(by: .milliseconds(1))
        await server.wait(for: "RecordActivityTaskHeartbeat", count: 2)
        gate.open()
        await run
        let details = try server.calls("RecordActivityTaskHeartbeat").map {
            try converter.value(Int.self, fromWire: $0.request(as: Heartbeat.self).details)
        }
        #expect(details == [1, 50])
    }

    @Test("The interval is 0.8 of the timeout, 30 s without one, a minute at most")
    func interval() {
        #expect(ActivityRunner.heartbeatInterval(.seconds(10)) == .seconds(8))
        #expect(ActivityRunner.heartbeatInterval(nil) == .seconds(30))
        #expect(ActivityRunner.heartbeatInterval(.seconds(600)) == .seconds(60))
    }

    /// Runs an activity that heartbeats and then waits until it is cancelled.
    private func runUntilCancelled(_ answer: HeartbeatAnswer) async throws -> ActivityStopReason? {
        server.on("RecordActivityTaskHeartbeat") { (_: Heartbeat) in answer }
        let control = ActivityControl()
        let wait = RegisteredActivity("wait") { (_: NoValue, context: ActivityContext) -> NoValue in
            context.heartbeat("here")
            do {
                try await ContinuousClock().sleep(for: .seconds(3600))
            } catch {
                try context.checkCancellation()
            }
            return NoValue()
        }
        await runner(wait).run(try task("wait"), control: control)
        return control.cancellation
    }

    @Test("A cancellation in the heartbeat's answer cancels the task and is reported")
    func cancels() async throws {
        var answer = HeartbeatAnswer()
        answer.cancelRequested = true
        #expect(try await runUntilCancelled(answer) == .requested)
        #expect(try last("RespondActivityTaskCanceled", as: Canceled.self).taskToken == Data([1, 2]))
    }

    @Test("A pause stops the attempt with a retryable failure and its newest details")
    func pauses() async throws {
        var answer = HeartbeatAnswer()
        answer.activityPaused = true
        #expect(try await runUntilCancelled(answer) == .paused)
        let report = try last("RespondActivityTaskFailed", as: Failed.self)
        #expect((converter.error(fromFailure: report.failure) as? ApplicationFailure)?.type == "ActivityPause")
        #expect(try converter.value(String.self, fromWire: report.lastHeartbeatDetails) == "here")
    }

    @Test("A time limit cancels the attempt, and nobody is told: the server knows")
    func timesOut() async throws {
        let control = ActivityControl()
        let wait = RegisteredActivity("wait") { (_: NoValue, _: ActivityContext) -> NoValue in
            try await ContinuousClock().sleep(for: .seconds(3600))
            return NoValue()
        }
        let (runner, task) = (runner(wait), try task("wait"))
        async let run: Void = runner.run(task, control: control)
        await clock.waitForSleepers()
        clock.advance(by: .seconds(600))
        await run
        #expect(control.cancellation == .timedOut)
        #expect(server.calls("RespondActivityTaskFailed").isEmpty)
        #expect(server.calls("RespondActivityTaskCanceled").isEmpty)
    }

    @Test("An attempt reads what the one before reported")
    func previousDetails() async throws {
        let resume = RegisteredActivity("resume") { (_: NoValue, context: ActivityContext) in
            (try context.heartbeatDetails(Int.self) ?? 0) + (try context.heartbeatDetails(Int.self, at: 1) ?? 100)
        }
        await runner(resume).run(try task("resume", attempt: 2, details: [7]), control: ActivityControl())
        let report = try last("RespondActivityTaskCompleted", as: Completed.self)
        #expect(try converter.value(Int.self, fromWire: report.result) == 107)
    }

    @Test("An activity that completes later reports nothing")
    func later() async throws {
        let later = RegisteredActivity("later") { (_: NoValue, _) -> NoValue in throw ActivityCompletesLater() }
        await runner(later).run(try task("later"), control: ActivityControl())
        #expect(server.calls("RespondActivityTaskCompleted").isEmpty)
        #expect(server.calls("RespondActivityTaskFailed").isEmpty)
    }

    @Test("The time allowed is the smaller of the attempt's and what is left of the whole")
    func timeAllowed() throws {
        var task = try task("x")
        task.scheduleToCloseTimeout.seconds = 100
        task.scheduledTime.seconds = 1000
        task.startedTime.seconds = 1060
        #expect(ActivityInfo(task, taskQueue: "q").timeAllowed == .seconds(40))
        task.startToCloseTimeout.seconds = 30
        #expect(ActivityInfo(task, taskQueue: "q").timeAllowed == .seconds(30))
    }
}
