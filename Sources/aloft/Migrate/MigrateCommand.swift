import Activities
import ArgumentParser
import Foundation

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring many tenants' databases to a schema version.",
        discussion: """
            A folder holds migrations V{major.minor}__name.sql with a header: '-- phase: expand|backfill|contract', '-- tx: true|false',
            '-- down: FILE|irreversible', '-- backfill: table,key,batch,sleep_ms', '-- verify: FILE', '-- allow: RULE REASON'.
            """,
        subcommands: [
            LintMigrations.self, PlanMigrations.self, ApplyMigrations.self, MigrationStatus.self, ApproveMigration.self,
            RejectMigration.self, SteerMigration.self, PutTenant.self,
        ])
}

struct MigrationFolder: ParsableArguments {
    @Argument(help: "Folder with the migrations.")
    var folder: String

    /// Faults go to standard error, one a line, with file and field.
    func read() throws -> (files: [String: String], set: MigrationSet) {
        do throws(MigrationSet.Unusable) {
            let files = try MigrationSet.files(in: URL(filePath: folder))
            return (files, try MigrationSet(files: files))
        } catch {
            throw CommandFailure(error.description)
        }
    }
}

struct LintMigrations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Check a folder of migrations; exit code 1 when something blocks.")
    @OptionGroup var migrations: MigrationFolder
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let set = try migrations.read().set
        let findings = MigrationLint.findings(of: set)
        switch output.format {
        case .json:
            let shown: [(String, Printable)] = [
                ("sha256", Printable.string(set.sha256)), ("findings", Printable.list(findings.map(Self.printable))),
                ("blocked", Printable.boolean(findings.contains(where: \.isBlocking))),
            ]
            Terminal.line(Printable.object(shown).json)
        case .text:
            for finding in findings { Self.show(finding) }
            let blocking = findings.count(where: \.isBlocking)
            Terminal.line(
                "\(set.migrations.count) migrations, \(blocking) findings that block, \(findings.count - blocking) allowed"
            )
        }
        if findings.contains(where: \.isBlocking) { throw ExitCode(1) }
    }

    static func show(_ finding: LintFinding) {
        Terminal.line("\(finding.file):\(finding.line): \(finding.rule.rawValue): \(finding.message)")
        Terminal.line("    \(finding.statement)")
        if let reason = finding.allowedBecause { Terminal.line("    allowed: \(reason)") }
    }

    private static func printable(_ finding: LintFinding) -> Printable {
        .object([
            ("rule", .string(finding.rule.rawValue)), ("file", .string(finding.file)),
            ("line", .integer(Int64(finding.line))), ("statement", .string(finding.statement)),
            ("message", .string(finding.message)), ("allowed_because", .optional(finding.allowedBecause)),
        ])
    }
}

struct PlanMigrations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what an upgrade would do: migrations by pass, and waves.")
    @OptionGroup var migrations: MigrationFolder
    @Option(name: .long, help: "How many tenants to plan for.")
    var tenants = 50
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let set = try migrations.read().set
        let passes: [(String, [MigrationPhase])] = [("expand", [.expand, .backfill]), ("contract", [.contract])]
        let sizes = WavePlan.sizes(of: WaveSpec.standard, total: tenants)
        if output.format == .json {
            return Terminal.line(Self.printable(set, sizes).json)
        }
        Terminal.line("set \(set.sha256), to \(set.latest)")
        for (name, phases) in passes {
            let chosen = set.migrations.filter { phases.contains($0.phase) }
            guard !chosen.isEmpty else { continue }
            Terminal.line("\n\(name):\(name == "contract" ? " after an approval" : "")")
            Terminal.table(
                chosen.map {
                    [
                        "  \($0.version)", $0.name, $0.phase.rawValue,
                        $0.isTransactional ? "in one transaction" : "outside a transaction",
                        $0.isIrreversible ? "irreversible" : "",
                    ]
                })
        }
        Terminal.line("\nwaves:")
        Terminal.table(
            zip(WaveSpec.standard, sizes).map {
                [
                    "  \($0.name)", "\($1) tenants",
                    $0.soakSeconds > 0 ? "then watched for \(Int($0.soakSeconds / 60)) min" : "",
                ]
            })
    }

    private static func printable(_ set: MigrationSet, _ sizes: [Int]) -> Printable {
        let items = set.migrations.map { migration -> Printable in
            let fields: [(String, Printable)] = [
                ("version", Printable.string(migration.version.description)),
                ("name", Printable.string(migration.name)),
                ("phase", Printable.string(migration.phase.rawValue)),
                ("tx", Printable.boolean(migration.isTransactional)),
                ("irreversible", Printable.boolean(migration.isIrreversible)),
            ]
            return Printable.object(fields)
        }
        let waves = zip(WaveSpec.standard, sizes).map { wave, size -> Printable in
            Printable.object([("name", Printable.string(wave.name)), ("tenants", Printable.integer(Int64(size)))])
        }
        return Printable.object([
            ("sha256", Printable.string(set.sha256)), ("target", Printable.string(set.latest.description)),
            ("migrations", Printable.list(items)), ("waves", Printable.list(waves)),
        ])
    }
}
