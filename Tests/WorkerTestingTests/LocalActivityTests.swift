import Foundation
import History
import Logging
import TemporalCodec
import Testing
import Worker
import WorkerTesting

@Suite("Local activities", .timeLimit(.minutes(5)))
struct LocalActivityTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func run(
        _ input: Local.Input = Local.Input(), taskTimeout: Duration? = nil, activities: [RegisteredActivity]
    ) async throws -> (result: Result<String, any Error>, history: WorkflowHistory) {
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Local.self)], activities: activities
            ) {
                let handle = try await environment.client.start(
                    Local.self, input,
                    options: StartOptions(id: "l", taskQueue: environment.taskQueue, taskTimeout: taskTimeout))
                let result: Result<String, any Error>
                do { result = .success(try await handle.result()) } catch { result = .failure(error) }
                return (result, try await handle.fetchHistory())
            }
        }
    }

    private func kinds(_ history: WorkflowHistory) throws -> [String] {
        try history.events.map { try EventCodec.decode($0).kind.typeName }
    }

    private func checkReplay(_ history: WorkflowHistory) throws {
        let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Local.self)], log: Self.quiet).replay(history)
        #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
    }

    @Test("Its result is a marker in the one workflow task, and replays without running again")
    func completes() async throws {
        let calls = Calls()
        let (result, history) = try await run(activities: [
            RegisteredActivity("local") { (value: String, context: ActivityContext) in
                calls.next()
                return "\(value) \(context.info.isLocal) \(context.info.attempt)"
            }
        ])
        #expect(try result.get() == "x true 1")
        #expect(
            try kinds(history) == [
                "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
                "MarkerRecorded", "WorkflowExecutionCompleted",
            ])
        try checkReplay(history)
        #expect(calls.count == 1)
    }

    @Test("The marker has the form that Temporal's SDKs write")
    func markerForm() async throws {
        let (_, history) = try await run(activities: [RegisteredActivity("local") { (value: String, _) in value }])
        guard case .markerRecorded(let marker) = try EventCodec.decode(history.events[4]).kind else {
            Issue.record("no marker")
            return
        }
        #expect(marker.markerName == "core_local_activity")
        #expect(marker.details.map(\.name) == ["data", "result"])
        let payload = try #require(Payload.list(wire: marker.details[0].value.bytes).first)
        let data = try #require(JSONSerialization.jsonObject(with: Data(payload.data)) as? [String: Any])
        #expect(data["seq"] as? Int == 1)
        #expect(data["attempt"] as? Int == 1)
        #expect(data["activity_id"] as? String == "1")
        #expect(data["activity_type"] as? String == "local")
        #expect((data["complete_time"] as? [String: Any])?["seconds"] != nil)
    }

    @Test("It is tried again inside the workflow task after short pauses")
    func retries() async throws {
        let calls = Calls()
        let (result, history) = try await run(activities: [
            RegisteredActivity("local") { (value: String, context: ActivityContext) -> String in
                guard calls.next() == 3 else { throw ApplicationFailure("again") }
                return "\(context.info.attempt)"
            }
        ])
        #expect(try result.get() == "3")
        #expect(try kinds(history).filter { $0 == "MarkerRecorded" }.count == 1)
        try checkReplay(history)
    }

    @Test("A pause longer than the threshold is a durable timer between two markers")
    func longBackoff() async throws {
        let calls = Calls()
        let (result, history) = try await run(
            Local.Input(initialInterval: 3600, threshold: 1),
            activities: [
                RegisteredActivity("local") { (value: String, context: ActivityContext) -> String in
                    guard calls.next() == 3 else { throw ApplicationFailure("again") }
                    return "\(context.info.attempt)"
                }
            ])
        #expect(try result.get() == "3")
        let found = try kinds(history).filter { $0.hasPrefix("Marker") || $0.hasPrefix("Timer") }
        #expect(
            found == [
                "MarkerRecorded", "TimerStarted", "TimerFired", "MarkerRecorded", "TimerStarted", "TimerFired",
                "MarkerRecorded",
            ])
        try checkReplay(history)
    }

    @Test("What fails for good fails the caller with its cause")
    func fails() async throws {
        let (result, history) = try await run(
            Local.Input(maximumAttempts: 2),
            activities: [
                RegisteredActivity("local") { (_: String, _) -> String in
                    throw ApplicationFailure("never", type: "Never")
                }
            ])
        let failure = #expect(throws: WorkflowFailed.self) { try result.get() }
        let activity = failure?.cause as? ActivityFailure
        #expect((activity?.cause as? ApplicationFailure)?.type == "Never")
        try checkReplay(history)
    }

    @Test("One that outlasts the workflow task keeps it alive with answers in between")
    func heartbeat() async throws {
        let (result, history) = try await run(
            taskTimeout: .seconds(1),
            activities: [
                RegisteredActivity("local") { (value: String, _) -> String in
                    try await Task.sleep(for: .milliseconds(1800))
                    return value
                }
            ])
        #expect(try result.get() == "x")
        let found = try kinds(history)
        #expect(found.filter { $0 == "WorkflowTaskCompleted" }.count >= 2)
        #expect(found.filter { $0 == "WorkflowTaskTimedOut" }.isEmpty)
        try checkReplay(history)
    }

    @Test("Several at once and a signal in between replay in the order of the history")
    func several() async throws {
        final class Many: WorkflowDefinition {
            private var log: [String] = []
            func run(_ count: Int, _ context: WorkflowContext) async throws -> [String] {
                try await withThrowingTaskGroup(of: String.self) { group in
                    for index in 0..<count {
                        group.addTask {
                            let first: String = try await context.executeLocalActivity(
                                "local", index, options: LocalActivityOptions(startToCloseTimeout: .seconds(5)))
                            return try await context.executeActivity(
                                "remote", first, options: ActivityOptions(startToCloseTimeout: .seconds(5)))
                        }
                    }
                    for try await line in group { log.append(line) }
                }
                return log.sorted()
            }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Many.self)],
                activities: [
                    RegisteredActivity("local") { (index: Int, _) in "\(index)" },
                    RegisteredActivity("remote") { (text: String, _) in text + "!" },
                ]
            ) {
                let handle = try await environment.client.start(
                    Many.self, 20, options: StartOptions(id: "m", taskQueue: environment.taskQueue))
                #expect(try await handle.result() == (0..<20).map { "\($0)!" }.sorted())
                let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Many.self)], log: Self.quiet).replay(
                    try await handle.fetchHistory())
                #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
            }
        }
    }

    @Test("A cancelled one learns it, and the workflow goes on at once")
    func cancels() async throws {
        final class Stops: WorkflowDefinition {
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
                let scope = context.cancellationScope()
                async let outcome: String = scope.run {
                    do {
                        return try await context.executeLocalActivity(
                            "endless", NoValue(), options: LocalActivityOptions(startToCloseTimeout: .seconds(600)))
                    } catch {
                        return error.isCancellation ? "canceled" : "\(error)"
                    }
                }
                let first: String = try await context.executeLocalActivity(
                    "quick", NoValue(), options: LocalActivityOptions(startToCloseTimeout: .seconds(5)))
                scope.cancel()
                return try await first + " " + outcome
            }
        }
        let journal = Journal()
        try await TestEnvironment.run { environment in
            let endless = RegisteredActivity("endless") { (_: NoValue, context: ActivityContext) -> String in
                do { try await Task.sleep(for: .seconds(600)) } catch {
                    journal.add("\(context.cancellation == .requested)")
                }
                throw CancellationError()
            }
            let quick = RegisteredActivity("quick") { (_: NoValue, _) in "quick" }
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Stops.self)], activities: [endless, quick]
            ) {
                let handle = try await environment.client.start(
                    Stops.self, NoValue(), options: StartOptions(id: "c", taskQueue: environment.taskQueue))
                #expect(try await handle.result() == "quick canceled")
                let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Stops.self)], log: Self.quiet).replay(
                    try await handle.fetchHistory())
                #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
            }
        }
        #expect(journal.lines == ["true"])
    }
}
