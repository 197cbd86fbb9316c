import ArgumentParser
import History
import Logging
import Postgres
import Runtime
import Store

struct ReplayVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every run of a database: hash chains, dense event ids, snapshots against a fold.",
        discussion: "Reads the database alone; no server needs to run. Exit code 1 when anything is wrong.")
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var logging: LogOptions

    private static let pageRuns = 200

    func run() async throws {
        let log = logging.bootstrap()
        let store: PostgresStore
        do {
            store = try await PostgresStore.open(
                .init(
                    PostgresConfiguration(url: try database.url, applicationName: "aloft verify"),
                    laneCount: HostConfiguration(node: "verify").laneCount))
        } catch let error as StoreError {
            throw CommandFailure("\(error)")
        }
        defer { store.close() }
        let verifier = RunVerifier(runs: store, encoder: CodecEventEncoder())
        var (runs, events) = (0, 0)
        var problems: [(RunKey, String)] = []
        for namespace in try await store.namespaces() {
            var query = VisibilityQuery(namespace: namespace.id, limit: Self.pageRuns)
            while true {
                let page = try await store.listRuns(query)
                for summary in page {
                    let key = summary.key
                    guard
                        let stored = try await store.loadRun(
                            namespace: key.namespace, workflow: key.workflow, run: key.run)
                    else {
                        problems.append((key, "listed, but not there"))
                        continue
                    }
                    let found = try await verifier.verify(stored)
                    runs += 1
                    events += Int(found.events)
                    problems += found.problems.map { (key, $0) }
                    log.debug("checked", metadata: ["run": "\(summary.key)"])
                }
                Terminal.progress("checked \(runs) runs, \(events) events")
                guard page.count == Self.pageRuns, let last = page.last else { break }
                query.after = last
            }
        }
        Terminal.progress("")
        report(runs: runs, events: events, problems: problems)
        if !problems.isEmpty { throw ExitCode(1) }
    }

    private func report(runs: Int, events: Int, problems: [(RunKey, String)]) {
        switch output.format {
        case .text:
            for (key, problem) in problems { Terminal.line("WRONG  \(key): \(problem)") }
            Terminal.line(
                "\(runs) runs, \(events) events: \(problems.isEmpty ? "all chains and snapshots agree" : "\(problems.count) problems")"
            )
        case .json:
            Terminal.line(
                Printable.object([
                    ("runs", .integer(Int64(runs))), ("events", .integer(Int64(events))),
                    (
                        "problems",
                        .list(problems.map { .object([("run", .string("\($0.0)")), ("problem", .string($0.1))]) })
                    ),
                ]).json)
        }
    }
}
