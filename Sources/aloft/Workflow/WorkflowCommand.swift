import ArgumentParser
import Foundation
import Worker

/// `aloft workflow …`: names and flags as in Temporal's command line.
struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow", abstract: "Start, watch and steer workflows.",
        subcommands: [
            StartWorkflow.self, ExecuteWorkflow.self, ListWorkflows.self, CountWorkflows.self, ShowWorkflow.self,
            DescribeWorkflow.self, ResultOfWorkflow.self,
            SignalWorkflow.self, QueryWorkflow.self, UpdateWorkflow.self, ExecuteUpdateWithStart.self,
            StartUpdateWithStart.self, CancelWorkflow.self, TerminateWorkflow.self, ResetWorkflow.self,
            DeleteWorkflow.self,
        ])
}

/// Which workflow a command means.
struct WorkflowTarget: ParsableArguments {
    @Option(name: [.customLong("workflow-id"), .customShort("w")], help: "Workflow id.")
    var workflowID: String
    @Option(name: [.customLong("run-id"), .customShort("r")], help: "Run id; the current run if not given.")
    var runID: String?
}

extension ServerAddress {
    var transportOptions: GRPCTransportOptions {
        get throws {
            guard var options = GRPCTransportOptions(address: address) else {
                throw CommandFailure("--address: '\(address)' is not HOST:PORT")
            }
            if tls || tlsCaPath != nil { options.security = .tls(.init(trustRootsFile: tlsCaPath)) }
            options.apiKey = apiKey ?? ProcessInfo.processInfo.environment["ALOFT_API_KEY"]
            return options
        }
    }

    /// Connects, runs `body`, and turns failures into a message for standard error.
    func withClient<Result: Sendable>(_ body: @Sendable @escaping (WorkflowClient) async throws -> Result) async throws
        -> Result
    {
        do {
            return try await WorkflowClient.withConnection(to: try transportOptions, namespace: namespace) {
                try await body($0)
            }
        } catch let failure as RPCFailure {
            let hint = failure.code == .unavailable ? " (is a server running at \(address)?)" : ""
            throw CommandFailure("\(failure.code): \(failure.message)\(hint)")
        } catch let failure as WorkflowNotFound {
            throw CommandFailure(failure.message)
        } catch let failure as WorkflowAlreadyStarted {
            throw CommandFailure(failure.message)
        } catch let failure as NamespaceNotFound {
            throw CommandFailure("namespace \(failure.namespace) is not registered")
        } catch let failure as QueryFailed {
            throw CommandFailure("the query failed: \(failure.message)")
        }
    }
}

struct StartOptionsArguments: ParsableArguments {
    @Option(name: [.customLong("workflow-id"), .customShort("w")], help: "Workflow id; made up if not given.")
    var workflowID: String?
    @Option(name: .long, help: "Workflow type.")
    var type: String
    @Option(name: [.customLong("task-queue"), .customShort("t")], help: "Task queue.")
    var taskQueue: String
    @Option(name: [.customLong("input"), .customShort("i")], help: "An argument as JSON; repeat for more.")
    var input: [String] = []
    @Option(name: .long, help: "Run timeout in seconds.")
    var runTimeout: Double?
    @Option(name: .long, help: "Execution timeout in seconds.")
    var executionTimeout: Double?
    @Option(name: .long, help: "Workflow task timeout in seconds.")
    var taskTimeout: Double?
    @Option(name: .long, help: "Delay before the first workflow task in seconds.")
    var startDelay: Double?
    @Option(name: .long, help: "AllowDuplicate, AllowDuplicateFailedOnly or RejectDuplicate.")
    var idReusePolicy: ReusePolicyName?
    @Option(name: .long, help: "Fail, UseExisting or TerminateExisting.")
    var idConflictPolicy: ConflictPolicyName?

