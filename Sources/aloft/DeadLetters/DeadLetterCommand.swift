import ArgumentParser
import Foundation

/// `aloft dlq …`: what could not be done, and doing it again; the same as `/v1/dlq` and `/v1/redrives`.
struct DeadLetterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq", abstract: "Look at dead letters, settle them, do them again.",
        subcommands: [
            ListDeadLetters.self, ShowDeadLetter.self, DeadLetterStatistics.self, RedriveDeadLetters.self,
            RedriveJobs.self, ResolveDeadLetter.self, PurgeDeadLetters.self, ExportDeadLetters.self,
        ])
}

/// Which entries.
struct DeadLetterChoice: ParsableArguments {
    @Option(name: .long, help: "notification, webhook_delivery, outbox, workflow_task or domain.")
    var source: String?
    @Option(name: .long, help: "Tenant.")
    var tenant: String?
    @Option(name: .long, help: "Failure code, such as provider_5xx.")
    var code: String?
    @Option(name: .customLong("class"), help: "Failure class, such as Transient.")
    var failureClass: String?
    @Option(name: .long, help: "Parked since then (RFC 3339) or within a length of time (PT1H).")
    var since: String?
    @Option(name: .customLong("q"), help: "A part of the key, the message or the workflow id.")
    var text: String?

    var fields: [(String, String?)] {
        [
            ("source", source), ("tenant", tenant), ("code", code), ("class", failureClass), ("since", since),
            ("q", text),
        ]
    }

    func filter(ids: [String] = []) -> Printable {
        var members: [(String, Printable)] = fields.compactMap { name, value in
            name == "source" ? nil : value.map { (name, .string($0)) }
        }
        if !ids.isEmpty { members.append(("ids", .list(ids.map { .string($0) }))) }
        return .object(members)
    }
}

/// Who acts: every action says so.
struct ActorOption: ParsableArguments {
    @Option(name: .long, help: "Who does this (or the name of the user).")
    var actor: String = ProcessInfo.processInfo.environment["USER"] ?? "unknown"
}

struct ListDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List dead letters, newest first.")
    @OptionGroup var gateway: GatewayAddress
    @OptionGroup var choice: DeadLetterChoice
    @Option(name: .long, help: "PARKED, REDRIVING, REDRIVEN, RESOLVED, PURGED; 'all' for every state.")
    var state: String = "PARKED"
    @Option(name: .long, help: "How many.")
    var limit: Int = 50
    @Option(name: .long, help: "Go on after this cursor.")
    var after: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await gateway.ask(
            "GET", "/v1/dlq",
            query: choice.fields + [
                ("state", state == "all" ? nil : state), ("limit", "\(limit)"), ("after", after),
            ])
        switch output.format {
        case .json: Terminal.line(page.text)
        case .text:
            var rows = [["ID", "SOURCE", "TENANT", "CODE", "STATE", "REDRIVES", "LAST", "WORKFLOW"]]
            for item in page["items"]?.items ?? [] {
                var row = item.cells("id", "source", "tenant", "code", "state", "redrive_count")
                row.append(item.moment("last_at"))
                row.append(contentsOf: item.cells("workflow_id"))
                rows.append(row)
            }
            Terminal.table(rows)
            if let next = page["next"]?.string { Terminal.line("more: --after \(next)") }
        }
    }
}

struct ShowDeadLetter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one dead letter whole.")
    @OptionGroup var gateway: GatewayAddress
    @Argument(help: "Id.")
    var id: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let entry = try await gateway.ask("GET", "/v1/dlq/\(id)")
        guard output.format == .text else { return Terminal.line(entry.text) }
        let names = [
            "id", "source", "tenant", "key", "class", "code", "message", "state", "redrive_count", "note",
            "workflow_id",
            "redriven_as",
        ]
        var rows = names.map { name in [name] + entry.cells(name) }
        rows.append(["first", entry.moment("first_at")])
        rows.append(["last", entry.moment("last_at")])
        Terminal.table(rows)
        let attempts = entry["attempts"]?.items ?? []
        guard !attempts.isEmpty else { return }
        Terminal.line("\nattempts")
        Terminal.table(
            attempts.map { attempt in
                [attempt.moment("at")] + attempt.cells("channel", "provider", "class", "code", "text")
            })
    }
}

struct DeadLetterStatistics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Count dead letters by source, code and state.")
    @OptionGroup var gateway: GatewayAddress
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let stats = try await gateway.ask("GET", "/v1/dlq/stats")
        guard output.format == .text else { return Terminal.line(stats.text) }
        var rows = [["SOURCE", "CODE", "STATE", "COUNT", "OLDEST"]]
        for row in stats["rows"]?.items ?? [] {
            rows.append(row.cells("source", "code", "state", "count") + [row.moment("oldest")])
        }
        Terminal.table(rows)
        Terminal.line("\(stats["parked"]?.shown ?? "0") wait")
    }
}

struct ResolveDeadLetter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Close a dead letter that was settled by hand.")
    @OptionGroup var gateway: GatewayAddress
    @Argument(help: "Id.")
    var id: String
    @Option(name: .long, help: "How it was settled.")
    var note: String
    @OptionGroup var who: ActorOption

    func run() async throws {
        _ = try await gateway.ask(
            "POST", "/v1/dlq/\(id)/resolve",
            body: .object([("note", .string(note)), ("actor", .string(who.actor))]))
        Terminal.line("resolved \(id)")
    }
}

struct PurgeDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Ask for a purge, or approve somebody else's.",
        discussion: "Two people are needed: one asks, another approves with --approve.")
    @OptionGroup var gateway: GatewayAddress
    @OptionGroup var choice: DeadLetterChoice
    @Option(name: .long, help: "Why.")
    var reason: String?
    @Option(name: .long, help: "Id of the purge to approve.")
    var approve: String?
    @OptionGroup var who: ActorOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if (approve == nil) == (reason == nil) {
            throw ValidationError("give --reason to ask, or --approve to approve")
        }
    }

    func run() async throws {
        let answer: JSONValue
        if let approve {
            answer = try await gateway.ask(
                "POST", "/v1/purges/\(approve)/approve", body: .object([("actor", .string(who.actor))]))
        } else {
            var filter: [(String, Printable)] = []
            for (name, value) in choice.fields { if let value { filter.append((name, .string(value))) } }
            answer = try await gateway.ask(
                "POST", "/v1/dlq:purge",
                body: .object([
                    ("filter", .object(filter)), ("reason", .string(reason ?? "")), ("actor", .string(who.actor)),
                ]))
        }
        guard output.format == .text else { return Terminal.line(answer.text) }
        if let purged = answer["purged"] {
            Terminal.line("purged \(purged.shown)")
        } else {
            let id = answer["purge_id"]?.shown ?? ""
            Terminal.line("waits for another person: aloft dlq purge --approve \(id) --actor NAME")
        }
    }
}

struct ExportDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print dead letters as JSON lines; addresses are in none of them.")
    @OptionGroup var gateway: GatewayAddress
    @OptionGroup var choice: DeadLetterChoice

    func run() async throws {
        var after: String?
        repeat {
            let page = try await gateway.ask(
                "GET", "/v1/dlq", query: choice.fields + [("limit", "200"), ("after", after)])
            for item in page["items"]?.items ?? [] { Terminal.line(item.text) }
            after = page["next"]?.string
        } while after != nil
    }
}
