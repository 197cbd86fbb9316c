import Foundation
import Testing
import Worker
import WorkerTesting

@Suite("Interceptors and dynamic handlers", .timeLimit(.minutes(5)))
struct InterceptorTests {
    /// Carries a word from the client through the workflow to the activity.
    struct Tracing: ClientInterceptor, WorkerInterceptor {
        let journal: Journal
        static let key = "trace"

        static func payload(_ text: String) -> Payload { Payload(encoding: "binary/plain", data: Array(text.utf8)) }
        static func text(_ header: [String: Payload]) -> String {
            String(decoding: header[key]?.data ?? [], as: UTF8.self)
        }

        func start(
            _ call: StartWorkflowCall, next: @Sendable (StartWorkflowCall) async throws -> String
        ) async throws -> String {
            var call = call
            call.options.header[Self.key] = Self.payload("t1")
            return try await next(call)
        }

        func signal(
            _ call: SignalWorkflowCall, next: @Sendable (SignalWorkflowCall) async throws -> Void
        ) async throws {
            var call = call
            call.header[Self.key] = Self.payload("t2")
            try await next(call)
        }

        func executeActivity(
            _ call: ActivityExecution, _ context: ActivityContext,
            next: @Sendable (ActivityExecution) async throws -> EncodedValues
        ) async throws -> EncodedValues {
            journal.add("activity \(Self.text(call.header)) \(context.info.isLocal)")
            return try await next(call)
        }

        func heartbeat(
            _ details: [any Encodable & Sendable], _ context: ActivityContext,
            next: @Sendable ([any Encodable & Sendable]) -> Void
        ) {
            journal.add("heartbeat \(details)")
            next(details)
        }

        func workflowInterceptor(for workflow: WorkflowInfo) -> (any WorkflowInterceptor)? {
            TracingInside(journal: journal)
        }
    }

    final class TracingInside: WorkflowInterceptor {
        private let journal: Journal
        private var trace = ""
        init(journal: Journal) { self.journal = journal }

        private func note(_ line: String, _ context: WorkflowContext) {
            if !context.isReplaying { journal.add(line) }
        }

        func execute(
            _ call: WorkflowCall, _ context: WorkflowContext, next: (WorkflowCall) async throws -> EncodedValues
        ) async throws -> EncodedValues {
            trace = Tracing.text(call.header)
            note("run \(trace) \(try call.arguments.value(String.self))", context)
            let result = try await next(call)
            note("returned \(try result.value(String.self))", context)
            return result
        }

        func signal(_ call: SignalCall, _ context: WorkflowContext, next: (SignalCall) throws -> Void) throws {
            note("signal \(call.name) \(Tracing.text(call.header))", context)
            try next(call)
        }

        func query(_ call: QueryCall, next: (QueryCall) throws -> EncodedValues) throws -> EncodedValues {
            journal.add("query \(call.name)")
            return try next(call)
        }

        func executeActivity(
            _ call: ActivityCall, _ context: WorkflowContext, next: (ActivityCall) async throws -> EncodedValues
        ) async throws -> EncodedValues {
            var call = call
            call.options.header[Tracing.key] = Tracing.payload(trace)
            return try await next(call)
        }

        func executeLocalActivity(
            _ call: LocalActivityCall, _ context: WorkflowContext,
            next: (LocalActivityCall) async throws -> EncodedValues
        ) async throws -> EncodedValues {
            var call = call
            call.options.header[Tracing.key] = Tracing.payload(trace)
            return try await next(call)
        }
    }

    final class Traced: WorkflowDefinition {
        private var isGone = false
        static func registerHandlers(_ handlers: inout WorkflowHandlers<Traced>) {
            handlers.signal("go") { workflow in workflow.isGone = true }
            handlers.query("state") { workflow in workflow.isGone }
        }
        func run(_ input: String, _ context: WorkflowContext) async throws -> String {
            try await context.waitCondition { self.isGone }
            let first: String = try await context.executeActivity(
                "echo", input, options: ActivityOptions(startToCloseTimeout: .seconds(5)))
            return try await context.executeLocalActivity(
                "echo", first, options: LocalActivityOptions(startToCloseTimeout: .seconds(5)))
        }
    }

