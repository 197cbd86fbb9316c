import Testing
import Worker
import WorkerTesting

@Suite("Updates from a Swift client to a Swift workflow")
struct UpdateTests {
    final class Basket: WorkflowDefinition {
        private var items: [String] = []
        private var isOpen = true

        static func registerHandlers(_ handlers: inout WorkflowHandlers<Basket>) {
            handlers.update(
                "add", String.self,
                validator: { _, item in
                    if item.isEmpty { throw ApplicationFailure("a name, please", type: "NoName") }
                },
                { workflow, item in
                    workflow.items.append(item)
                    return workflow.items.count
                })
            handlers.update("order", String.self) { workflow, item, context in
                let price: Int = try await context.executeActivity(
                    "price", item, options: ActivityOptions(startToCloseTimeout: .seconds(5)))
                workflow.items.append(item)
                return price
            }
            handlers.update("hang") { (_, context: WorkflowContext) async throws -> NoValue in
                try await context.waitCondition { false }
                return NoValue()
            }
            handlers.signal("close") { workflow in workflow.isOpen = false }
        }

        func run(_ waits: Bool, _ context: WorkflowContext) async throws -> [String] {
            try await context.waitCondition { !self.isOpen }
            if waits { try await context.waitCondition { context.allHandlersFinished } }
            return items
        }
    }

    private func withBasket<Result: Sendable>(
        _ body: @Sendable @escaping (TestEnvironment, StartOptions) async throws -> Result
    ) async throws -> Result {
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Basket.self)],
                activities: [RegisteredActivity("price") { (item: String, _) in item.count }]
            ) {
                try await body(environment, StartOptions(id: "basket", taskQueue: environment.taskQueue))
            }
        }
    }

    @Test("Answers, rejections, repetition by id, and the history replays")
    func goodCase() async throws {
        try await withBasket { environment, options in
            let handle = try await environment.client.start(Basket.self, true, options: options)
            let one: Int = try await handle.executeUpdate("add", "milk", id: "first")
            let again: Int = try await handle.executeUpdate("add", "other", id: "first")
            #expect(one == 1 && again == 1)
            let failure = await #expect(throws: WorkflowUpdateFailed.self) {
                let _: Int = try await handle.executeUpdate("add", "")
            }
            #expect(failure?.cause.rootApplicationFailure?.type == "NoName")
            let order = try await handle.startUpdate("order", "tea", returning: Int.self)
            #expect(try await order.result() == 3)
            #expect(try await handle.updateHandle(id: order.id, returning: Int.self).result() == 3)
            #expect(try await order.stage() == .completed)
            try await handle.signal("close")
            #expect(try await handle.result() == ["milk", "tea"])
            let history = try await handle.fetchHistory()
            let report = try WorkflowReplayer(workflows: [RegisteredWorkflow(Basket.self)]).replay(history)
            #expect(report.isIdentical, "\(report)")
        }
    }

    @Test("An accepted update whose workflow ends first fails")
    func outlived() async throws {
        try await withBasket { environment, options in
            let handle = try await environment.client.start(Basket.self, false, options: options)
            let hanging = try await handle.startUpdate("hang", returning: NoValue.self)
            try await handle.signal("close")
            #expect(try await handle.result() == [])
            let failure = await #expect(throws: WorkflowUpdateFailed.self) { _ = try await hanging.result() }
            #expect(failure?.cause.rootApplicationFailure?.type == "AcceptedUpdateCompletedWorkflow")
        }
    }

    @Test("Update with start starts once, then asks the workflow that runs")
    func updateWithStart() async throws {
        try await withBasket { environment, options in
            var options = options
            options.idConflictPolicy = .useExisting
            let client = environment.client
            let one: Int = try await client.executeUpdateWithStart(
                Basket.self, true, options: options, update: "add", "milk")
            let (handle, update) = try await client.startUpdateWithStart(
                Basket.self, true, options: options, update: "add", "bread", returning: Int.self)
            #expect(try await update.result() == 2 && one == 1)
            options.idConflictPolicy = .fail
            let failing = options
            await #expect(throws: WorkflowAlreadyStarted.self) {
                let _: Int = try await client.executeUpdateWithStart(
                    Basket.self, true, options: failing, update: "add", "x")
            }
            try await handle.signal("close")
            #expect(try await handle.result() == ["milk", "bread"])
        }
    }
}
