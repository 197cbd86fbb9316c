import ArgumentParser
import Foundation
import Logging
import ServerTestKit
import Worker

struct DemoPay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pay", abstract: "Three payments through the whole system, with a worker killed in the middle.",
        discussion: """
            A good card, a declined card, and an order whose shipment is refused. The worker is a process of its own and is killed
            with -9 right after the provider captured the second time, before the answer was stored. Ends with the books.
            """)
    @OptionGroup var logging: LogOptions

    private static let orders = [
        DemoShop.Order(title: "good card", amount: 1250, card: "tok_visa", country: "DE"),
        DemoShop.Order(title: "declined card", amount: 4200, card: "tok_chargeDeclined", country: "DE"),
        DemoShop.Order(title: "shipping refused", amount: 9900, card: "tok_visa", country: "XX"),
    ]

    func run() async throws {
        let log = logging.bootstrap(default: .error)
        let folder = DevFolder(root: URL(filePath: "/tmp/aloft-demo-\(UInt32.random(in: 0..<0xFFFF_FFFF))"))
        let stack = DevStack(
            options: .init(
                folder: folder, listen: .init(grpcPort: 0, httpPort: 0), natsPort: 0, sandboxPort: 0, withWorker: false),
            log: log)
        try await stack.play { try await play($0, folder: folder) }
        try? FileManager.default.removeItem(at: folder.root)
    }

    private func play(_ addresses: DevStack.Addresses, folder: DevFolder) async throws {
        let shop = DemoShop(gateway: addresses.server.gatewayURL, sandbox: addresses.sandboxURL)
        let worker = DemoWorker(addresses: addresses, folder: folder)
        // The second capture is the third order's: the declined card never comes so far.
        try await worker.start(failpoint: "Capture.after_effect:kill9@2")
        Terminal.line(
            "Everything is up: Postgres, nats-server, sandbox provider, server at \(addresses.server.grpcAddress), a worker process."
        )
        var payments: [String] = []
        for (index, order) in Self.orders.enumerated() {
            let payment = try await shop.pay(order, number: index + 1)
            payments.append(payment)
            Terminal.line("\norder \(index + 1): \(order.title), \(Self.money(order.amount)) — payment \(payment)")
            try await follow(payment, shop: shop, worker: worker)
        }
        try await showBooks(addresses, shop: shop, payments: payments)
        try await showAudit(addresses, payment: payments[2])
        await worker.stop()
    }

    /// Prints each step as it ends, until the payment is over; starts the worker again when it was killed.
    private func follow(_ payment: String, shop: DemoShop, worker: DemoWorker) async throws {
        var printed = Set<String>()
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if await worker.restartIfKilled() {
                Terminal.line("    ✗ the worker was killed with -9 after the provider captured; another worker starts")
            }
            guard let progress = try await shop.progress(payment) else {
                try await Task.sleep(for: .milliseconds(50))
                continue
            }
            for (index, step) in progress.steps.enumerated() where step.state != "running" {
                guard printed.insert("\(index)").inserted else { continue }
                let again = step.attempts > 1 ? " (attempt \(step.attempts))" : ""
                Terminal.line("    \(step.state == "done" ? "✓" : "✗") \(step.name)\(again)")
            }
            if ["SUCCEEDED", "FAILED", "ROLLED_BACK", "CANCELED"].contains(progress.status) {
                Terminal.line(
                    "  = \(progress.status); the provider did: \(try await shop.journal(payment).joined(separator: ", "))"
                )
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure("payment \(payment) did not end in a minute")
    }

    private func showBooks(_ addresses: DevStack.Addresses, shop: DemoShop, payments: [String]) async throws {
        var ledger = DemoShop.Totals(captured: 0, refunded: 0)
        for payment in payments {
            let entries = try await withClient(addresses) { client in
                try await client.handle(workflowID: "pay:shop:\(payment)", returning: JSONValue.self)
                    .query("ledger", returning: JSONValue.self)
            }
            guard case .array(let rows)? = entries["entries"] else { continue }
            for row in rows where row["kind"]?.string == "post" {
                guard case .integer(let amount)? = row["amount"] else { continue }
                if row["purpose"]?.string == "capture" { ledger.captured += amount }
                if row["purpose"]?.string == "refund" { ledger.refunded += amount }
            }
        }
        let provider = try await shop.providerTotals()
        Terminal.line("\nprovider captured \(Self.money(provider.captured)), refunded \(Self.money(provider.refunded))")
        Terminal.line("ledger   captured \(Self.money(ledger.captured)), refunded \(Self.money(ledger.refunded))")
        guard provider == ledger else { throw CommandFailure("the ledger and the provider's journal differ") }
        Terminal.line("equal.")
    }

    /// The history of one order, its replay, and its events as the feed has them.
    private func showAudit(_ addresses: DevStack.Addresses, payment: String) async throws {
        let program = CommandLine.arguments[0]
        let workflow = "pay:shop:\(payment)"
        Terminal.line("\nhistory of order 3 (aloft workflow show):")
        try await DemoTool.run([
            program, "workflow", "show", "--workflow-id", workflow, "--address", addresses.server.grpcAddress,
        ])
        Terminal.line("\nreplay of order 3 (aloft replay run):")
        try await DemoTool.run([program, "replay", "run", workflow, "--address", addresses.server.grpcAddress])
        Terminal.line("\norder 3 as read back from NATS (aloft feed tail --all):")
        let feed = [program, "feed", "tail", "--all", "--nats-url", addresses.natsURL, "--workflow-id", workflow]
        try await DemoTool.run(feed, shownLinesMax: 8)
        Terminal.line("\nevery hash chain and snapshot (aloft replay verify):")
        try await DemoTool.run([program, "replay", "verify", "--database-url", addresses.databaseURL])
    }

    private func withClient<Result: Sendable>(
        _ addresses: DevStack.Addresses, _ body: @Sendable @escaping (WorkflowClient) async throws -> Result
    ) async throws -> Result {
        guard let options = GRPCTransportOptions(address: addresses.server.grpcAddress) else {
            throw CommandFailure("bad address \(addresses.server.grpcAddress)")
        }
        return try await WorkflowClient.withConnection(to: options) { try await body($0) }
    }

    private static func money(_ minor: Int64) -> String { String(format: "%lld.%02lld EUR", minor / 100, minor % 100) }
}

/// The demo's worker process.
private actor DemoWorker {
    private let addresses: DevStack.Addresses
    private let folder: DevFolder
    private var child: ChildProcess?
    private var starts = 0

    init(addresses: DevStack.Addresses, folder: DevFolder) {
        self.addresses = addresses
        self.folder = folder
    }

    func start(failpoint: String?) async throws {
        starts += 1
        let ready = folder.root.appending(path: "worker-\(starts).json")
        let child = try ChildProcess.start(
            [
                CommandLine.arguments[0], "worker", "start", "--address", addresses.server.grpcAddress,
                "--database-url",
                addresses.databaseURL, "--provider-url", addresses.sandboxURL, "--shipping-url", addresses.sandboxURL,
                "--ready-file",
                ready.path,
            ], environment: failpoint.map { ["FAILPOINT": $0] } ?? [:],
            output: folder.root.appending(path: "worker.log"))
        self.child = child
        _ = try await ReadyFile.wait(ready, child: child, field: "ready")
    }

    /// - Returns: whether the worker was dead and another one runs now.
    func restartIfKilled() async -> Bool {
        guard let child, !child.isRunning else { return false }
        do {
            try await start(failpoint: nil)
            return true
        } catch {
            return false
        }
    }

    func stop() async { await child?.stop() }
}
