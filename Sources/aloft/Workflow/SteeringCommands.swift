import ArgumentParser
import Worker

struct SignalWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "signal", abstract: "Send a signal.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @Option(name: .long, help: "Signal name.")
    var name: String
    @Option(name: [.customLong("input"), .customShort("i")], help: "An argument as JSON; repeat for more.")
    var input: [String] = []

    func run() async throws {
        let (target, name) = (target, name)
        let arguments = try input.map { try JSONValue.parse($0, argument: "--input") }
        try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .signal(name, arguments: arguments)
        }
        Terminal.line("signaled \(target.workflowID)")
    }
}

struct QueryWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "query", abstract: "Ask a workflow's code.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @Option(name: .long, help: "Query name, for example progress.")
    var name: String
    @Option(name: [.customLong("input"), .customShort("i")], help: "An argument as JSON; repeat for more.")
    var input: [String] = []

    func run() async throws {
        let (target, name) = (target, name)
        let arguments = try input.map { try JSONValue.parse($0, argument: "--input") }
        let answer = try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .query(name, arguments: arguments, returning: JSONValue.self)
        }
        Terminal.line(answer.text)
    }
}

struct CancelWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ask a workflow to end; its code decides how (payments compensate).")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @Option(name: .long, help: "Why, for the history.")
    var reason: String = ""

    func run() async throws {
        let (target, reason) = (target, reason)
        try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .cancel(reason: reason)
        }
        Terminal.line("cancellation of \(target.workflowID) requested")
    }
}

struct TerminateWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "terminate",
        abstract: "End a workflow at once; its code does not run again, so nothing is compensated.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @Option(name: .long, help: "Why, for the history.")
    var reason: String = ""

    func run() async throws {
        let (target, reason) = (target, reason)
        try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .terminate(reason: reason)
        }
        Terminal.line("terminated \(target.workflowID)")
    }
}
