import Activities
import Foundation
import Gateway
import History
import Logging
import Messaging
import Postgres
import Runtime
import Store
import Worker

/// A server's parts, wired: store, host, relay, gateway. The only place that knows all of them.
final class ServerAssembly: Sendable {
    struct Addresses: Sendable {
        var host: String
        var grpcPort: Int
        var httpPort: Int

        var grpcAddress: String { "\(host):\(grpcPort)" }
        var gatewayURL: String { "http://\(host):\(httpPort)" }

        var fields: [(String, Printable)] {
            [
                ("grpc", .string(grpcAddress)), ("http", .string(gatewayURL)),
                ("grpcPort", .integer(Int64(grpcPort))), ("httpPort", .integer(Int64(httpPort))),
            ]
        }
    }

    let settings: ServerSettings
    let log: Logger
    let store: PostgresStore
    let host: Runtime.Host
    let wire: WireService
    private let relay: FeedRelay?
    private let jetStream: JetStreamClient?
    private let webhookIntake: WebhookIntake
    private let notifications: NotificationCounter
    private let deadLetters: DeadLetterCounter
    private let upgrades: UpgradeCounter
    private let link: NodeLink

    init(_ settings: ServerSettings, log: Logger) async throws {
        self.settings = settings
        self.log = log
        let own = NodeAddress(address: settings.listen.advertised, key: UUID().uuidString.lowercased())
        let configuration = HostConfiguration(node: settings.node, address: own.text)
        let store = try await PostgresStore.open(
            .init(
                PostgresConfiguration(url: settings.databaseURL, applicationName: "aloft \(settings.node)"),
                laneCount: configuration.laneCount))
        self.store = store
        let link = NodeLink(
            store: store, laneCount: configuration.laneCount, own: own, security: settings.listen.peerSecurity)
        self.link = link
        let names = NamespaceNames(store: store)
        let jetStream = settings.natsURL.map {
            JetStreamClient(NATSConfiguration(url: $0, name: "aloft \(settings.node)"), log: log)
        }
        let notifications = NotificationCounter(
            databaseURL: settings.databaseURL, master: try MasterKey.configured(), links: .configured())
        self.notifications = notifications
        let office = DeadLetterOffice(pool: notifications.pool, names: names)
        let relay = jetStream.map { client in
            FeedRelay(
                broker: NATSBroker(client: client), outbox: store, encoder: CodecEventEncoder(), deadLetters: office,
                log: log
            ) { names.name(of: $0) }
        }
        self.jetStream = jetStream
        self.relay = relay
        host = Runtime.Host(
            stores: .init(
                runs: store, requests: store, leases: store, namespaces: store, schedules: store, batches: store),
            encoder: CodecEventEncoder(), configuration: configuration, feed: relay, peers: link, deadLetters: office,
            logger: log,
            relayIsConnected: { relay?.isConnected ?? true })
        var options = WireOptions()
        let node = host
        options.nodes = NodeService(key: own.key) { try await node.deliver($0) }
        wire = WireService(backend: host, options: options)
        webhookIntake = WebhookIntake(databaseURL: settings.databaseURL)
        deadLetters = DeadLetterCounter(pool: notifications.pool)
        upgrades = UpgradeCounter(pool: notifications.pool)
        try await names.load()
        try await registerDefaultNamespace(names)
    }

    private func registerDefaultNamespace(_ names: NamespaceNames) async throws {
        do {
            try await host.registerNamespace(
                Namespace(
                    id: NamespaceID(UUID().uuidString.lowercased()), name: "default",
                    description: "made at the first start",
                    retention: .days(3)))
        } catch let rejection as Rejection where rejection.kind == .namespaceAlreadyExists {}
        try await names.load()
    }

    /// Serves until `until` returns; then ends polls, stores what was decided and gives the lanes back.
    func run(until: @escaping @Sendable () async -> Void, onReady: @escaping @Sendable (Addresses) async throws -> Void)
        async throws
    {
        let (wire, host) = (wire, host)
        await host.connectBatches(
            BatchServices(
                query: { namespace, text in try await wire.visibilityQuery(namespace, text) },
                edge: { action, target, request, reason, requestID in
                    try await wire.carryOut(action, on: target, request, reason: reason, requestID: requestID)
                }, delete: { target in try await host.deleteWorkflow(target) }))
        try await host.start()
        let grpc = try GRPCServer(
            service: wire,
            options: GRPCServerOptions(
                host: settings.listen.host, port: settings.listen.grpcPort, tls: settings.listen.tls), logger: log)
        let background = [
            jetStream.map { client in Task { await client.run() } }, relay.map { relay in Task { await relay.run() } },
        ].compactMap { $0 }
        var failure: (any Error)?
        do {
            try await serve(grpc, until: until, onReady: onReady)
        } catch {
            failure = error
        }
        await host.shutdown()
        await link.closeAll()
        for task in background.reversed() {
            task.cancel()
            await task.value
        }
        webhookIntake.close()
        notifications.close()
        store.close()
        if let failure { throw failure }
    }

    private func httpOptions() throws -> HTTPOptions {
        var options = HTTPOptions(key: try settings.signingKeyFile.map { try SigningKey.stored(at: $0) } ?? .random())
        options.webhookSecrets = settings.webhookSecrets.mapValues { [$0] }
        let intake = webhookIntake
        options.webhooks = { delivery in try await intake.receive(delivery) }
        options.notifications = notifications
        options.deadLetters = deadLetters
        options.upgrades = upgrades
        options.publicURL = ProcessInfo.processInfo.environment["ALOFT_PUBLIC_URL"]
        let (host, relay, deadLetters) = (host, relay, deadLetters)
        options.metrics = {
            MetricsText.render(
                host: await host.metrics(), schedules: await host.scheduleMetrics(), relay: relay?.counters,
                deadLetters: await deadLetters.metrics())
        }
        return options
    }

    private func serve(
        _ grpc: GRPCServer, until: @escaping @Sendable () async -> Void,
        onReady: @escaping @Sendable (Addresses) async throws -> Void
    ) async throws {
        let http = HTTPServer(
            service: HTTPService(backend: host, wire: wire, options: try httpOptions(), logger: log),
            host: settings.listen.host,
            port: settings.listen.httpPort, logger: log)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await grpc.run()
                return false
            }
            group.addTask {
                try await http.run()
                return false
            }
            group.addTask {
                guard let port = await http.port() else { return false }
                let addresses = Addresses(
                    host: self.settings.listen.host, grpcPort: try await grpc.port, httpPort: port)
                try await onReady(addresses)
                await until()
                return true
            }
            while let isStopping = try await group.next() {
                guard isStopping else { continue }
                // Long polls end first, so that the servers' graceful end does not wait for them.
                await self.host.shutdown()
                grpc.shutDown()
                group.cancelAll()
                break
            }
        }
    }
}
