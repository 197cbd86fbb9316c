import Foundation
import Testing
import Worker

/// The workflows of `Tests/Conformance/replay.py`, in Swift.
enum PythonTwins {
    static let quick = ActivityOptions(startToCloseTimeout: .seconds(10))
    static let local = LocalActivityOptions(startToCloseTimeout: .seconds(10))

    final class LocalActivities: WorkflowDefinition {
        static let name = "LocalActivities"
        func run(_ name: String, _ context: WorkflowContext) async throws -> [String] {
            async let first: String = context.executeLocalActivity("say", "0", options: PythonTwins.local)
            async let second: String = context.executeLocalActivity("say", "1", options: PythonTwins.local)
            async let third: String = context.executeLocalActivity("say", "2", options: PythonTwins.local)
            var done = try await [first, second, third]
            done.append(try await context.executeLocalActivity("fails_twice", name, options: PythonTwins.local))
            do {
                done.append(try await context.executeLocalActivity("fails_for_good", name, options: PythonTwins.local))
            } catch {
                // Python's SDK throws the activity's own error here.
                done.append("ApplicationError")
            }
            return done
        }
    }

    final class Patches: WorkflowDefinition {
        static let name = "Patches"
        func run(_ name: String, _ context: WorkflowContext) async throws -> String {
            var name = name
            if context.patched("polite") { name = "dear \(name)" }
            context.deprecatePatch("old")
            return try await context.executeActivity("say", name, options: PythonTwins.quick)
        }
    }

    final class Continues: WorkflowDefinition {
        static let name = "Continues"
        func run(_ name: String, _ context: WorkflowContext) async throws -> String {
            if name.count < 4 { throw try context.continueAsNew(name + "x") }
            return name
        }
    }

    final class Cancels: WorkflowDefinition {
        static let name = "Cancels"
        func run(_ name: String, _ context: WorkflowContext) async throws -> String {
            do {
                try await context.sleep(for: .seconds(1000))
            } catch {
                let _: String = try await context.shielded {
                    try await context.executeActivity("say", "sorry", options: PythonTwins.quick)
                }
                throw error
            }
            return name
        }
    }

    static let all = [
        RegisteredWorkflow(LocalActivities.self), RegisteredWorkflow(Patches.self), RegisteredWorkflow(Continues.self),
        RegisteredWorkflow(Cancels.self),
    ]
}

@Suite("Histories that Python's SDK wrote")
struct PythonTwinTests {
    @Test("The Swift library replays them with the same workflows", arguments: PythonTwins.all.map(\.name))
    func replay(name: String) throws {
        let history = try WorkflowHistory(
            contentsOf: ReplayedHistoryTests.folder.appending(path: "python/\(name).json"))
        let report = try WorkflowReplayer(workflows: PythonTwins.all, log: ReplayedHistoryTests.quiet).replay(history)
        #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
    }
}
