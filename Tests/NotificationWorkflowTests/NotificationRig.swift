import Activities
import Engine
import EngineTestKit
import Foundation
import Gateway
import History
import Logging
import Runtime
import TemporalCodec
import Testing
import Worker
import Workflows

/// The engine in memory with a clock the test moves, a worker in the same process, and a world of scripted activities.
///
/// Days of waiting pass in a moment: `skip(_:)`.
struct NotificationRig: Sendable {
    let clock: MemoryClock
    let client: WorkflowClient
    let world: NotificationWorld

    static func with(
        _ world: NotificationWorld = NotificationWorld(), at beginning: String? = nil,
        _ body: @escaping @Sendable (NotificationRig) async throws -> Void
    ) async throws {
        let clock = MemoryClock(at: try beginning.map(NotificationRig.timestamp) ?? MemoryClock.beginning)
        let store = MemoryStore(clock: clock)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = HostConfiguration(node: "node-1")
        configuration.leaseSeconds = 1_000_000_000  // leases outlast the skipped days
        let host = Host(
            stores: .init(runs: store, requests: store, leases: store, namespaces: store), encoder: StoredEvents(),
            configuration: configuration, limits: Limits(), clock: clock, ids: SeededIDSource(seed: 1),
            feed: NoFeed(), logger: logger)
        try await host.start()
        try await host.registerNamespace(
            Namespace(id: "00000000-0000-4000-8000-00000000aaaa", name: "default", retention: .seconds(7 * 24 * 3600)))
        let service = WireService(backend: host)
        let transport = InProcessTransport { method, request, metadata, _ in
            // Waiting calls end by cancellation: the test's clock is years behind this deadline.
            let call = WireCall(
                method: WireMethod(service: method.service, name: method.name), request: request,
                metadata: metadata.map { (name: $0.key, value: $0.value) },
                deadline: SystemTime.now().advanced(by: .seconds(60)))
            switch await service.handle(call) {
            case .success(let response): return response
            case .failure(let failure):
                throw RPCFailure(
                    RPCFailure.Code(rawValue: failure.code.rawValue) ?? .unknown, failure.message,
                    statusDetails: failure.statusDetails)
            }
        }
        let client = WorkflowClient(transport: transport)
        let rig = NotificationRig(clock: clock, client: client, world: world)
        let options = WorkerOptions(logger: logger)
        let queues = [NotificationQueues.main] + Channel.allCases.map { NotificationQueues.channel($0) }
        let workers = queues.map { queue in
            Worker(
                client: client, taskQueue: queue, workflows: NotificationWorkflows.all, activities: world.activities,
                options: options)
        }
        let result = await withTaskGroup(of: Void.self) { group in
            for worker in workers {
                group.addTask {
                    do { try await worker.run() } catch { Issue.record("the worker ended: \(error)") }
                }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(rig)) } catch { result = .failure(error) }
            for worker in workers { worker.shutDown() }
            await group.waitForAll()
            return result
        }
        await host.shutdown()
        try result.get()
    }

    // MARK: A client

    func send(_ change: (inout NotificationRequest) -> Void = { _ in }) async throws -> WorkflowHandle<
        NotificationResult
    > {
        var request = NotificationRequest(
            id: "n1", tenant: "shop", recipient: Recipient(userID: "ann"), template: .init(id: "hello"))
        change(&request)
        return try await self.client.start(
            SendWorkflow.self, request,
            options: StartOptions(id: request.workflowID, taskQueue: NotificationQueues.main))
    }

    /// The engine's time, unix seconds.
    var now: Double { Double(self.clock.now().nanoseconds) / 1e9 }

    static func timestamp(_ text: String) throws -> Timestamp {
        Timestamp(nanoseconds: Int64(try self.seconds(text)) * 1_000_000_000)
    }

    static func seconds(_ text: String) throws -> Double {
        try Date(text, strategy: .iso8601).timeIntervalSince1970
    }

    /// Lets time pass for the engine.
    func skip(_ seconds: Double) { self.clock.advance(by: .milliseconds(Int64(seconds * 1000))) }

    /// Waits until the workflow waits for something of this name; the clock stands still meanwhile.
    func untilWaiting(for name: String, _ handle: WorkflowHandle<NotificationResult>) async throws {
        try await self.until("waiting for \(name)") {
            let progress: OperationProgress = try await handle.query("progress")
            return progress.waitingFor?.name == name
        }
    }

    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(2))  // room for the others; what is waited for is the condition
        }
        Issue.record("never happened: \(what)")
        throw NeverHappened()
    }

    struct NeverHappened: Error {}

    /// The finished run's history gives the same commands with the same code.
    func checkReplay(_ handle: WorkflowHandle<NotificationResult>) async throws {
        let history = try await handle.fetchHistory()
        let report = try WorkflowReplayer(workflows: NotificationWorkflows.all).replay(
            encoded: history.events, workflowID: history.workflowID, runID: "run")
        #expect(report.isIdentical, "\(report.divergence.map(String.init(describing:)) ?? "")")
    }
}

private struct StoredEvents: EventEncoder {
    func encode(_ event: Event) -> [UInt8] { EventCodec.encode(event) }
    func decode(_ bytes: [UInt8]) throws -> Event { try EventCodec.decode(bytes) }
}

private struct NoFeed: FeedSink {
    func laneAcquired(_ lease: LaneLease) {}
    func laneLost(_ lane: Int16) {}
    func committed(_ entries: [OutboxEntry]) {}
}