    @Test("A header goes from the client through the workflow to its activities; every step is seen")
    func tracing() async throws {
        let journal = Journal()
        let tracing = Tracing(journal: journal)
        let echo = RegisteredActivity("echo") { (text: String, context: ActivityContext) in
            context.heartbeat(text)
            return text
        }
        try await TestEnvironment.run(interceptors: [tracing]) { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Traced.self)], activities: [echo],
                options: WorkerOptions(interceptors: [tracing])
            ) {
                let handle = try await environment.client.start(
                    Traced.self, "hi", options: StartOptions(id: "t", taskQueue: environment.taskQueue))
                #expect(try await handle.query("state", returning: Bool.self) == false)
                try await handle.signal("go")
                #expect(try await handle.result() == "hi")
            }
        }
        #expect(
            journal.lines == [
                "run t1 hi", "query state", "signal go t2", "activity t1 false", "heartbeat [\"hi\"]",
                "activity t1 true", "heartbeat [\"hi\"]", "returned hi",
            ])
    }

    /// Serves every workflow, signal, query and activity type.
    final class Anything: WorkflowDefinition {
        private var heard: [String] = []
        static func registerHandlers(_ handlers: inout WorkflowHandlers<Anything>) {
            handlers.dynamicSignal { workflow, name, values, _ in
                workflow.heard.append("\(name)(\(try values.value(Int.self)), \(try values.value(String.self, at: 1)))")
            }
            handlers.dynamicQuery { workflow, name, _ in "\(name): \(workflow.heard.count)" }
        }
        func run(_ input: EncodedValues, _ context: WorkflowContext) async throws -> String {
            try await context.waitCondition { !self.heard.isEmpty }
            let answer: String = try await context.executeActivity(
                "whatever", arguments: [input.count, "two"], options: ActivityOptions(startToCloseTimeout: .seconds(5)))
            return "\(context.info.workflowType) \(heard[0]) \(answer)"
        }
    }

    @Test("Dynamic workflows, signals, queries and activities serve any name and any number of arguments")
    func dynamic() async throws {
        let any = RegisteredActivity.dynamic { values, context in
            "\(context.info.activityType)/\(try values.value(Int.self))/\(try values.value(String.self, at: 1))"
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(dynamic: Anything.self)], activities: [any]
            ) {
                let handle = try await environment.client.start(
                    workflowType: "Surprise", 1, "b", true,
                    options: StartOptions(id: "d", taskQueue: environment.taskQueue), returning: String.self)
                #expect(try await handle.query("how many", returning: String.self) == "how many: 0")
                try await handle.signal("ping", 7, "x")
                #expect(try await handle.result() == "Surprise ping(7, x) whatever/3/two")
            }
        }
    }

    @Test("An eager start brings its first task along, without a poll")
    func eagerStart() async throws {
        final class Quick: WorkflowDefinition {
            func run(_ input: Int, _ context: WorkflowContext) async throws -> Int { input + 1 }
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Quick.self)]) {
                // The worker is there once it has answered.
                _ = try await environment.client.execute(
                    Quick.self, 0, options: StartOptions(id: "q", taskQueue: environment.taskQueue))
                let handle = try await environment.client.start(
                    Quick.self, 1,
                    options: StartOptions(id: "e", taskQueue: environment.taskQueue, startsEagerly: true))
                #expect(try await handle.result() == 2)
                let history = try await handle.fetchHistory()
                let text = String(decoding: history.json(), as: UTF8.self)
                #expect(
                    text.contains("\"eagerExecutionAccepted\": true")
                        || text.contains("\"eagerExecutionAccepted\":true"))
            }
        }
    }
}
