import Foundation
import Testing
import Worker
import WorkerTesting

@Suite("A test environment lets time go by", .timeLimit(.minutes(5)))
struct TimeSkippingTests {
    @Test("A year of monthly renewals passes in a moment, with the right times")
    func renewals() async throws {
        let calls = Calls()
        try await TestEnvironment.run { environment in
            let begin = environment.now
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Subscription.self)],
                activities: [RegisteredActivity("charge") { (_: String, _) in calls.next() }]
            ) {
                let result = try await environment.client.execute(
                    Subscription.self, 12, options: StartOptions(id: "s", taskQueue: environment.taskQueue))
                #expect(result == "basic × 12")
            }
            #expect(calls.count == 12)
            let days = environment.now.timeIntervalSince(begin) / 86_400
            #expect(days >= 360 && days < 361)
        }
    }

    @Test("Signals and queries find the workflow where the clock stands still")
    func signals() async throws {
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Subscription.self)],
                activities: [RegisteredActivity("charge") { (_: String, _) in NoValue() }]
            ) {
                let handle = try await environment.client.start(
                    Subscription.self, 2, options: StartOptions(id: "s", taskQueue: environment.taskQueue))
                #expect(try await handle.query("renewals", returning: Int.self) == 0)
                try await environment.sleep(for: .seconds(31 * 24 * 3600))
                #expect(try await handle.query("renewals", returning: Int.self) == 1)
                try await handle.signal("plan", "gold")
                #expect(try await handle.result() == "gold × 2")
            }
        }
    }

    @Test("A cancelled workflow does not wait for its timer")
    func cancellation() async throws {
        try await TestEnvironment.run { environment in
            let begin = environment.now
            try await environment.withWorker(workflows: [RegisteredWorkflow(Subscription.self)]) {
                let handle = try await environment.client.start(
                    Subscription.self, 1, options: StartOptions(id: "s", taskQueue: environment.taskQueue))
                #expect(try await handle.query("renewals", returning: Int.self) == 0)
                try await handle.cancel()
                await #expect(throws: WorkflowFailed.self) { try await handle.result() }
            }
            #expect(environment.now.timeIntervalSince(begin) < 60)
        }
    }

    @Test("The pauses between the attempts of an activity are skipped, those of a start delay too")
    func retries() async throws {
        final class Stubborn: WorkflowDefinition {
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> Int {
                try await context.executeActivity(
                    "fails", NoValue(),
                    options: ActivityOptions(
                        startToCloseTimeout: .seconds(10),
                        retryPolicy: RetryPolicy(initialInterval: .seconds(3600), maximumAttempts: 5)))
            }
        }
        let calls = Calls()
        try await TestEnvironment.run { environment in
            let begin = environment.now
            let fails = RegisteredActivity("fails") { (_: NoValue, context: ActivityContext) -> Int in
                guard calls.next() == 4 else { throw ApplicationFailure("not yet") }
                return context.info.attempt
            }
            try await environment.withWorker(workflows: [RegisteredWorkflow(Stubborn.self)], activities: [fails]) {
                let result = try await environment.client.execute(
                    Stubborn.self, NoValue(),
                    options: StartOptions(
                        id: "r", taskQueue: environment.taskQueue, startDelay: .seconds(24 * 3600)))
                #expect(result == 4)
            }
            // A day of delay, and 1 + 2 + 4 hours.
            let hours = environment.now.timeIntervalSince(begin) / 3600
            #expect(hours >= 31 && hours < 31.1)
        }
    }

    @Test("Time does not move while an activity runs, nor without anybody who waits")
    func activitiesHoldTime() async throws {
        final class Racing: WorkflowDefinition {
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
                async let work: String = context.executeActivity(
                    "works", NoValue(), options: ActivityOptions(startToCloseTimeout: .seconds(3600)))
                try await context.sleep(for: .seconds(60))
                return try await work
            }
        }
        let journal = Journal()
        try await TestEnvironment.run { environment in
            let begin = environment.now
            let (gate, open) = AsyncStream<Void>.makeStream()
            let works = RegisteredActivity("works") { (_: NoValue, _) -> String in
                journal.add("begins")
                for await _ in gate { break }
                journal.add("\(environment.now.timeIntervalSince(begin) < 1)")
                return "done"
            }
            try await environment.withWorker(workflows: [RegisteredWorkflow(Racing.self)], activities: [works]) {
                let handle = try await environment.client.start(
                    Racing.self, NoValue(), options: StartOptions(id: "a", taskQueue: environment.taskQueue))
                async let result = handle.result()
                while journal.lines.isEmpty { await Task.yield() }
                open.yield()
                #expect(try await result == "done")
            }
            #expect(journal.lines == ["begins", "true"])
            #expect(environment.now.timeIntervalSince(begin) >= 60)
        }
    }

    @Test("An activity that another completes later lets time go by")
    func completesLater() async throws {
        final class Waits: WorkflowDefinition {
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
                try await context.executeActivity(
                    "later", NoValue(),
                    options: ActivityOptions(
                        startToCloseTimeout: .seconds(7 * 24 * 3600), retryPolicy: .never))
            }
        }
        try await TestEnvironment.run { environment in
            let later = RegisteredActivity("later") { (_: NoValue, _) -> String in throw ActivityCompletesLater() }
            try await environment.withWorker(workflows: [RegisteredWorkflow(Waits.self)], activities: [later]) {
                let handle = try await environment.client.start(
                    Waits.self, NoValue(), options: StartOptions(id: "l", taskQueue: environment.taskQueue))
                let failure = await #expect(throws: WorkflowFailed.self) { try await handle.result() }
                let activity = failure?.cause as? ActivityFailure
                #expect((activity?.cause as? TimeoutFailure)?.kind == .startToClose)
            }
        }
    }

    @Test("A workflow task that fails again and again is tried until the code is right")
    func failingTask() async throws {
        struct Bug: Error {}
        final class Buggy: WorkflowDefinition {
            static let calls = Calls()
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> Int {
                let call = Self.calls.next()
                if call < 5 { throw Bug() }
                return call
            }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Buggy.self)]) {
                let result = try await environment.client.execute(
                    Buggy.self, NoValue(), options: StartOptions(id: "b", taskQueue: environment.taskQueue))
                #expect(result == 5)
            }
        }
    }

    @Test("A workflow that waits for what nobody sends does not hang the test")
    func stuck() async throws {
        final class Hopes: WorkflowDefinition {
            static func registerHandlers(_ handlers: inout WorkflowHandlers<Hopes>) {
                handlers.signal("never") { _ in }
            }
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> NoValue {
                try await context.waitCondition { false }
                return NoValue()
            }
        }
        try await TestEnvironment.run(patience: .milliseconds(300)) { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Hopes.self)]) {
                let handle = try await environment.client.start(
                    Hopes.self, NoValue(), options: StartOptions(id: "h", taskQueue: environment.taskQueue))
                let failure = await #expect(throws: RPCFailure.self) { try await handle.result() }
                #expect(failure?.code == .failedPrecondition)
            }
        }
    }

    @Test("Children run on the same clock, and their parent hears of their end")
    func children() async throws {
        final class Parent: WorkflowDefinition {
            func run(_ months: Int, _ context: WorkflowContext) async throws -> [String] {
                async let first = context.executeChildWorkflow(Subscription.self, months)
                async let second = context.executeChildWorkflow(Subscription.self, months + 1)
                return try await [first, second]
            }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Parent.self), RegisteredWorkflow(Subscription.self)],
                activities: [RegisteredActivity("charge") { (_: String, _) in NoValue() }]
            ) {
                let result = try await environment.client.execute(
                    Parent.self, 2, options: StartOptions(id: "p", taskQueue: environment.taskQueue))
                #expect(result == ["basic × 2", "basic × 3"])
            }
        }
    }

    @Test("An update whose handler waits for a day is answered in a moment")
    func updates() async throws {
        final class Booking: WorkflowDefinition {
            private var isOver = false
            static func registerHandlers(_ handlers: inout WorkflowHandlers<Booking>) {
                handlers.update("reserve", String.self) { workflow, name, context in
                    try await context.sleep(for: .seconds(24 * 3600))
                    workflow.isOver = true
                    return "reserved for \(name)"
                }
            }
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
                try await context.waitCondition { self.isOver && context.allHandlersFinished }
                return "over"
            }
        }
        try await TestEnvironment.run { environment in
            let begin = environment.now
            try await environment.withWorker(workflows: [RegisteredWorkflow(Booking.self)]) {
                let handle = try await environment.client.start(
                    Booking.self, NoValue(), options: StartOptions(id: "b", taskQueue: environment.taskQueue))
                let answer = try await handle.executeUpdate("reserve", "Ann", returning: String.self)
                #expect(answer == "reserved for Ann")
                #expect(try await handle.result() == "over")
            }
            #expect(environment.now.timeIntervalSince(begin) >= 24 * 3600)
        }
    }
}
