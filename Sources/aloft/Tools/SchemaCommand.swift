import ArgumentParser
import Foundation
import Logging

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "The database schema.", subcommands: [ApplySchema.self, CheckSchema.self])
}

struct DatabaseOptions: ParsableArguments {
    @Option(name: .long, help: "Postgres connection string (or ALOFT_DATABASE_URL).")
    var databaseURL: String?

    var url: String {
        get throws {
            guard let url = databaseURL ?? ProcessInfo.processInfo.environment["ALOFT_DATABASE_URL"] else {
                throw CommandFailure("--database-url: give a connection string, or set ALOFT_DATABASE_URL")
            }
            return url
        }
    }
}

struct ApplySchema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Bring a database to this version; safe to repeat.")
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap()
        let applied = try await SchemaTool.apply(url: try database.url, log: log)
        Terminal.line(applied.isEmpty ? "the schema is up to date" : "applied: \(applied.joined(separator: ", "))")
    }
}

struct CheckSchema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether a database has this version's schema; exit code 1 when not.")
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var logging: LogOptions

    func run() async throws {
        let log = logging.bootstrap()
        let missing = try await SchemaTool.missing(url: try database.url, log: log)
        guard missing.isEmpty else { throw CommandFailure("not applied yet: \(missing.joined(separator: ", "))") }
        Terminal.line("the schema is up to date")
    }
}
