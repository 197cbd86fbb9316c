import ArgumentParser
import Foundation
import Worker

struct ListWorkflows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List workflows, newest first.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions
    @Option(
        name: [.customLong("query"), .customShort("q")],
        help: "For example \"WorkflowType = 'pay.Charge' AND ExecutionStatus = 'Running'\".")
    var query: String = ""
    @Option(name: .long, help: "How many at most.")
    var limit: Int = 50

    func run() async throws {
        let (query, limit) = (query, limit)
        let found = try await server.withClient { client in
            var found: [WorkflowSummary] = []
            for try await summary in client.list(query: query, pageSize: min(limit, 1000)) {
                if found.count == limit { break }
                found.append(summary)
            }
            return found
        }
        switch output.format {
        case .text:
            Terminal.table(
                [["STATUS", "WORKFLOW ID", "TYPE", "STARTED", "EVENTS"]]
                    + found.map {
                        [
                            "\($0.status)", $0.workflowID, $0.workflowType, $0.startTime.ISO8601Format(),
                            "\($0.historyLength)",
                        ]
                    })
        case .json: Terminal.line(Printable.list(found.map(\.printable)).json)
        }
    }
}

struct DescribeWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "describe", abstract: "Show the state of a run now.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let target = target
        let description = try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .describe()
        }
        let summary = description.summary
        switch output.format {
        case .text:
            Terminal.table([
                ["workflow id", summary.workflowID], ["run id", summary.runID], ["type", summary.workflowType],
                ["task queue", summary.taskQueue], ["status", "\(summary.status)"],
                ["started", summary.startTime.ISO8601Format()],
                ["closed", summary.closeTime?.ISO8601Format() ?? "-"], ["events", "\(summary.historyLength)"],
                ["history bytes", "\(summary.historyBytes)"],
                ["workflow task", description.workflowTaskAttempt.map { "attempt \($0)" } ?? "-"],
            ])
            for activity in description.pendingActivities {
                Terminal.line(
                    "pending activity \(activity.activityType) (\(activity.activityID)): \(activity.state), attempt \(activity.attempt)"
                        + (activity.lastFailure.map { ", last failure: \($0)" } ?? ""))
            }
        case .json:
            guard case .object(var fields) = summary.printable else { return }
            fields.append(
                (
                    "pendingActivities",
                    .list(
                        description.pendingActivities.map {
                            .object([
                                ("activityId", .string($0.activityID)), ("type", .string($0.activityType)),
                                ("state", .string("\($0.state)")),
                                ("attempt", .integer(Int64($0.attempt))),
                            ])
                        })
                ))
            Terminal.line(Printable.object(fields).json)
        }
    }
}

struct ShowWorkflow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Print the history of a run.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: WorkflowTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let target = target
        let history = try await server.withClient { client in
            try await client.handle(workflowID: target.workflowID, runID: target.runID, returning: JSONValue.self)
                .fetchHistory()
        }
        let lines = try HistoryLine.lines(of: history.events)
        switch output.format {
        case .text: Terminal.table(lines.map { ["\($0.id)", $0.time, $0.type, $0.detail] })
        case .json: Terminal.line(Printable.list(lines.map(\.printable)).json)
        }
    }
}

extension WorkflowSummary {
    var printable: Printable {
        .object([
            ("workflowId", .string(workflowID)), ("runId", .string(runID)), ("type", .string(workflowType)),
            ("taskQueue", .string(taskQueue)),
            ("status", .string("\(status)")), ("startTime", .string(startTime.ISO8601Format())),
            ("closeTime", .optional(closeTime?.ISO8601Format())), ("historyLength", .integer(Int64(historyLength))),
            ("historyBytes", .integer(Int64(historyBytes))),
        ])
    }
}
