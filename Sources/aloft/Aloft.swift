import ArgumentParser

/// The program: server, workers, tools.
@main
struct Aloft: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aloft",
        abstract: "A durable workflow engine: Temporal's protocol, Postgres for the truth, NATS for the feed.",
        discussion: """
            Begin with 'aloft server start-dev': it starts a private Postgres and nats-server, the engine, the built-in
            workers and the sandbox, and prints the addresses. Every command that shows something takes '--output json'.
            """,
        version: AloftVersion.text,
        subcommands: [
            ServerCommand.self, WorkflowCommand.self, ScheduleCommand.self, BatchCommand.self, ActivityCommand.self,
            TaskQueueCommand.self, OperatorCommand.self, DeadLetterCommand.self, WorkerCommand.self,
            MigrateCommand.self, SandboxCommand.self, SchemaCommand.self,
            ReplayCommand.self,
            FeedCommand.self, DemoCommand.self, BenchCommand.self,
        ])
}

enum AloftVersion {
    static let text = "0.1.0"
}
