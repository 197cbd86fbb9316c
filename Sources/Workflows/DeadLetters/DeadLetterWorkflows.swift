public import Activities
public import Worker

/// Redriving as a worker takes it.
public enum DeadLetterWorkflows {
    public static let all: [RegisteredWorkflow] = [RegisteredWorkflow(RedriveWorkflow.self)]

    public static func worker(
        client: WorkflowClient, services: RedriveServices, options: WorkerOptions = WorkerOptions()
    ) -> Worker {
        Worker(
            client: client, taskQueue: DeadLetterQueues.main, workflows: self.all,
            activities: DeadLetterActivities.all(services), options: options)
    }
}
