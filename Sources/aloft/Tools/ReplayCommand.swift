import ArgumentParser
import Engine
import History
import TemporalCodec
import Worker

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Replay histories: fold them and execute them again.",
        subcommands: [ReplayRun.self, ReplayFiles.self, ReplayVerify.self])
}

struct ReplayRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Fold a run's history and execute it again with the code of this program.",
        discussion: """
            Exit code 0: the code makes the same decisions. 2: it diverges; the first divergence is named. 3: the events do not
            fold. 1: anything else, such as an unknown workflow.
            """)
    @Argument(help: "Workflow id.")
    var workflowID: String
    @Option(name: [.customLong("run-id"), .customShort("r")], help: "Run id; the current run if not given.")
    var runID: String?
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap()
        let (workflowID, runID) = (workflowID, runID)
        let history = try await server.withClient { client in
            try await client.handle(workflowID: workflowID, runID: runID, returning: JSONValue.self).fetchHistory()
        }
        let events: [Event]
        let folded: Run
        do {
            events = try history.events.map { try EventCodec.decode($0) }
            folded = try Run.fold(events)
        } catch {
            report(same: false, events: history.events.count, status: "", problem: "the events do not fold: \(error)")
            throw ExitCode(3)
        }
        let status = folded.status.map { "\($0)" } ?? "empty"
        let replayed: ReplayReport
        do {
            replayed = try WorkflowReplayer(workflows: FamilyWorkers.workflows, log: log)
                .replay(events, namespace: server.namespace, workflowID: workflowID, runID: runID ?? "")
        } catch {
            throw CommandFailure(error.reason)
        }
        if let divergence = replayed.divergence {
            report(same: false, events: events.count, status: status, problem: divergence.description)
            throw ExitCode(2)
        }
        report(same: true, events: events.count, status: status, problem: nil)
    }

    private func report(same: Bool, events: Int, status: String, problem: String?) {
        switch output.format {
        case .text:
            Terminal.line(
                same
                    ? "identical: \(events) events fold to \(status), and today's code makes the same decisions"
                    : "DIVERGED after reading \(events) events: \(problem ?? "")")
        case .json:
            Terminal.line(
                Printable.object([
                    ("workflowId", .string(workflowID)), ("identical", .boolean(same)),
                    ("events", .integer(Int64(events))),
                    ("status", .string(status)), ("problem", .optional(problem)),
                ]).json)
        }
    }
}
