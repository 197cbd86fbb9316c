import Worker

/// The smallest workflow that does something: one activity, 100 bytes back.
final class BenchHello: WorkflowDefinition {
    static let name = "BenchHello"
    func run(_ input: String, _ context: WorkflowContext) async throws -> String {
        try await context.executeActivity(
            "bench_act", input, options: ActivityOptions(startToCloseTimeout: .seconds(60)))
    }
}

enum BenchWorker {
    static let answer = String(repeating: "x", count: 100)

    static func make(_ client: WorkflowClient, taskQueue: String, inProcess: Bool) -> Worker {
        Worker(
            client: client, taskQueue: taskQueue, workflows: [RegisteredWorkflow(BenchHello.self)],
            activities: [RegisteredActivity("bench_act") { (_: String, _: ActivityContext) in answer }],
            options: WorkerOptions(
                workflowTasksMax: 200, activitiesMax: 200, workflowPollsMax: inProcess ? 16 : 10,
                activityPollsMax: inProcess ? 16 : 10,
                cachedRunsMax: 10_000))
    }
}
