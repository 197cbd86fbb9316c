import History
import TemporalCodec
import Testing

@testable import Worker

/// A basket: updates of every kind.
private final class Basket: WorkflowDefinition {
    static let name = "Basket"
    private var items: [String] = []
    private var steps: [String] = []
    private var isOpen = true

    static func registerHandlers(_ handlers: inout WorkflowHandlers<Basket>) {
        handlers.update(
            "add", String.self,
            validator: { _, item in if item.isEmpty { throw ApplicationFailure("a name, please", type: "NoName") } },
            { workflow, item in
                workflow.steps.append("add \(item)")
                workflow.items.append(item)
                return workflow.items.count
            })
        handlers.update("order", String.self) { workflow, item, context in
            let price: Int = try await context.executeActivity(
                "price", item, options: ActivityOptions(startToCloseTimeout: .seconds(5)))
            workflow.items.append(item)
            return "\(context.currentUpdate?.id ?? "?") costs \(price)"
        }
        handlers.update("count") { workflow in workflow.items.count }
        handlers.update("unlucky") { _ -> NoValue in throw ApplicationFailure("no luck", type: "Unlucky") }
        handlers.update("bug") { _ -> NoValue in throw Bug() }
        handlers.update("writes", String.self, validator: { _, _ in throw Bug() }, { _, _ in NoValue() })
        handlers.signal("say", String.self) { workflow, text in workflow.steps.append("say \(text)") }
        handlers.signal("close") { workflow in workflow.isOpen = false }
        handlers.query("steps") { workflow in workflow.steps }
    }

    struct Bug: Error {}

    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [String] {
        steps.append("run")
        try await context.waitCondition { !self.isOpen }
        try await context.waitCondition { context.allHandlersFinished }
        return items
    }
}

@Suite("Updates in workflow code")
struct UpdateTests {
    private let workflows = [RegisteredWorkflow(Basket.self)]

    @Test("Accepted, done and answered in one workflow task; the replay goes the same way")
    func atOnce() async throws {
        let run = try PlayedRun(workflows)
        try await run.step()
        try run.update("u1", "add", "milk")
        try run.update("u2", "count")
        #expect(try await run.step() == ["accept u1", "complete u1 1", "accept u2", "complete u2 1"])
        try run.signal("close", NoValue())
        #expect(try await run.step(sticky: false) == ["complete [\"milk\"]"])
        let report = try run.replay(workflows)
        #expect(report.isIdentical, "\(String(describing: report.divergence))")
        #expect(report.commands == 5)
    }

    @Test("A handler that waits answers in a later task; the run waits for it")
    func waiting() async throws {
        let run = try PlayedRun(workflows)
        try await run.step()
        try run.update("u", "order", "tea")
        #expect(try await run.step() == ["accept u", "schedule price 1"])
        try run.signal("close", NoValue())
        #expect(try await run.step() == [])
        try run.completeActivity("1", 7)
        #expect(
            try await run.step(sticky: false) == ["complete u \"u costs 7\"", "complete [\"tea\"]"])
        #expect(try run.replay(workflows).isIdentical)
    }

    @Test("What the validator or the types refuse is rejected and leaves nothing in the history")
    func rejected() async throws {
        let run = try PlayedRun(workflows)
        try await run.step()
        try run.update("u1", "add", "")
        try run.update("u2", "add", 5)
        try run.update("u3", "nothing")
        try run.update("u4", "writes", "x")
        #expect(try await run.step() == [])
        #expect(run.rejections.map { $0.prefix(2) } == ["u1", "u2", "u3", "u4"])
        #expect(run.rejections[0] == "u1 NoName" && run.rejections[2] == "u3 NotFound")
        try run.update("u5", "add", "milk")
        #expect(try await run.step(sticky: false) == ["accept u5", "complete u5 1"])
        #expect(try run.replay(workflows).isIdentical)
    }

    @Test("A failure is the update's answer, any other error fails the workflow task")
    func failing() async throws {
        let run = try PlayedRun(workflows)
        try await run.step()
        try run.update("u1", "unlucky")
        #expect(try await run.step() == ["accept u1", "complete u1 !no luck"])
        try run.update("u2", "bug")
        let failed = try await run.failingStep()
        #expect(failed.type == "Bug", "\(failed)")
    }

    @Test("Updates and signals that came with the start are handled before the workflow begins")
    func order() async throws {
        let run = try PlayedRun(workflows)
        try run.signal("say", "hello")
        try run.update("u", "add", "milk")
        try await run.step()
        #expect(try await run.ask("steps") == "[\"say hello\",\"add milk\",\"run\"]")
    }

    @Test("A worker goes back when the server forgets a task of rejected updates")
    func forgottenTask() async throws {
        let run = try PlayedRun(workflows)
        try await run.step()
        let known = run.events.count
        try run.update("u1", "add", "")
        try await run.step()
        await run.forgetLastTask(keeping: known)
        try run.update("u2", "add", "milk")
        #expect(try await run.step() == ["accept u2", "complete u2 1"])
        #expect(run.fetchedPages == 0)
        #expect(try run.replay(workflows).isIdentical)
    }

    @Test("A replay against code without the handler is a difference")
    func withoutHandler() async throws {
        let run = try PlayedRun(workflows)
        try await run.step()
        try run.update("u", "add", "milk")
        try await run.step()
        let report = try run.replay([RegisteredWorkflow(Silent.self)])
        #expect(report.divergence?.expected == "a workflow task that succeeded")
    }

    private final class Silent: WorkflowDefinition {
        static let name = "Basket"
        func run(_ input: NoValue, _ context: WorkflowContext) async throws -> NoValue {
            try await context.waitCondition { false }
            return NoValue()
        }
    }
}
