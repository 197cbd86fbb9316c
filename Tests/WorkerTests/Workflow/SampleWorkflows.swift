import Logging
import Worker

/// Limits that all samples use.
let oneMinute = ActivityOptions(startToCloseTimeout: .seconds(60))

/// One activity.
struct Greet: WorkflowDefinition {
    static let name = "Greet"
    func run(_ input: String, _ context: WorkflowContext) async throws -> String {
        let greeting: String = try await context.executeActivity("greet", input, options: oneMinute)
        return greeting + "!"
    }
}

/// Two activities side by side, then a task group of three, by the run's own random numbers.
struct Fan: WorkflowDefinition {
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [String] {
        async let left: String = context.executeActivity("left", 1, options: oneMinute)
        async let right: String = context.executeActivity("right", 2, options: oneMinute)
        var results = [try await left, try await right]
        var random = context.random
        let order = (0..<3).shuffled(using: &random)
        results += try await withThrowingTaskGroup(of: String.self) { group in
            for index in order {
                group.addTask { try await context.executeActivity("leaf\(index)", context.uuid(), options: oneMinute) }
            }
            var found: [String] = []
            for try await result in group { found.append(result) }
            return found
        }
        return results
    }
}

/// Waits for a signal or a timer, and answers queries.
final class Approval: WorkflowDefinition {
    static let name = "Approval"
    private var decision: String?
    private var notes: [String] = []

    static func registerHandlers(_ handlers: inout WorkflowHandlers<Approval>) {
        handlers.signal("decide", String.self) { workflow, value in workflow.decision = value }
        handlers.signal("note", String.self) { workflow, value, context in
            let text: String = try await context.executeActivity("spell", value, options: oneMinute)
            workflow.notes.append(text)
        }
        handlers.query("notes") { workflow in workflow.notes }
        handlers.query("noteAt", Int.self) { workflow, index in
            guard workflow.notes.indices.contains(index) else { throw ApplicationFailure("no note \(index)") }
            return workflow.notes[index]
        }
    }

    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
        context.logger.info("waiting")
        let decided = try await context.waitCondition(timeout: .seconds(3600)) { self.decision != nil }
        return decided ? decision ?? "" : "expired"
    }
}

/// Three steps, each with a compensation.
struct OrderSaga: WorkflowDefinition {
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
        try await context.saga { saga in
            for step in ["one", "two", "three"] {
                saga.compensate("undo-\(step)") {
                    try await context.executeActivity("undo-\(step)", NoValue(), options: oneMinute)
                }
                try await context.executeActivity(step, NoValue(), options: oneMinute)
            }
            return "done"
        }
    }
}
