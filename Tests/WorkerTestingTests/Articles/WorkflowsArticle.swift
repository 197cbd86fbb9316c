import Foundation
import Worker

struct Order: Codable, Sendable {
    var id: String
    var amount: Int
}

enum WorkflowsArticle {
    final class Checkout: WorkflowDefinition {
        static let name = "Checkout"
        private var isPaid = false
        private var note = ""

        static func registerHandlers(_ handlers: inout WorkflowHandlers<Checkout>) {
            handlers.signal("paid") { workflow in workflow.isPaid = true }
            handlers.signal("note", String.self) { workflow, text in workflow.note = text }
            handlers.query("note") { workflow in workflow.note }
        }

        func run(_ order: Order, _ context: WorkflowContext) async throws -> String {
            let inTime = try await context.waitCondition(timeout: .seconds(3 * 24 * 3600)) { self.isPaid }
            guard inTime else { throw ApplicationFailure("not paid", type: "NotPaid") }
            return try await context.executeActivity(
                "ship", order, options: ActivityOptions(startToCloseTimeout: .seconds(30)))
        }
    }

    final class Fan: WorkflowDefinition {
        func run(_ orders: [Order], _ context: WorkflowContext) async throws -> Int {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for order in orders {
                    group.addTask {
                        try await context.executeActivity(
                            "price", order, options: ActivityOptions(startToCloseTimeout: .seconds(5)))
                    }
                }
                var total = 0
                for try await price in group { total += price }
                return total
            }
        }
    }

    final class Poll: WorkflowDefinition {
        func run(_ round: Int, _ context: WorkflowContext) async throws -> NoValue {
            while !context.isContinueAsNewSuggested {
                try await context.executeLocalActivity(
                    "look", round, options: LocalActivityOptions(startToCloseTimeout: .seconds(2)))
                try await context.sleep(for: .seconds(3600))
            }
            throw try context.continueAsNew(round + 1)
        }
    }

    static let city = SearchAttributeKey.keyword("City")

    final class Tour: WorkflowDefinition {
        func run(_ cities: [String], _ context: WorkflowContext) async throws -> NoValue {
            for name in cities {
                try context.upsertSearchAttributes(city.set(name))
                try context.upsertMemo(["last": name])
                context.setCurrentDetails("in **\(name)**")
                try await context.sleep(for: .seconds(24 * 3600), summary: "a day in \(name)")
            }
            return NoValue()
        }
    }

    final class Guarded: WorkflowDefinition {
        func run(_ order: Order, _ context: WorkflowContext) async throws -> NoValue {
            do {
                try await context.withTimeout(.seconds(60)) {
                    try await context.executeActivity(
                        "reserve", order,
                        options: ActivityOptions(startToCloseTimeout: .seconds(10), cancellation: .waitCompleted))
                }
            } catch  where error.isCancellation {
                try await context.shielded {
                    try await context.executeActivity(
                        "release", order, options: ActivityOptions(startToCloseTimeout: .seconds(10)))
                }
                throw error
            }
            return NoValue()
        }
    }
}
