import ArgumentParser
import Foundation
import Worker

/// `aloft batch …`: names and flags as in Temporal's command line.
struct BatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch", abstract: "Do one thing to many workflows.",
        subcommands: [StartBatch.self, ListBatches.self, DescribeBatch.self, TerminateBatch.self])
}

struct StartBatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Cancel, terminate, signal or delete every workflow that a query finds.")
    @OptionGroup var server: ServerAddress
    @Option(name: [.customLong("query"), .customShort("q")], help: "Which ones, in the list language.")
    var query: String
    @Option(name: .long, help: "cancel, terminate, signal or delete.")
    var operation: Operation
    @Option(name: .long, help: "Why.")
    var reason: String
    @Option(name: .long, help: "Job id; made up if not given.")
    var jobID: String?
    @Option(name: .long, help: "Signal name, for signal.")
    var name: String?
    @Option(
        name: [.customLong("input"), .customShort("i")], help: "An argument of the signal as JSON; repeat for more.")
    var input: [String] = []
    @Option(name: .long, help: "Operations a second.")
    var rps: Float?

    enum Operation: String, ExpressibleByArgument, CaseIterable { case cancel, terminate, signal, delete }

    func validate() throws {
        if operation == .signal, name == nil { throw ValidationError("--name is needed for a signal") }
    }

    func run() async throws {
        let arguments = try input.map { try JSONValue.parse($0, argument: "--input") }
        let action: BatchAction =
            switch operation {
            case .cancel: .cancel
            case .terminate: .terminate
            case .delete: .delete
            case .signal: .signal(name: name ?? "", arguments: arguments)
            }
        let job = jobID ?? UUID().uuidString.lowercased()
        let (query, reason, rps) = (query, reason, rps)
        try await server.withClient {
            try await $0.startBatch(jobID: job, query: query, reason: reason, action, operationsPerSecond: rps)
        }
        Terminal.line("started batch operation \(job)")
    }
}

struct ListBatches: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List batch operations.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let entries = try await server.withClient { try await $0.listBatches() }
        switch output.format {
        case .text:
            Terminal.table(
                [["JOB", "STATE", "STARTED", "CLOSED"]]
                    + entries.map {
                        [
                            $0.jobID, "\($0.state)", SpecText.moment($0.startTime),
                            $0.closeTime.map(SpecText.moment) ?? "",
                        ]
                    })
        case .json:
            Terminal.line(
                Printable.list(
                    entries.map {
                        .object([
                            ("jobId", .string($0.jobID)), ("state", .string("\($0.state)")),
                            ("startTime", .string(SpecText.moment($0.startTime))),
                            ("closeTime", .optional($0.closeTime.map(SpecText.moment))),
                        ])
                    }
                ).json)
        }
    }
}

struct DescribeBatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show how far a batch operation has come.")
    @OptionGroup var server: ServerAddress
    @Option(name: .long, help: "Job id.")
    var jobID: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let job = jobID
        let found = try await server.withClient { try await $0.describeBatch(jobID: job) }
        switch output.format {
        case .text:
            Terminal.table([
                ["job", found.jobID], ["state", "\(found.state)"], ["reason", found.reason], ["query", found.query],
                ["started", SpecText.moment(found.startTime)],
                ["closed", found.closeTime.map(SpecText.moment) ?? ""],
                ["done", "\(found.completed) of \(found.total), \(found.failed) failed"],
            ])
        case .json:
            Terminal.line(
                Printable.object([
                    ("jobId", .string(found.jobID)), ("state", .string("\(found.state)")),
                    ("reason", .string(found.reason)), ("query", .string(found.query)),
                    ("identity", .string(found.identity)), ("totalCount", .integer(Int64(found.total))),
                    ("completeCount", .integer(Int64(found.completed))),
                    ("failureCount", .integer(Int64(found.failed))),
                    ("startTime", .string(SpecText.moment(found.startTime))),
                    ("closeTime", .optional(found.closeTime.map(SpecText.moment))),
                ]).json)
        }
    }
}

struct TerminateBatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "terminate", abstract: "Stop a batch operation; what it did stays done.")
    @OptionGroup var server: ServerAddress
    @Option(name: .long, help: "Job id.")
    var jobID: String
    @Option(name: .long, help: "Why.")
    var reason: String

    func run() async throws {
        let (job, reason) = (jobID, reason)
        try await server.withClient { try await $0.stopBatch(jobID: job, reason: reason) }
        Terminal.line("stopped batch operation \(job)")
    }
}
