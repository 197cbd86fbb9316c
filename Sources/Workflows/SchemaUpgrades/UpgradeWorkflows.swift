public import Activities
public import Worker

/// The schema upgrades as a worker takes them.
public enum UpgradeWorkflows {
    public static let all: [RegisteredWorkflow] = [
        RegisteredWorkflow(FleetWorkflow.self), RegisteredWorkflow(TenantWorkflow.self),
        RegisteredWorkflow(CleanupWorkflow.self),
    ]

    /// Steps in one cluster at a time: each has a connection to a tenant's database.
    public static let clusterSlots = 20

    /// The workers of the family: one for workflows and the fleets' own steps, one for each cluster.
    ///
    /// Run all of them; they may be in one process or in several.
    public static func workers(
        client: WorkflowClient, services: UpgradeServices, options: WorkerOptions = WorkerOptions()
    ) -> [Worker] {
        let activities = UpgradeActivities.all(services)
        var clusterOptions = options
        clusterOptions.activitiesMax = self.clusterSlots
        let main = Worker(
            client: client, taskQueue: UpgradeQueues.main, workflows: self.all, activities: activities, options: options
        )
        return [main]
            + services.clusters.map { cluster in
                Worker(
                    client: client, taskQueue: UpgradeQueues.cluster(cluster), activities: activities,
                    options: clusterOptions)
            }
    }
}
