import ArgumentParser
import Foundation
import Worker

/// Replays exported histories without a server.
struct ReplayFiles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files", abstract: "Execute exported histories again with the code of this program.",
        discussion: """
            Files hold JSON as any tool exports it, or an encoded History. Exit code 0: all are identical. 2: some diverge; the
            first divergence of each is named. 1: some cannot be replayed.
            """)
    @Argument(help: "Files with histories.", completion: .file())
    var files: [String]
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap()
        let replayer = WorkflowReplayer(workflows: FamilyWorkers.workflows, log: log)
        let histories = try files.map { file in
            do { return try WorkflowHistory(contentsOf: URL(filePath: file)) } catch {
                throw CommandFailure("\(file): \(error)")
            }
        }
        let results = replayer.replay(all: histories)
        for result in results { report(result) }
        if results.contains(where: { (try? $0.outcome.get()) == nil }) { throw ExitCode(1) }
        guard results.allSatisfy({ $0.isIdentical }) else { throw ExitCode(2) }
    }

    private func report(_ result: ReplayResult) {
        switch output.format {
        case .text: Terminal.line(result.description)
        case .json:
            Terminal.line(
                Printable.object([
                    ("source", .string(result.source)), ("identical", .boolean(result.isIdentical)),
                    ("report", .string(result.description)),
                ]).json)
        }
    }
}
