import Foundation
import History
import Logging
import Synchronization
import TemporalAPI
import Testing

@testable import Worker

/// One type name, many versions of its code.
private struct Version<Code: VersionCode>: WorkflowDefinition {
    static var name: String { "Versioned" }
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String { try await Code.run(context) }
}
private protocol VersionCode: SendableMetatype {
    static func run(_ context: WorkflowContext) async throws -> String
}
private func activity(_ name: String, _ context: WorkflowContext) async throws {
    try await context.executeActivity(name, NoValue(), options: oneMinute)
}

private enum Original: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        try await activity("a", context)
        try await activity("b", context)
        return "done"
    }
}
private enum RemovedActivity: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        try await activity("a", context)
        return "done"
    }
}
private enum ChangedType: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        try await activity("a", context)
        try await activity("c", context)
        return "done"
    }
}
private enum SwappedOrder: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        try await activity("b", context)
        try await activity("a", context)
        return "done"
    }
}
private enum AddedTimer: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        try await activity("a", context)
        try await context.sleep(for: .seconds(1))
        try await activity("b", context)
        return "done"
    }
}
private enum AddedBeside: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        async let extra: Void = context.sleep(for: .seconds(1))
        try await activity("a", context)
        try await activity("b", context)
        _ = try? await extra
        return "done"
    }
}
private enum OtherResult: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        try await activity("a", context)
        try await activity("b", context)
        return "else"
    }
}
private enum Patched: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        if context.patched("timer first") { try await context.sleep(for: .seconds(1)) }
        try await activity("a", context)
        try await activity("b", context)
        return "done"
    }
}
private enum PatchDeprecated: VersionCode {
    static func run(_ context: WorkflowContext) async throws -> String {
        context.deprecatePatch("timer first")
        try await context.sleep(for: .seconds(1))
        try await activity("a", context)
        try await activity("b", context)
        return "done"
    }
}

/// Leaves the executor in the way its input names.
private struct Escapist: WorkflowDefinition {
    func run(_ input: String, _ context: WorkflowContext) async throws -> String {
        switch input {
        case "sleep": try await Task.sleep(for: .milliseconds(50))
        case "detached": _ = await Task.detached { 1 }.value
        case "task": _ = await Task { 1 }.value
        case "main": await MainActor.run {}
        case "foreign call": _ = try await Task.detached { try await context.sleep(for: .seconds(1)) }.value
        default: throw UnknownWay()
        }
        return "back"
    }
}
private struct UnknownWay: Error {}

private struct Namer: WorkflowDefinition {
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [String] {
        let first = context.uuid()
        let before = context.now
        try await context.sleep(for: .seconds(60))
        return [first, context.uuid(), "\(context.now > before)", context.info.workflowID, context.info.taskQueue]
    }
}

private struct Generations: WorkflowDefinition {
    func run(_ input: Int, _ context: WorkflowContext) async throws -> Int {
        try context.upsertMemo(["generation": input])
        guard input > 3 else { throw try context.continueAsNew(input + 1) }
        return input
    }
}

/// An actor of the usual kind stays on the run's executor.
private actor Counter {
    private var value = 0
    func increase() -> Int {
        value += 1
        return value
    }
}
private struct WithActor: WorkflowDefinition {
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [Int] {
        let counter = Counter()
        return await withTaskGroup(of: Int.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    await Task.yield()
                    return await counter.increase()
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
}

/// Keeps what is logged.
private struct Journal: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.message)") } }

    final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }
}

@Suite("The same history gives the same commands")
struct DeterminismTests {
    private func recorded(_ workflow: RegisteredWorkflow) async throws -> PlayedRun {
        let run = try PlayedRun([workflow], input: NoValue())
        try await run.step()
        for _ in 0..<5 where run.events.last?.kind.closesRun == nil {
            switch run.events.last?.kind {
            case .activityTaskScheduled(let scheduled): try run.completeActivity(scheduled.activityID.value)
            case .timerStarted(let started): try run.fireTimer(started.timerID.value)
            default: throw Unplayable("nothing to do after \(String(describing: run.events.last))")
            }
            try await run.step()
        }
        return run
    }

