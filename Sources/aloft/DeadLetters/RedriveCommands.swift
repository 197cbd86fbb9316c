import ArgumentParser
import Foundation

struct RedriveDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Start dead letters again as new workflows, at a pace.",
        discussion: "With --dry-run nothing happens: it shows how many, how old, which codes, and some samples.")
    @OptionGroup var gateway: GatewayAddress
    @Argument(help: "Ids; without any, the filter chooses.")
    var ids: [String] = []
    @OptionGroup var choice: DeadLetterChoice
    @Option(name: .long, help: "New workflows a second, 1 to 500.")
    var rate: Int = 10
    @Option(name: .long, help: "At most so many.")
    var limit: Int?
    @Option(
        name: .customLong("override"), help: "template.version=5, channel=sms or provider=b; repeat for more.")
    var overrides: [String] = []
    @Flag(name: .long, help: "Also entries that three redrives did not help.")
    var force = false
    @Flag(name: .long, help: "Only show what it would take.")
    var dryRun = false
    @Option(name: .long, help: "Why.")
    var reason: String?
    @OptionGroup var who: ActorOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if !dryRun, reason == nil { throw ValidationError("--reason is needed") }
        for text in overrides where !text.contains("=") {
            throw ValidationError("--override \(text): is not NAME=VALUE")
        }
    }

    func run() async throws {
        var body: [(String, Printable)] = [
            ("source", .string(choice.source ?? "notification")), ("filter", choice.filter(ids: ids)),
            ("rate", .integer(Int64(rate))), ("force", .boolean(force)), ("dry_run", .boolean(dryRun)),
            ("actor", .string(who.actor)),
        ]
        if let limit { body.append(("limit", .integer(Int64(limit)))) }
        if let reason { body.append(("reason", .string(reason))) }
        if !overrides.isEmpty {
            let members = overrides.map { text -> (String, Printable) in
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                return (parts.first ?? "", .string(parts.count == 2 ? parts[1] : ""))
            }
            body.append(("overrides", .object(members)))
        }
        let answer = try await gateway.ask("POST", "/v1/redrives", body: .object(body))
        guard output.format == .text else { return Terminal.line(answer.text) }
        if dryRun { show(answer) } else { Terminal.line("started \(answer["job_id"]?.shown ?? "")") }
    }

    private func show(_ preview: JSONValue) {
        Terminal.line("\(preview.cells("count")[0]) entries, the oldest of \(preview.moment("oldest"))")
        if case .object(let codes)? = preview["by_code"] {
            Terminal.table(codes.keys.sorted().map { name in ["  \(name)", codes[name]?.shown ?? ""] })
        }
        if let force = preview["need_force"]?.shown, force != "0" {
            Terminal.line("\(force) of them only with --force")
        }
        for sample in preview["samples"]?.items ?? [] {
            Terminal.line("  " + sample.cells("id", "key").joined(separator: "  "))
        }
    }
}

struct RedriveJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "List, show or cancel redrives.",
        subcommands: [ListRedrives.self, ShowRedrive.self, CancelRedrive.self])
}

private enum RedriveTable {
    static let titles = ["JOB", "SOURCE", "STATE", "DONE", "FAILED", "TOTAL", "RATE", "STARTED", "REASON"]

    static func row(_ job: JSONValue) -> [String] {
        job.cells("id", "source", "state", "done", "failed", "total", "per_second") + [job.moment("created_at")]
            + job.cells("reason")
    }
}

struct ListRedrives: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List redrives, newest first.")
    @OptionGroup var gateway: GatewayAddress
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let jobs = try await gateway.ask("GET", "/v1/redrives")
        switch output.format {
        case .json: Terminal.line(jobs.text)
        case .text: Terminal.table([RedriveTable.titles] + (jobs["items"]?.items ?? []).map(RedriveTable.row))
        }
    }
}

struct ShowRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show how far a redrive is.")
    @OptionGroup var gateway: GatewayAddress
    @Argument(help: "Job id.")
    var id: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let job = try await gateway.ask("GET", "/v1/redrives/\(id)")
        switch output.format {
        case .json: Terminal.line(job.text)
        case .text: Terminal.table(zip(RedriveTable.titles, RedriveTable.row(job)).map { [$0.lowercased(), $1] })
        }
    }
}

struct CancelRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a redrive; what it redrove stays so.")
    @OptionGroup var gateway: GatewayAddress
    @Argument(help: "Job id.")
    var id: String

    func run() async throws {
        _ = try await gateway.ask("POST", "/v1/redrives/\(id)/cancel")
        Terminal.line("cancelled \(id)")
    }
}
