import ArgumentParser

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show the main jobs on real servers.",
        subcommands: [DemoPay.self, DemoNotify.self, DemoMigrate.self])
}
