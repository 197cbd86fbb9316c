public import Activities
public import Worker

/// The notification family as a worker takes it.
public enum NotificationWorkflows {
    public static let all: [RegisteredWorkflow] = [
        RegisteredWorkflow(SendWorkflow.self), RegisteredWorkflow(DigestWorkflow.self),
        RegisteredWorkflow(EraseWorkflow.self),
    ]

    /// Slots of a channel's own queue (the bulkhead's permits).
    static let channelSlots = 20

    /// The workers of the family: one for workflows and steps on our tables, one for each channel.
    ///
    /// Run all of them; they may be in one process or in several.
    ///
    /// - Parameter erase: what `ntf.Erase` runs; nil: another worker has it.
    public static func workers(
        client: WorkflowClient, services: NotificationServices, erase: EraseServices? = nil,
        options: WorkerOptions = WorkerOptions()
    ) -> [Worker] {
        let activities = NotificationActivities.all(services)
        var channelOptions = options
        channelOptions.activitiesMax = self.channelSlots
        let main = Worker(
            client: client, taskQueue: NotificationQueues.main, workflows: self.all,
            activities: activities + (erase?.activities ?? []), options: options)
        return [main]
            + Channel.allCases.map { channel in
                Worker(
                    client: client, taskQueue: NotificationQueues.channel(channel), activities: activities,
                    options: channelOptions)
            }
    }
}
