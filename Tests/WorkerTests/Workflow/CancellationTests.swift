import History
import Logging
import Synchronization
import Testing

@testable import Worker

/// Waits for an activity, cancelled as `cancellation` says.
private struct OneActivity: WorkflowDefinition {
    func run(_ input: String, _ context: WorkflowContext) async throws -> String {
        var options = oneMinute
        options.cancellation = input == "wait" ? .waitCompleted : input == "abandon" ? .abandon : .tryCancel
        do {
            return try await context.executeActivity("slow", NoValue(), options: options)
        } catch let failure as ActivityFailure where failure.isCancellation {
            return try await context.shielded {
                try await context.executeActivity("last words", NoValue(), options: oneMinute)
            }
        }
    }
}

/// Starts work in a scope and cancels it by itself; the order of the children must not matter.
private struct ScopeSample: WorkflowDefinition {
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [String] {
        let scope = context.cancellationScope()
        async let results: [String] = scope.run {
            await withTaskGroup(of: String.self) { group in
                for index in 0..<5 {
                    group.addTask {
                        do {
                            try await context.sleep(for: .seconds(100 + index))
                            return "fired"
                        } catch {
                            return "canceled"
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        try await context.executeActivity("gate", NoValue(), options: oneMinute)
        scope.cancel()
        return try await results
    }
}

/// Limits an activity in time.
private struct Hurried: WorkflowDefinition {
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
        do {
            return try await context.withTimeout(.seconds(5)) {
                try await context.executeActivity("slow", NoValue(), options: oneMinute)
            }
        } catch is TimeoutFailure {
            return "too late"
        }
    }
}

/// Swallows every error and waits again.
private struct Stubborn: WorkflowDefinition {
    static let turns = Atomic<Int>(0)
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> NoValue {
        while true {
            Self.turns.add(1, ordering: .relaxed)
            try? await context.sleep(for: .seconds(1))
        }
    }
}

/// Notes when its code ends.
private final class Leaver: WorkflowDefinition {
    static let ends = Mutex<[String]>([])
    static func registerHandlers(_ handlers: inout WorkflowHandlers<Leaver>) {
        handlers.signal("go", Int.self) { _, number, context in
            defer { ends.withLock { $0.append("handler \(number)") } }
            try await context.waitCondition { false }
        }
    }
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> NoValue {
        defer { Self.ends.withLock { $0.append("run") } }
        return try await context.saga { saga in
            saga.compensate("undo") {
                Self.ends.withLock { $0.append("compensated") }
                try await context.executeActivity("undo", NoValue(), options: oneMinute)
            }
            async let timer: Void = context.sleep(for: .seconds(10))
            try await context.shielded {
                try await context.executeActivity("deep", NoValue(), options: oneMinute)
            }
            try await timer
            return NoValue()
        }
    }
}

@Suite("Cancellation and compensation", .serialized)
struct CancellationTests {
    @Test(
        "A cancelled activity is asked to stop, waited for or let alone, and shielded work goes on",
        arguments: [
            ("try", ["cancel activity 5", "schedule last words 2"]), ("wait", ["cancel activity 5"]),
            ("abandon", ["schedule last words 2"]),
        ])
    func activity(policy: String, commands: [String]) async throws {
        let run = try PlayedRun([RegisteredWorkflow(OneActivity.self)], input: policy)
        try await run.step()
        run.requestCancel()
        #expect(try await run.step() == commands)
        if policy == "wait" {
            try run.reportActivityCanceled("1")
            #expect(try await run.step() == ["schedule last words 2"])
        }
        try run.completeActivity("2", "bye")
        #expect(try await run.step() == ["complete \"bye\""])
        #expect(try run.replay([RegisteredWorkflow(OneActivity.self)]).isIdentical)
    }

    @Test("Compensations run strictly in reverse, although the workflow is being cancelled")
    func saga() async throws {
        let workflows = [RegisteredWorkflow(OrderSaga.self)]
        let run = try PlayedRun(workflows, input: NoValue())
        #expect(try await run.step() == ["schedule one 1"])
        try run.completeActivity("1")
        #expect(try await run.step() == ["schedule two 2"])
        run.requestCancel()
        #expect(try await run.step() == ["cancel activity 11", "schedule undo-two 3"])
        try run.completeActivity("3")
        #expect(try await run.step() == ["schedule undo-one 4"])
        try run.completeActivity("4")
        #expect(try await run.step() == ["canceled"])
        #expect(try run.replay(workflows).isIdentical)
    }

    @Test("A compensation that fails does not stop the others, and the workflow's failure names it")
    func failingCompensation() async throws {
        let run = try PlayedRun([RegisteredWorkflow(OrderSaga.self)], input: NoValue())
        try await run.step()
        try run.completeActivity("1")
        try await run.step()
        try run.failActivity("2", ApplicationFailure("no", type: "No"))
        #expect(try await run.step() == ["schedule undo-two 3"])
        try run.failActivity("3", ApplicationFailure("stuck", type: "Stuck"))
        #expect(try await run.step() == ["schedule undo-one 4"])
        try run.completeActivity("4")
        #expect(try await run.step() == ["fail could not compensate undo-two"])
    }

    @Test("A scope cancels its children in the order in which they began", arguments: 0..<20)
    func scope(round: Int) async throws {
        let workflows = [RegisteredWorkflow(ScopeSample.self)]
        let run = try PlayedRun(workflows, input: NoValue())
        let begun = try await run.step()
        #expect(begun.count == 6)
        try run.fireTimer("3")
        try await run.step()
        try run.completeActivity("1")
        let ended = try await run.step()
        #expect(ended.dropLast() == ["cancel timer 1", "cancel timer 2", "cancel timer 4", "cancel timer 5"])
        #expect(try run.replay(workflows).isIdentical)
    }

    @Test("Work that is late is cancelled")
    func timeout() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Hurried.self)], input: NoValue())
        #expect(try await Set(run.step()) == ["timer 1 5.0s", "schedule slow 1"])
        try run.fireTimer("1")
        #expect(try await run.step().last == "complete \"too late\"")
        #expect(try run.replay([RegisteredWorkflow(Hurried.self)]).isIdentical)
    }

    @Test("What a task asks for and takes back at once is never asked for")
    func droppedCommands() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Hurried.self)], input: NoValue())
        run.requestCancel()
        #expect(try await run.step() == ["canceled"])
    }

    @Test("Eviction ends everything and lets nothing have an effect")
    func eviction() async throws {
        Leaver.ends.withLock { $0 = [] }
        let run = try PlayedRun([RegisteredWorkflow(Leaver.self)], input: NoValue())
        try run.signal("go", 1)
        #expect(try await run.step() == ["timer 1 10.0s", "schedule deep 1"])
        await run.processor.evict(runID: run.runID)
        #expect(run.processor.cachedRuns == 0)
        #expect(Leaver.ends.withLock { $0.sorted() } == ["handler 1", "run"])
    }

    @Test("A loop that swallows every error is left behind when its run leaves memory")
    func stubborn() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Stubborn.self)], input: NoValue())
        try await run.step()
        await run.processor.evict(runID: run.runID)
        #expect(Stubborn.turns.load(ordering: .relaxed) <= WorkflowCore.callsAfterEvictionMax + 2)
    }
}
