import Foundation
import Testing
import Worker
import WorkerTesting

/// Workflows of every area whose histories are kept in `Tests/Regressions/histories/swift`.
///
/// They are never changed: a library that replays them differently breaks workflows that are running.
enum RecordedWorkflows {
    static let all = [
        RegisteredWorkflow(RecordedActivities.self), RegisteredWorkflow(RecordedTimers.self),
        RegisteredWorkflow(RecordedSignals.self), RegisteredWorkflow(RecordedLocalActivities.self),
        RegisteredWorkflow(RecordedPatches.self), RegisteredWorkflow(RecordedProperties.self),
        RegisteredWorkflow(RecordedContinues.self), RegisteredWorkflow(RecordedCancels.self),
        RegisteredWorkflow(RecordedChildren.self), RegisteredWorkflow(RecordedExternals.self),
    ]

    static let activities = [
        RegisteredActivity("say") { (text: String, _) in "said \(text)" },
        RegisteredActivity("failsTwice") { (text: String, context: ActivityContext) -> String in
            guard context.info.attempt == 3 else { throw ApplicationFailure("not yet") }
            return text
        },
        RegisteredActivity("failsForGood") { (text: String, _) -> String in
            throw ApplicationFailure("no \(text)", type: "Never", isNonRetryable: true)
        },
    ]

    static let quick = ActivityOptions(startToCloseTimeout: .seconds(10))
    static let local = LocalActivityOptions(startToCloseTimeout: .seconds(10))
}

final class RecordedActivities: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> [String] {
        async let first: String = context.executeActivity("say", name, options: RecordedWorkflows.quick)
        async let second: String = context.executeActivity("failsTwice", name, options: RecordedWorkflows.quick)
        var done = [try await first, try await second]
        do {
            done.append(try await context.executeActivity("failsForGood", name, options: RecordedWorkflows.quick))
        } catch {
            done.append(error.rootApplicationFailure?.type ?? "")
        }
        return done
    }
}

final class RecordedTimers: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        for index in 1...3 { try await context.sleep(for: .seconds(index * 3600)) }
        do {
            try await context.withTimeout(.seconds(5)) { try await context.sleep(for: .seconds(500)) }
        } catch is TimeoutFailure {
            return "late"
        }
        return "early"
    }
}

final class RecordedSignals: WorkflowDefinition {
    private var heard: [String] = []
    static func registerHandlers(_ handlers: inout WorkflowHandlers<RecordedSignals>) {
        handlers.signal("hear", String.self) { workflow, text, context in
            let said: String = try await context.executeActivity("say", text, options: RecordedWorkflows.quick)
            workflow.heard.append(said)
        }
    }
    func run(_ name: String, _ context: WorkflowContext) async throws -> [String] {
        try await context.waitCondition(timeout: .seconds(3600)) { self.heard.count >= 3 }
        return heard
    }
}

final class RecordedLocalActivities: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> [String] {
        var done: [String] = []
        done.append(try await context.executeLocalActivity("say", name, options: RecordedWorkflows.local))
        var long = RecordedWorkflows.local
        long.localRetryThreshold = .milliseconds(1)
        done.append(try await context.executeLocalActivity("failsTwice", name, options: long))
        do {
            done.append(try await context.executeLocalActivity("failsForGood", name, options: RecordedWorkflows.local))
        } catch {
            done.append(error.rootApplicationFailure?.type ?? "")
        }
        return done
    }
}

final class RecordedPatches: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        var name = name
        if context.patched("polite") { name = "dear \(name)" }
        context.deprecatePatch("old")
        return try await context.executeActivity("say", name, options: RecordedWorkflows.quick)
    }
}

final class RecordedProperties: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        try context.upsertMemo(["name": name, "number": 3])
        try await context.sleep(for: .seconds(1))
        try context.upsertMemo(["name": nil])
        var random = context.random
        return "\(context.uuid()) \(Int.random(in: 1...100, using: &random)) \(context.memoNames)"
    }
}

final class RecordedContinues: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        if name.count < 3 { throw try context.continueAsNew(name + "x") }
        return name
    }
}

final class RecordedCancels: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        do {
            try await context.sleep(for: .seconds(1000))
        } catch {
            let _: String = try await context.shielded {
                try await context.executeActivity("say", "sorry", options: RecordedWorkflows.quick)
            }
            throw error
        }
        return name
    }
}

final class RecordedChildren: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        try await context.executeChildWorkflow(
            RecordedContinues.self, name, options: ChildWorkflowOptions(id: "child of \(context.info.workflowID)"))
    }
}

final class RecordedExternals: WorkflowDefinition {
    func run(_ name: String, _ context: WorkflowContext) async throws -> String {
        let nobody = context.externalWorkflow("nobody")
        do {
            try await nobody.signal("hear", name)
        } catch {
            return error.rootApplicationFailure?.message ?? "\(error)"
        }
        return "heard"
    }
}

@Suite("Recorded histories", .timeLimit(.minutes(5)))
struct RecordingTests {
    static let folder = ReplayedHistoryTests.folder.appending(path: "swift")

    @Test(
        "They are recorded anew when ALOFT_RECORD is set",
        .enabled(if: ProcessInfo.processInfo.environment["ALOFT_RECORD"] != nil))
    func record() async throws {
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try await TestEnvironment.run(start: Date(timeIntervalSince1970: 1_800_000_000)) { environment in
            try await environment.withWorker(
                workflows: RecordedWorkflows.all, activities: RecordedWorkflows.activities
            ) {
                for workflow in RecordedWorkflows.all {
                    let handle = try await environment.client.start(
                        workflowType: workflow.name, "a",
                        options: StartOptions(id: workflow.name, taskQueue: environment.taskQueue),
                        returning: EncodedValues.self)
                    if workflow.name == "RecordedSignals" {
                        for text in ["one", "two", "three"] { try await handle.signal("hear", text) }
                    }
                    if workflow.name == "RecordedCancels" { try await handle.cancel() }
                    _ = try? await handle.result()
                    let first = environment.client.handle(
                        workflowID: workflow.name, runID: handle.firstRunID, returning: NoValue.self)
                    let history = try await first.fetchHistory()
                    try Data(history.json()).write(to: Self.folder.appending(path: "\(workflow.name).json"))
                }
            }
        }
    }

    @Test("Every area has one, and replays it")
    func replay() throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
        #expect(
            Set(files.map { $0.deletingPathExtension().lastPathComponent }) == Set(RecordedWorkflows.all.map(\.name)))
        let histories = try files.map { try WorkflowHistory(contentsOf: $0) }
        let results = WorkflowReplayer(workflows: RecordedWorkflows.all, log: ReplayedHistoryTests.quiet).replay(
            all: histories)
        for result in results { #expect(result.isIdentical, "\(result)") }
    }
}
