import EngineTestKit
import Gateway
import History
import Logging
import Runtime
import TemporalCodec
import Worker

/// The real server on a store in memory, driven by a clock that others move.
final class TestServer: Sendable {
    let clock: MemoryClock
    let host: Host
    private let service: WireService

    init(clock: MemoryClock, logger: Logger) async throws {
        self.clock = clock
        let store = MemoryStore(clock: clock)
        var configuration = HostConfiguration(node: "test")
        // Nothing but workflows and calls shall ask for the time: leases and windows outlast every test.
        configuration.leaseSeconds = 3_000_000_000
        configuration.timerWindow = Self.longTime
        configuration.historyWait = Self.longTime
        configuration.retentionInterval = Self.longTime
        configuration.updateWait = Self.longTime
        host = Host(
            stores: .init(
                runs: store, requests: store, leases: store, namespaces: store, schedules: store, batches: store),
            encoder: StoredEvents(),
            configuration: configuration, limits: Limits(), clock: clock, ids: RandomIDSource(), logger: logger)
        try await host.start()
        try await host.registerNamespace(
            Namespace(id: "00000000-0000-4000-8000-000000000001", name: "default", retention: .days(10_000)))
        var options = WireOptions(now: { clock.now() })
        options.pollWait = Self.longTime
        options.historyWait = Self.longTime
        options.updateWait = Self.longTime
        service = WireService(backend: host, options: options)
    }

    /// A century: longer than any test's workflow.
    private static let longTime = TimeSpan.days(36_500)

    func handle(_ method: RPCMethod, _ request: [UInt8], _ metadata: RPCMetadata) async throws -> [UInt8] {
        let call = WireCall(
            method: WireMethod(service: method.service, name: method.name), request: request,
            metadata: metadata.map { (name: $0.key, value: $0.value) })
        switch await service.handle(call) {
        case .success(let response): return response
        case .failure(let failure):
            throw RPCFailure(
                RPCFailure.Code(rawValue: failure.code.rawValue) ?? .unknown, failure.message,
                statusDetails: failure.statusDetails)
        }
    }

    func shutDown() async { await host.shutdown() }
}

/// Events as they are stored in production.
private struct StoredEvents: EventEncoder {
    func encode(_ event: Event) -> [UInt8] { EventCodec.encode(event) }
    func decode(_ bytes: [UInt8]) throws -> Event { try EventCodec.decode(bytes) }
}
