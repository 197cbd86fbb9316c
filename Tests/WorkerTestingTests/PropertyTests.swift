import Foundation
import History
import Logging
import TemporalCodec
import Testing
import Worker
import WorkerTesting

@Suite("Memo, search attributes, new runs, details", .timeLimit(.minutes(5)))
struct WorkflowPropertyTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func check(_ history: WorkflowHistory, _ workflow: RegisteredWorkflow) throws {
        let report = try WorkflowReplayer(workflows: [workflow], log: Self.quiet).replay(history)
        #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
    }

    @Test("A workflow reads and changes its memo")
    func memo() async throws {
        final class Remembers: WorkflowDefinition {
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [String] {
                let first = try context.memo("color", as: String.self) ?? "none"
                try context.upsertMemo(["color": "blue", "size": 3, "old": nil])
                return [first, try context.memo("color") ?? "", "\(context.memoNames)"]
            }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Remembers.self)]) {
                let handle = try await environment.client.start(
                    Remembers.self, NoValue(),
                    options: StartOptions(
                        id: "m", taskQueue: environment.taskQueue, memo: ["color": "red", "old": true]))
                #expect(try await handle.result() == ["red", "blue", #"["color", "size"]"#])
                try check(try await handle.fetchHistory(), RegisteredWorkflow(Remembers.self))
            }
        }
    }

    @Test("A patch is recorded as a marker and as a search attribute, and replays with every later form of the code")
    func patches() async throws {
        final class Patched: WorkflowDefinition {
            static let name = "Patchy"
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> Bool {
                let isNew = context.patched("polite")
                try await context.sleep(for: .seconds(1))
                return isNew && context.patched("polite")
            }
        }
        final class Deprecated: WorkflowDefinition {
            static let name = "Patchy"
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> Bool {
                context.deprecatePatch("polite")
                try await context.sleep(for: .seconds(1))
                return true
            }
        }
        final class Plain: WorkflowDefinition {
            static let name = "Patchy"
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> Bool {
                try await context.sleep(for: .seconds(1))
                return true
            }
        }
        func history(_ workflow: RegisteredWorkflow) async throws -> WorkflowHistory {
            try await TestEnvironment.run { environment in
                try await environment.withWorker(workflows: [workflow]) {
                    let handle = try await environment.client.start(
                        workflowType: "Patchy", NoValue(),
                        options: StartOptions(id: "p", taskQueue: environment.taskQueue), returning: Bool.self)
                    #expect(try await handle.result())
                    return try await handle.fetchHistory()
                }
            }
        }
        let patched = try await history(RegisteredWorkflow(Patched.self))
        let kinds = try patched.events.map { try EventCodec.decode($0).kind.typeName }
        #expect(kinds[4...5] == ["MarkerRecorded", "UpsertWorkflowSearchAttributes"])
        try check(patched, RegisteredWorkflow(Patched.self))
        try check(patched, RegisteredWorkflow(Deprecated.self))
        let deprecated = try await history(RegisteredWorkflow(Deprecated.self))
        try check(deprecated, RegisteredWorkflow(Deprecated.self))
        try check(deprecated, RegisteredWorkflow(Plain.self))
        let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Plain.self)], log: Self.quiet).replay(patched)
        #expect(report.divergence?.eventID == 5)
        // A run of before the change takes the old path.
        let plain = try await history(RegisteredWorkflow(Plain.self))
        let old = try WorkflowReplayer(workflows: [RegisteredWorkflow(Patched.self)], log: Self.quiet).replay(plain)
        #expect(old.divergence?.expected.contains("result") == true, "only the result differs: false instead of true")
    }

    @Test("A new run takes over memo and type, or what the options say")
    func continueAsNew() async throws {
        final class Loops: WorkflowDefinition {
            func run(_ round: Int, _ context: WorkflowContext) async throws -> String {
                if round < 3 {
                    try context.upsertMemo(["round": round])
                    throw try context.continueAsNew(
                        round + 1, options: ContinueAsNewOptions(header: ["trace": Payload(encoding: "x", data: [1])]))
                }
                let memo: Int? = try context.memo("round")
                return "\(memo ?? 0) \(context.header.keys.sorted()) \(context.info.firstRunID != context.info.runID)"
            }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Loops.self)]) {
                let result = try await environment.client.execute(
                    Loops.self, 1, options: StartOptions(id: "c", taskQueue: environment.taskQueue))
                #expect(result == #"2 ["trace"] true"#)
            }
        }
    }

    @Test("Tools can ask every workflow what it is and what it waits for")
    func builtInQueries() async throws {
        final class Talks: WorkflowDefinition {
            static func registerHandlers(_ handlers: inout WorkflowHandlers<Talks>) {
                handlers.signal("go") { _ in }
                handlers.query("state") { _ in 1 }
            }
            func run(_ input: NoValue, _ context: WorkflowContext) async throws -> NoValue {
                context.setCurrentDetails("waiting **patiently**")
                try await context.sleep(for: .seconds(60))
                return NoValue()
            }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Talks.self)]) {
                let handle = try await environment.client.start(
                    Talks.self, NoValue(), options: StartOptions(id: "t", taskQueue: environment.taskQueue))
                let trace = try await handle.query("__stack_trace", returning: String.self)
                #expect(trace.contains("timer 1"))
                let metadata = try await handle.query(
                    "__temporal_workflow_metadata", returning: EncodedValues.self)
                let payload = try #require(try metadata.payloads().first)
                let text = String(decoding: payload.data, as: UTF8.self)
                #expect(text.contains("waiting **patiently**") && text.contains("\"state\""))
                try await handle.cancel()
            }
        }
    }

    @Test("Typed search attributes read back what was set")
    func attributes() throws {
        let amount = SearchAttributeKey.int("Amount")
        let city = SearchAttributeKey.keyword("City")
        let tags = SearchAttributeKey.keywordList("Tags")
        let when = SearchAttributeKey.datetime("When")
        var attributes = SearchAttributes(
            amount.set(3), city.set("Rome"), tags.set(["a", "b"]), when.set(Date(timeIntervalSince1970: 5)))
        #expect(attributes[amount] == 3)
        #expect(attributes[city] == "Rome")
        #expect(attributes[tags] == ["a", "b"])
        #expect(attributes[when] == Date(timeIntervalSince1970: 5))
        #expect(attributes[SearchAttributeKey.bool("Amount")] == nil)
        attributes[city] = nil
        #expect(attributes[city] == nil)
    }
}
