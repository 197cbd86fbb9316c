import Foundation
import Worker

protocol Bank: Sendable {
    func authorize(_ order: Order, key: String) async throws -> String
}

enum ActivitiesArticle {
    struct Declined: Error {}

    struct Authorize: ActivityDefinition {
        static let name = "Authorize"
        let bank: any Bank

        func run(_ order: Order, _ context: ActivityContext) async throws -> String {
            do {
                return try await bank.authorize(order, key: "\(context.info.workflowID)/\(context.info.activityID)")
            } catch is Declined {
                throw ApplicationFailure("declined", type: "Declined", isNonRetryable: true)
            }
        }
    }

    struct Import: ActivityDefinition {
        func run(_ rows: [String], _ context: ActivityContext) async throws -> Int {
            let done = try context.heartbeatDetails(Int.self) ?? 0
            for (index, row) in rows.enumerated().dropFirst(done) {
                try context.checkCancellation()
                try await store(row)
                context.heartbeat(index + 1)
            }
            return rows.count
        }

        private func store(_ row: String) async throws {}
    }

    struct AskAPerson: ActivityDefinition {
        func run(_ question: String, _ context: ActivityContext) async throws -> String {
            try await send(question, token: context.info.taskToken)
            throw ActivityCompletesLater()
        }

        private func send(_ question: String, token: [UInt8]) async throws {}
    }

    static func work(_ client: WorkflowClient, _ bank: any Bank) async throws {
        let worker = Worker(
            client: client, taskQueue: "shop",
            activities: [
                RegisteredActivity(Authorize(bank: bank)),
                RegisteredActivity("greet") { (name: String, _) in "Hello, \(name)!" },
                RegisteredActivity.dynamic { values, context in
                    "nobody knows \(context.info.activityType) with \(values.count) arguments"
                },
            ],
            options: WorkerOptions(activitiesMax: 20, activitiesPerSecond: 50))
        try await worker.run()
    }
}
