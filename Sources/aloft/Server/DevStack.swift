import Activities
import Foundation
import Logging
import Sandbox
import ServerTestKit
import Worker

/// Development mode in one process: private servers, schema, sandbox, server, built-in workers.
struct DevStack: Sendable {
    struct Options: Sendable {
        var folder: DevFolder
        var listen = ServerSettings.Listen()
        var natsPort = 4222
        var sandboxPort = 7253
        var smtpURL = "smtp://127.0.0.1:2525"
        var withWorker = true
        /// nil: what the environment says.
        var notificationPolicy: NotificationPolicy?
    }

    struct Addresses: Sendable {
        var server: ServerAssembly.Addresses
        /// Databases in the private Postgres, as the cluster `dev` of tenants.
        var tenantURL = ""
        var sandboxPort: Int
        var databaseURL: String
        var natsURL: String
        var sandboxURL: String { "http://127.0.0.1:\(sandboxPort)" }

        var fields: [(String, Printable)] {
            server.fields + [
                ("sandbox", .string(sandboxURL)), ("databaseURL", .string(databaseURL)), ("natsURL", .string(natsURL)),
            ]
        }
    }

    static let webhookSecret = "whsec_dev"
    /// Who may report what became of a message: the sandbox's carriers by their accounts' tokens, mail and WeChat by hand.
    static let receiptSecrets = [
        "ntf-sms-a": "sk_sms_a", "ntf-sms-b": "sk_sms_b", "ntf-smtp": "whsec_dev_smtp",
        "ntf-wechat": "whsec_dev_wechat",
    ]

    let options: Options
    let log: Logger

    /// Runs until `until` returns; data stay in the folder.
    func run(until: @escaping @Sendable () async -> Void, onReady: @escaping @Sendable (Addresses) async throws -> Void)
        async throws
    {
        let servers = try await Infrastructure.start(folder: options.folder, natsPort: options.natsPort, log: log)
        do {
            try await run(servers, until: until, onReady: onReady)
        } catch {
            await servers.stop()
            throw error
        }
        await servers.stop()
    }

    private func run(
        _ servers: Infrastructure, until: @escaping @Sendable () async -> Void,
        onReady: @escaping @Sendable (Addresses) async throws -> Void
    ) async throws {
        _ = try await SchemaTool.apply(url: servers.databaseURL, log: log)
        let settings = ServerSettings(
            databaseURL: servers.databaseURL, natsURL: servers.nats?.url,
            node: ServerSettings.nodeName("dev", grpcPort: options.listen.grpcPort), listen: options.listen,
            signingKeyFile: options.folder.signingKeyFile.path,
            webhookSecrets: Self.receiptSecrets.merging(["sandbox": Self.webhookSecret]) { $1 })
        let assembly = try await ServerAssembly(settings, log: log)
        let stack = self
        let parts = PartTasks()
        try await assembly.run(until: until) { server in
            let sandboxPort = try await stack.startSandbox(
                gatewayURL: "http://127.0.0.1:\(server.httpPort)", parts: parts)
            let addresses = Addresses(
                server: server, tenantURL: servers.postgres.url(database: "{database}"), sandboxPort: sandboxPort,
                databaseURL: servers.databaseURL,
                natsURL: servers.nats?.url ?? "")
            if stack.options.withWorker { try await stack.startWorker(assembly, addresses, parts: parts) }
            try await onReady(addresses)
        }
        await parts.stop()
    }

    private func startSandbox(gatewayURL: String, parts: PartTasks) async throws -> Int {
        let sandbox = try SandboxServer(
            configuration: SandboxConfiguration(
                port: options.sandboxPort, webhookURL: "\(gatewayURL)/v1/hooks/psp/sandbox",
                webhookSecret: Self.webhookSecret,
                journalPath: options.folder.sandboxJournal.path), logger: log)
        let (ports, port) = AsyncStream<Int>.makeStream()
        parts.add {
            do {
                try await sandbox.run { port.yield($0) }
            } catch {
                self.log.error("the sandbox ended", metadata: ["error": "\(error)"])
            }
            port.finish()
        }
        guard let bound = await ports.first(where: { _ in true }) else {
            throw CommandFailure("the sandbox did not start: is port \(options.sandboxPort) taken?")
        }
        return bound
    }

    private func startWorker(_ assembly: ServerAssembly, _ addresses: Addresses, parts: PartTasks) async throws {
        let settings = FamilyWorkerSettings(
            databaseURL: addresses.databaseURL, providerURL: addresses.sandboxURL, shippingURL: addresses.sandboxURL,
            notifications: NotificationWorkerSettings(
                smtpURL: options.smtpURL, messagesURL: addresses.sandboxURL,
                publicURL: "http://127.0.0.1:\(addresses.server.httpPort)", policy: options.notificationPolicy),
            upgrades: try UpgradeWorkerSettings.configured(
                clusters: ["dev": addresses.tenantURL], backupFolder: options.folder.root.appending(path: "backups")))
        let transport = WireBridge.transport(to: assembly.wire)
        let log = log
        parts.add {
            do {
                try await FamilyWorkers.run(transport: transport, namespace: "default", settings: settings, log: log)
            } catch {
                log.error("the built-in workers ended", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Tasks that live as long as the stack.
final class PartTasks: Sendable {
    private let tasks = LockedTasks()
    func add(_ body: @escaping @Sendable () async -> Void) { tasks.append(Task { await body() }) }
    func stop() async {
        let all = tasks.take()
        for task in all { task.cancel() }
        for task in all { await task.value }
    }
}
