import ArgumentParser
import Foundation
import Worker

/// `aloft workflow update …`
struct UpdateWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Call into a workflow and get an answer.",
        subcommands: [ExecuteUpdate.self, StartUpdate.self, DescribeUpdate.self, ResultOfUpdate.self])
}

/// What is called, with what.
struct UpdateArguments: ParsableArguments {
    @Option(name: .long, help: "Update name.")
    var name: String
    @Option(name: .long, help: "Update id, unique in the run; made up if not given. Repeating one attaches to it.")
    var updateID: String?
    @Option(name: [.customLong("input"), .customShort("i")], help: "An argument as JSON; repeat for more.")
    var input: [String] = []

    var arguments: [JSONValue] {
        get throws { try input.map { try JSONValue.parse($0, argument: "--input") } }
    }
}

/// Which update a command means.
struct UpdateTarget: ParsableArguments {
    @OptionGroup var workflow: WorkflowTarget
    @Option(name: .long, help: "Update id.")
    var updateID: String
}

enum UpdateStageName: String, ExpressibleByArgument, CaseIterable {
    case accepted
    case completed
    var stage: WorkflowUpdateStage {
        switch self {
        case .accepted: .accepted
        case .completed: .completed
        }
    }
}

struct ExecuteUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute", abstract: "Ask for an update and wait for its result.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @OptionGroup var update: UpdateArguments
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (target, name, id) = (target, update.name, update.updateID)
        let arguments = try update.arguments
        let outcome = try await server.withClient { client in
            let handle = try await client.handle(
                workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self
            ).startUpdate(name, arguments: arguments, id: id, waitFor: .completed, returning: JSONValue.self)
            return try await UpdateOutcome(handle)
        }
        try outcome.show(output.format)
    }
}

struct StartUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Ask for an update and wait until it is accepted.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @OptionGroup var update: UpdateArguments
    @Option(name: .long, help: "accepted, the only stage there is to wait for.")
    var waitForStage: UpdateStageName
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (target, name, id, stage) = (target, update.name, update.updateID, waitForStage.stage)
        let arguments = try update.arguments
        let handle = try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .startUpdate(name, arguments: arguments, id: id, waitFor: stage, returning: JSONValue.self)
        }
        UpdateOutcome(handle, stage: waitForStage.rawValue).line(output.format)
    }
}

struct ResultOfUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "result", abstract: "Wait for an update's result.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: UpdateTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (workflow, id) = (target.workflow, target.updateID)
        let outcome = try await server.withClient { client in
            let handle = client.handle(
                workflowID: workflow.workflowID, runID: workflow.runID, returning: JSONValue.self
            ).updateHandle(id: id, returning: JSONValue.self)
            return try await UpdateOutcome(handle)
        }
        try outcome.show(output.format)
    }
}

struct DescribeUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show how far an update has come.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: UpdateTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (workflow, id) = (target.workflow, target.updateID)
        let outcome = try await server.withClient { client in
            let handle = client.handle(
                workflowID: workflow.workflowID, runID: workflow.runID, returning: JSONValue.self
            ).updateHandle(id: id, returning: JSONValue.self)
            let stage = try await handle.stage()
            if stage == .completed { return try await UpdateOutcome(handle) }
            return UpdateOutcome(handle, stage: stage == nil ? "admitted" : "accepted")
        }
        try outcome.show(output.format)
    }
}

/// How far an update came, for people and programs; a failure is the command's failure.
struct UpdateOutcome: Sendable {
    let updateID: String
    let workflowID: String
    let runID: String?
    let stage: String
    let result: Swift.Result<JSONValue?, WorkflowUpdateFailed>

    /// Waits for the end.
    init(_ handle: WorkflowUpdateHandle<JSONValue>) async throws {
        updateID = handle.id
        workflowID = handle.workflowID
        runID = handle.runID
        stage = "completed"
        do {
            result = .success(try await handle.result())
        } catch let failure as WorkflowUpdateFailed {
            result = .failure(failure)
        }
    }

    init(_ handle: WorkflowUpdateHandle<JSONValue>, stage: String) {
        updateID = handle.id
        workflowID = handle.workflowID
        runID = handle.runID
        self.stage = stage
        result = .success(nil)
    }

    func show(_ format: OutputFormat) throws {
        var fields: [(String, Printable)] = [
            ("updateId", .string(updateID)), ("workflowId", .string(workflowID)), ("runId", .optional(runID)),
            ("stage", .string(stage)),
        ]
        switch (result, format) {
        case (.success(let value), .text): Terminal.line(value?.text ?? stage)
        case (.success(let value), .json):
            if let value { fields.append(("result", .raw(value.text))) }
            Terminal.line(Printable.object(fields).json)
        case (.failure(let error), .json):
            fields.append(("failure", .string("\(error.cause)")))
            Terminal.line(Printable.object(fields).json)
            throw ExitCode(1)
        case (.failure(let error), .text): throw CommandFailure("\(error)")
        }
    }
}

/// What an update-with-start needs beside the start.
struct UpdateOfStartArguments: ParsableArguments {
    @Option(name: .long, help: "Update name.")
    var updateName: String
    @Option(name: .long, help: "Update id; made up if not given.")
    var updateID: String?
    @Option(name: .long, help: "An argument of the update as JSON; repeat for more.")
    var updateInput: [String] = []
}

/// Starts a workflow unless it runs, and asks it for an update.
private func updateWithStart(
    _ server: ServerAddress, _ start: StartOptionsArguments, _ update: UpdateOfStartArguments,
    _ stage: WorkflowUpdateStage
) async throws -> UpdateOutcome {
    let (options, type, name, id) = (start.options, start.type, update.updateName, update.updateID)
    let arguments = try start.arguments
    let updateArguments = try update.updateInput.map { try JSONValue.parse($0, argument: "--update-input") }
    return try await server.withClient { client in
        let handle = try await client.updateWithStart(
            workflowType: type, arguments: arguments, options: options, update: name,
            updateArguments: updateArguments, updateID: id, waitFor: stage, returning: JSONValue.self,
            answering: JSONValue.self
        ).update
        return try await stage == .completed ? UpdateOutcome(handle) : UpdateOutcome(handle, stage: "accepted")
    }
}

struct ExecuteUpdateWithStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute-update-with-start",
        abstract: "Start a workflow unless it runs, ask it for an update and wait for the result.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var start: StartOptionsArguments
    @OptionGroup var update: UpdateOfStartArguments
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await updateWithStart(server, start, update, .completed).show(output.format)
    }
}

struct StartUpdateWithStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start-update-with-start",
        abstract: "Start a workflow unless it runs, and ask it for an update.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var start: StartOptionsArguments
    @OptionGroup var update: UpdateOfStartArguments
    @Option(name: .long, help: "accepted or completed.")
    var updateWaitForStage: UpdateStageName
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await updateWithStart(server, start, update, updateWaitForStage.stage).line(output.format)
    }
}

extension UpdateOutcome {
    /// Without the result.
    func line(_ format: OutputFormat) {
        switch format {
        case .text: Terminal.line("started update \(updateID) of \(workflowID) (run \(runID ?? ""))")
        case .json:
            Terminal.line(
                Printable.object([
                    ("updateId", .string(updateID)), ("workflowId", .string(workflowID)), ("runId", .optional(runID)),
                    ("stage", .string(stage)),
                ]).json)
        }
    }
}
