import Foundation
import Logging
import Testing
import Worker
import WorkerTesting

@Suite("Exported histories are replayed")
struct ReplayedHistoryTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Regressions/histories")
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    final class Counts: WorkflowDefinition {
        func run(_ count: Int, _ context: WorkflowContext) async throws -> Int {
            for index in 0..<count {
                _ = try await context.executeActivity(
                    "count", index, options: ActivityOptions(startToCloseTimeout: .seconds(5)), returning: Int.self)
            }
            return count
        }
    }

    private func recorded(_ count: Int) async throws -> WorkflowHistory {
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Counts.self)],
                activities: [RegisteredActivity("count") { (index: Int, _) in index }]
            ) {
                let handle = try await environment.client.start(
                    Counts.self, count, options: StartOptions(id: "w", taskQueue: environment.taskQueue))
                _ = try await handle.result()
                return try await handle.fetchHistory()
            }
        }
    }

    @Test("JSON and binary give back the same events")
    func roundTrip() async throws {
        let history = try await recorded(2)
        #expect(try WorkflowHistory(json: history.json()).events == history.events)
        #expect(try WorkflowHistory(json: history.json(pretty: false)).events == history.events)
        let binary = try WorkflowHistory(binary: history.binary())
        #expect(binary.events == history.events)
        #expect(binary.workflowID == "w" && !binary.runID.isEmpty)
    }

    @Test("Old exports with short names of enums are read too")
    func shortNames() async throws {
        let history = try await recorded(1)
        var text = String(decoding: history.json(), as: UTF8.self)
        for (long, short) in [
            ("EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "WorkflowExecutionStarted"),
            ("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED", "ActivityTaskScheduled"), ("TASK_QUEUE_KIND_NORMAL", "Normal"),
        ] {
            #expect(text.contains(long))
            text = text.replacing(long, with: short)
        }
        #expect(try WorkflowHistory(json: Array(text.utf8)).events == history.events)
    }

    @Test("Many are replayed at once; each says what came of it, by its source")
    func many() async throws {
        var histories = [try await recorded(1), try await recorded(2)]
        histories[0].source = "one.json"
        histories[1].events.swapAt(4, 5)
        let results = WorkflowReplayer(workflows: [RegisteredWorkflow(Counts.self)], log: Self.quiet).replay(
            all: histories)
        #expect(results.map(\.isIdentical) == [true, false])
        #expect(results[0].description.hasPrefix("one.json"))
    }

    @Test("The first divergence is named by its event")
    func divergence() async throws {
        final class Other: WorkflowDefinition {
            static let name = "Counts"
            func run(_ count: Int, _ context: WorkflowContext) async throws -> Int {
                _ = try await context.executeActivity(
                    "count", 0, options: ActivityOptions(startToCloseTimeout: .seconds(5)), returning: Int.self)
                try await context.sleep(for: .seconds(1))
                return count
            }
        }
        var history = try await recorded(2)
        history.source = "counts.json"
        let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Other.self)], log: Self.quiet).replay(history)
        #expect(report.source == "counts.json")
        #expect(report.divergence?.eventID == 11)
        #expect(report.divergence?.expected.contains("ActivityTaskScheduled") == true)
        #expect(report.divergence?.actual.contains("StartTimer") == true)
    }

    @Test("Histories that Python's tools exported are read without loss")
    func python() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: "python"), includingPropertiesForKeys: nil)
        #expect(files.count >= 8)
        for file in files where file.pathExtension == "json" {
            let history = try WorkflowHistory(contentsOf: file)
            #expect(!history.events.isEmpty && !history.runID.isEmpty, "\(file.lastPathComponent)")
            // Nobody here has that workflow, but the history itself is whole.
            let replayer = WorkflowReplayer(workflows: [RegisteredWorkflow(Counts.self)], log: Self.quiet)
            let result = replayer.replay(all: [history])[0]
            #expect(result.description.contains("is not registered"), "\(result)")
        }
    }
}