    @Test(
        "A replay names the event, what was expected and what came",
        arguments: [
            (
                RegisteredWorkflow(Version<RemovedActivity>.self), 11, "ActivityTaskScheduled(id 2, type b)",
                "CompleteWorkflowExecution"
            ),
            (
                RegisteredWorkflow(Version<ChangedType>.self), 11, "ActivityTaskScheduled(id 2, type b)",
                "ScheduleActivityTask(id 2, type c)"
            ),
            (
                RegisteredWorkflow(Version<SwappedOrder>.self), 5, "ActivityTaskScheduled(id 1, type a)",
                "ScheduleActivityTask(id 1, type b)"
            ),
            (
                RegisteredWorkflow(Version<AddedTimer>.self), 11, "ActivityTaskScheduled(id 2, type b)",
                "StartTimer(id 1)"
            ),
            (RegisteredWorkflow(Version<AddedBeside>.self), 4, "no further command", "StartTimer(id 1)"),
            (RegisteredWorkflow(Version<OtherResult>.self), 17, "a result of 6 bytes", "another one of 6 bytes"),
        ])
    func differences(code: RegisteredWorkflow, event: Int64, expected: String, actual: String) async throws {
        let run = try await recorded(RegisteredWorkflow(Version<Original>.self))
        #expect(try run.replay([RegisteredWorkflow(Version<Original>.self)]).isIdentical)
        let divergence = try #require(try run.replay([code]).divergence)
        #expect(divergence.expected == expected)
        #expect(divergence.actual == actual)
        #expect(divergence.eventID == event)
    }

    @Test("Code that does not fit the history fails the task as nondeterministic")
    func failsTheTask() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Version<Original>.self)], input: NoValue())
        try await run.step()
        try run.completeActivity("1")
        let other = try PlayedRun([RegisteredWorkflow(Version<SwappedOrder>.self)], input: NoValue())
        let answer = await other.processor.process(run.poll(), history: run)
        guard case .failed(let request) = answer else { throw Unplayable("not failed: \(answer)") }
        #expect(request.cause.rawValue == Int(WorkflowTaskFailedCause.nonDeterministicError.rawValue))
        let failure = DataConverter.default.error(fromFailure: [UInt8](request.failure))
        #expect(failure.message.contains("event 5"))
    }

    @Test("A patch keeps old runs on the old path and puts new ones on the new path")
    func patches() async throws {
        let old = try await recorded(RegisteredWorkflow(Version<Original>.self))
        #expect(try old.replay([RegisteredWorkflow(Version<Patched>.self)]).isIdentical)
        let new = try await recorded(RegisteredWorkflow(Version<Patched>.self))
        #expect(new.events.contains { if case .timerStarted = $0.kind { true } else { false } })
        #expect(try new.replay([RegisteredWorkflow(Version<Patched>.self)]).isIdentical)
        #expect(try new.replay([RegisteredWorkflow(Version<PatchDeprecated>.self)]).isIdentical)
        #expect(try !new.replay([RegisteredWorkflow(Version<Original>.self)]).isIdentical)
    }

    @Test(
        "Leaving the executor fails the task and says so",
        arguments: ["sleep", "detached", "task", "main", "foreign call"])
    func escapes(way: String) async throws {
        let run = try PlayedRun([RegisteredWorkflow(Escapist.self)], input: way)
        let failure = try await run.failingStep()
        #expect(failure.type == "WorkflowEscape")
        #expect(failure.message.contains("Escapist left its executor"))
    }

    @Test("An error that is no failure of the protocol fails the task, not the workflow")
    func otherErrors() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Escapist.self)], input: "unknown")
        let failure = try await run.failingStep()
        #expect(failure.type == "UnknownWay")
        #expect(failure.cause == Int(WorkflowTaskFailedCause.workflowWorkerUnhandledFailure.rawValue))
    }

    @Test("Identifiers and time are the same in every replay, and other in another run")
    func identifiers() async throws {
        let workflows = [RegisteredWorkflow(Namer.self)]
        let run = try await recorded(workflows[0])
        #expect(try run.replay(workflows).isIdentical)
        let other = try await recorded(workflows[0])
        #expect(run.lastCompletion.commands != other.lastCompletion.commands)
    }

    @Test("A run ends by continuing as new, with its memo changed")
    func continueAsNew() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Generations.self)], input: 1)
        #expect(try await run.step() == ["memo", "continue as new Generations"])
        #expect(try run.replay([RegisteredWorkflow(Generations.self)]).isIdentical)
        let last = try PlayedRun([RegisteredWorkflow(Generations.self)], input: 4)
        #expect(try await last.step() == ["memo", "complete 4"])
    }

    @Test("Default actors and yields keep their order", arguments: 0..<20)
    func actors(round: Int) async throws {
        let run = try PlayedRun([RegisteredWorkflow(WithActor.self)], input: NoValue())
        #expect(try await run.step() == ["complete [1,2,3,4,5,6,7,8,9,10]"])
    }

    @Test("A line is logged once, however often the code is replayed")
    func logs() async throws {
        let lines = Journal.Lines()
        var log = Logger(label: "test") { _ in Journal(lines: lines) }
        log.logLevel = .info
        let run = try PlayedRun([RegisteredWorkflow(Approval.self)], cachedRunsMax: 0, log: log)
        try await run.step(sticky: false)
        try run.signal("note", "x")
        try await run.step(sticky: false)
        try run.signal("decide", "y")
        try await run.step(sticky: false)
        #expect(lines.all.withLock { $0 } == ["waiting"])
    }
}
