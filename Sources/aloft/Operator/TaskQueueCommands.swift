import ArgumentParser
import Foundation
import SwiftProtobuf
import TemporalAPI

struct DescribeTaskQueue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show the pollers and the backlog of a task queue.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions
    @Option(name: [.customLong("task-queue"), .customShort("t")], help: "Task queue.")
    var taskQueue: String

    private typealias Response = Temporal_Api_Workflowservice_V1_DescribeTaskQueueResponse

    func run() async throws {
        let (queue, namespace) = (taskQueue, server.namespace)
        let found = try await server.withCalls { calls -> [(String, Response)] in
            var found: [(String, Response)] = []
            for (name, type) in [("workflow", Temporal_Api_Enums_V1_TaskQueueType.workflow), ("activity", .activity)] {
                let request = Temporal_Api_Workflowservice_V1_DescribeTaskQueueRequest.with {
                    $0.namespace = namespace
                    $0.taskQueue = .with { $0.name = queue }
                    $0.taskQueueType = type
                    $0.reportStats = true
                }
                found.append((name, try await calls.workflow("DescribeTaskQueue", request, as: Response.self)))
            }
            return found
        }
        switch output.format {
        case .text: Self.show(found)
        case .json: Terminal.line(Printable.object(found.map { ($0.0, Self.printable($0.1)) }).json)
        }
    }

    private static func show(_ found: [(String, Response)]) {
        Terminal.table(
            [["TYPE", "BACKLOG", "OLDEST", "ADDED/S", "DISPATCHED/S"]]
                + found.map {
                    [
                        $0.0, "\($0.1.stats.approximateBacklogCount)",
                        SpanArgument.text($0.1.stats.approximateBacklogAge), "\($0.1.stats.tasksAddRate)",
                        "\($0.1.stats.tasksDispatchRate)",
                    ]
                })
        let pollers = found.flatMap { type, response in
            response.pollers.map { [type, $0.identity, $0.lastAccessTime.date.ISO8601Format()] }
        }
        Terminal.table([["TYPE", "POLLER", "LAST SEEN"]] + pollers)
    }

    private static func printable(_ response: Response) -> Printable {
        .object([
            ("backlogCount", .integer(response.stats.approximateBacklogCount)),
            ("backlogAge", .string(SpanArgument.text(response.stats.approximateBacklogAge))),
            ("tasksAddRate", .number(Double(response.stats.tasksAddRate))),
            ("tasksDispatchRate", .number(Double(response.stats.tasksDispatchRate))),
            ("pollers", .list(response.pollers.map { .string($0.identity) })),
        ])
    }
}

struct CountWorkflows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "Count workflows; a query may end with GROUP BY ExecutionStatus.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions
    @Option(
        name: [.customLong("query"), .customShort("q")], help: "For example \"WorkflowType = 'pay.Charge'\".")
    var query: String = ""

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsRequest.with {
            $0.namespace = server.namespace
            $0.query = query
        }
        let found = try await server.withCalls { calls in
            try await calls.workflow(
                "CountWorkflowExecutions", request,
                as: Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsResponse.self)
        }
        let groups = found.groups.map { group in
            let values = group.groupValues.compactMap {
                try? Temporal_Api_Common_V1_Payload(serializedBytes: $0)
            }
            let names = values.map { String(decoding: $0.data, as: UTF8.self).filter { $0 != "\"" } }
            return (names.joined(separator: ", "), group.count)
        }
        switch output.format {
        case .text:
            Terminal.line("total: \(found.count)")
            if !groups.isEmpty { Terminal.table(groups.map { [$0.0, "\($0.1)"] }) }
        case .json:
            Terminal.line(
                Printable.object([
                    ("count", .integer(found.count)), ("groups", .object(groups.map { ($0.0, .integer($0.1)) })),
                ]).json)
        }
    }
}
