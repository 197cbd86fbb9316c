import Worker

enum VersioningArticle {
    final class Greeting: WorkflowDefinition {
        func run(_ name: String, _ context: WorkflowContext) async throws -> String {
            let options = ActivityOptions(startToCloseTimeout: .seconds(5))
            if context.patched("greet politely") {
                return try await context.executeActivity("greetPolitely", name, options: options)
            }
            return try await context.executeActivity("greet", name, options: options)
        }
    }

    final class GreetingLater: WorkflowDefinition {
        static let name = "Greeting"

        func run(_ name: String, _ context: WorkflowContext) async throws -> String {
            let options = ActivityOptions(startToCloseTimeout: .seconds(5))
            context.deprecatePatch("greet politely")
            return try await context.executeActivity("greetPolitely", name, options: options)
        }
    }

    static func versioned(_ client: WorkflowClient) -> Worker {
        Worker(
            client: client, taskQueue: "shop",
            workflows: [RegisteredWorkflow(Greeting.self, versioning: .pinned)],
            options: WorkerOptions(
                deployment: WorkerDeployment(name: "shop", buildID: "2024-11-21", isVersioned: true)))
    }
}
