import ArgumentParser

/// `aloft operator …`: names and flags as in Temporal's command line.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Namespaces and search attributes.",
        subcommands: [NamespaceCommand.self, SearchAttributeCommand.self])
}

struct NamespaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "namespace", abstract: "Create, change and remove namespaces.",
        subcommands: [
            CreateNamespace.self, DescribeNamespace.self, ListNamespaces.self, UpdateNamespace.self,
            DeprecateNamespace.self, DeleteNamespace.self,
        ])
}

struct SearchAttributeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search-attribute", abstract: "Define what workflows can be searched by.",
        subcommands: [CreateSearchAttributes.self, ListSearchAttributes.self, RemoveSearchAttributes.self])
}

/// `aloft task-queue …`.
struct TaskQueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task-queue", abstract: "Look at task queues.", subcommands: [DescribeTaskQueue.self])
}

/// `aloft activity …`.
struct ActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activity", abstract: "Complete, pause, reset and change activities of a workflow.",
        subcommands: [
            CompleteActivityCommand.self, FailActivityCommand.self, PauseActivityCommand.self,
            UnpauseActivityCommand.self, ResetActivityCommand.self, UpdateActivityOptionsCommand.self,
        ])
}
