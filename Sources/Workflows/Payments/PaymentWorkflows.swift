public import Activities
public import Worker

/// The payment family as a worker takes it.
public enum PaymentWorkflows {
    public static let all: [RegisteredWorkflow] = [
        RegisteredWorkflow(ChargeWorkflow.self), RegisteredWorkflow(RefundWorkflow.self),
    ]

    /// Where workflows are started.
    public static let taskQueue = PaymentQueues.main

    /// Slots of a provider's own queue (the bulkhead's permits).
    static let providerSlots = 20

    /// The workers of the family: one for workflows and steps on our tables, one for the provider.
    ///
    /// Run all of them; they may be in one process or in several.
    public static func workers(
        client: WorkflowClient, services: PaymentServices, options: WorkerOptions = WorkerOptions()
    ) -> [Worker] {
        let activities = PaymentActivities.all(services)
        var providerOptions = options
        providerOptions.activitiesMax = self.providerSlots
        return [
            Worker(
                client: client, taskQueue: PaymentQueues.main, workflows: self.all, activities: activities,
                options: options),
            Worker(
                client: client, taskQueue: PaymentQueues.provider(PaymentServices.providerName), activities: activities,
                options: providerOptions),
        ]
    }
}
