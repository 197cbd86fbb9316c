import ArgumentParser
import Foundation
import TemporalAPI
import Worker

struct ResetWorkflow: AsyncParsableCommand {
    enum Point: String, ExpressibleByArgument, CaseIterable {
        case firstWorkflowTask = "FirstWorkflowTask"
        case lastWorkflowTask = "LastWorkflowTask"
    }

    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Begin a new run with the first part of a run's history; signals that came later are told again.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @Option(name: .long, help: "The start of a workflow task, or the event after it.")
    var eventID: Int64?
    @Option(name: .long, help: "FirstWorkflowTask or LastWorkflowTask, in place of --event-id.")
    var type: Point?
    @Option(name: .long, help: "Why, for the history.")
    var reason: String
    @Option(name: .long, help: "What is not told the new run again: All, Signal, Update; repeat for more.")
    var reapplyExclude: [String] = []

    func validate() throws {
        guard (eventID == nil) != (type == nil) else { throw ValidationError("give --event-id or --type") }
        for name in reapplyExclude where !["All", "Signal", "Update"].contains(name) {
            throw ValidationError("--reapply-exclude is All, Signal or Update, got \(name)")
        }
    }

    func run() async throws {
        let (target, eventID, type, reason) = (target, eventID, type, reason)
        var options = ResetOptions(reason: reason)
        options.excludesSignals = !Set(reapplyExclude).isDisjoint(with: ["All", "Signal"])
        options.excludesUpdates = !Set(reapplyExclude).isDisjoint(with: ["All", "Update"])
        options.excludesCancelRequests = reapplyExclude.contains("All")
        let chosen = options
        let run = try await server.withClient { client in
            let handle = client.handle(
                workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
            let point: ResetPoint =
                switch type {
                case .firstWorkflowTask?: .firstWorkflowTask
                case .lastWorkflowTask?: .lastWorkflowTask
                case nil: .event(eventID ?? 0)
                }
            return try await handle.reset(to: point, options: chosen)
        }
        Terminal.line("reset \(target.workflowID), new run \(run)")
    }
}

struct DeleteWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a run and its history for good; an open one is terminated first.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget

    func run() async throws {
        let target = target
        try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .delete()
        }
        Terminal.line("deletion of \(target.workflowID) requested")
    }
}