    enum ReusePolicyName: String, ExpressibleByArgument, CaseIterable {
        case allowDuplicate = "AllowDuplicate"
        case allowDuplicateFailedOnly = "AllowDuplicateFailedOnly"
        case rejectDuplicate = "RejectDuplicate"
        var policy: IDReusePolicy {
            switch self {
            case .allowDuplicate: .allowDuplicate
            case .allowDuplicateFailedOnly: .allowDuplicateFailedOnly
            case .rejectDuplicate: .rejectDuplicate
            }
        }
    }

    enum ConflictPolicyName: String, ExpressibleByArgument, CaseIterable {
        case fail = "Fail"
        case useExisting = "UseExisting"
        case terminateExisting = "TerminateExisting"
        var policy: IDConflictPolicy {
            switch self {
            case .fail: .fail
            case .useExisting: .useExisting
            case .terminateExisting: .terminateExisting
            }
        }
    }

    var options: StartOptions {
        StartOptions(
            id: workflowID ?? "\(type)-\(UUID().uuidString.lowercased().prefix(8))", taskQueue: taskQueue,
            executionTimeout: executionTimeout.map { .seconds($0) }, runTimeout: runTimeout.map { .seconds($0) },
            taskTimeout: taskTimeout.map { .seconds($0) }, idReusePolicy: idReusePolicy?.policy,
            idConflictPolicy: idConflictPolicy?.policy, startDelay: startDelay.map { .seconds($0) })
    }

    var arguments: [JSONValue] {
        get throws { try input.map { try JSONValue.parse($0, argument: "--input") } }
    }
}

struct StartWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a workflow and return at once.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var start: StartOptionsArguments
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let options = start.options
        let arguments = try start.arguments
        let type = start.type
        let handle = try await server.withClient { client in
            try await client.start(
                workflowType: type, arguments: arguments, options: options, returning: JSONValue.self)
        }
        switch output.format {
        case .text: Terminal.line("started \(options.id) (run \(handle.firstRunID ?? ""))")
        case .json:
            Terminal.line(
                Printable.object([
                    ("workflowId", .string(options.id)), ("runId", .optional(handle.firstRunID)),
                    ("namespace", .string(server.namespace)),
                ]).json)
        }
    }
}

struct ExecuteWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute", abstract: "Start a workflow and wait for its result.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var start: StartOptionsArguments
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let options = start.options
        let arguments = try start.arguments
        let type = start.type
        let result = try await server.withClient { client in
            let handle = try await client.start(
                workflowType: type, arguments: arguments, options: options, returning: JSONValue.self)
            Terminal.progress("\(options.id) is running")
            let result = await Swift.Result { try await handle.result() }
            Terminal.progress("")
            return WorkflowOutcome(workflowID: options.id, runID: handle.firstRunID, result: result)
        }
        try result.show(output.format)
    }
}

struct ResultOfWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "result", abstract: "Wait for a workflow's result.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let target = target
        let outcome = try await server.withClient { client in
            let handle = client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
            let result = await Swift.Result { try await handle.result() }
            return WorkflowOutcome(workflowID: target.workflowID, runID: target.runID, result: result)
        }
        try outcome.show(output.format)
    }
}

/// How a workflow ended, for people and programs; a failure is the command's failure.
struct WorkflowOutcome: Sendable {
    let workflowID: String
    let runID: String?
    let result: Swift.Result<JSONValue, any Error>

    func show(_ format: OutputFormat) throws {
        switch (result, format) {
        case (.success(let value), .text): Terminal.line(value.text)
        case (.success(let value), .json):
            Terminal.line(
                Printable.object([
                    ("workflowId", .string(workflowID)), ("runId", .optional(runID)), ("status", .string("COMPLETED")),
                    ("result", .raw(value.text)),
                ]).json)
        case (.failure(let error as WorkflowFailed), .json):
            Terminal.line(
                Printable.object([
                    ("workflowId", .string(workflowID)), ("runId", .string(error.runID)),
                    ("status", .string("\(error.status)")),
                    ("failure", .string("\(error.cause)")),
                ]).json)
            throw ExitCode(1)
        case (.failure(let error), _):
            throw error is WorkflowFailed ? CommandFailure("\(error)") : error
        }
    }
}

extension Swift.Result where Failure == any Error, Success: Sendable {
    init(catching body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
