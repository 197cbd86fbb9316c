import Foundation
import Logging
import Testing
import Worker
import WorkerTesting

@Suite("What the testing article shows works", .timeLimit(.minutes(5)))
struct TestingArticle {
    typealias Checkout = WorkflowsArticle.Checkout
    typealias Import = ActivitiesArticle.Import

    @Test("Unpaid orders end after three days")
    func unpaid() async throws {
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Checkout.self)]) {
                let handle = try await environment.client.start(
                    Checkout.self, Order(id: "o1", amount: 5),
                    options: StartOptions(id: "checkout-o1", taskQueue: environment.taskQueue))
                await #expect(throws: WorkflowFailed.self) { try await handle.result() }
            }
        }
    }

    @Test("Paid orders are shipped")
    func paid() async throws {
        let ship = RegisteredActivity("ship") { (order: Order, _) in "shipped \(order.id)" }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(workflows: [RegisteredWorkflow(Checkout.self)], activities: [ship]) {
                let handle = try await environment.client.start(
                    Checkout.self, Order(id: "o2", amount: 5),
                    options: StartOptions(id: "checkout-o2", taskQueue: environment.taskQueue))
                try await environment.sleep(for: .seconds(24 * 3600))
                try await handle.signal("note", "ring twice")
                #expect(try await handle.query("note", returning: String.self) == "ring twice")
                try await handle.signal("paid")
                #expect(try await handle.result() == "shipped o2")
            }
        }
    }

    @Test("An import goes on where the last attempt stopped")
    func importing() async throws {
        let environment = ActivityTestEnvironment(attempt: 2, previousDetails: [2])
        let count = try await environment.run(Import(), ["a", "b", "c", "d"])
        #expect(count == 4)
        #expect(environment.heartbeats.count == 2)
    }

    @Test("Today's code replays yesterday's histories")
    func histories() throws {
        let folder = ReplayedHistoryTests.folder.appending(path: "swift")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let histories = try files.map { try WorkflowHistory(contentsOf: $0) }
        let results = WorkflowReplayer(workflows: RecordedWorkflows.all).replay(all: histories)
        for result in results { #expect(result.isIdentical, "\(result)") }
    }
}
