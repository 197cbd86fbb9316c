import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServerTestKit
import Synchronization

/// A real HAProxy in front of two small servers, and a real Prometheus that watches it.
final class CanaryBench: Sendable {
    static let programs = ["/usr/sbin/haproxy", "/usr/bin/prometheus"]
    static var isAvailable: Bool { programs.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) } }

    let folder: URL
    let port: Int
    let prometheusURL: String
    /// One request in so many is answered 500 by the candidate; 0: none.
    let errorEvery = Atomic<Int>(0)
    private let seen = Atomic<Int>(0)
    private let haproxy = Mutex<ChildProcess?>(nil)
    private let quiet = Logger(label: "canary") { _ in SwiftLogNoOpLogHandler() }

    var socketPath: String { self.folder.appending(path: "haproxy.sock").path }

    private init(port: Int, prometheusPort: Int) {
        self.folder = URL(filePath: "/tmp/aloft-canary-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
        self.port = port
        self.prometheusURL = "http://127.0.0.1:\(prometheusPort)"
    }

    static func with(_ body: @Sendable (CanaryBench) async throws -> Void) async throws {
        let ports = try await Self.freePorts(3)
        let bench = CanaryBench(port: ports[0], prometheusPort: ports[2])
        try FileManager.default.createDirectory(at: bench.folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: bench.folder) }
        let (stable, candidate) = (ServedPort(), ServedPort())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await bench.serve(stable, isCandidate: false) }
            group.addTask { try? await bench.serve(candidate, isCandidate: true) }
            defer { group.cancelAll() }
            try bench.writeFiles(
                stable: try await stable.number(), candidate: try await candidate.number(), metrics: ports[1],
                prometheus: ports[2])
            try await bench.startHAProxy()
            let prometheus = try bench.startPrometheus(port: ports[2])
            let result: Result<Void, any Error>
            do {
                try await bench.until("Prometheus has seen HAProxy") {
                    let answer = try await HTTPClient.shared.execute(
                        HTTPClientRequest(
                            url: bench.prometheusURL + "/api/v1/query?query=haproxy_process_uptime_seconds"),
                        timeout: .seconds(5))
                    return String(buffer: try await answer.body.collect(upTo: 1 << 20)).contains("\"value\"")
                }
                result = .success(try await body(bench))
            } catch {
                result = .failure(error)
            }
            await prometheus.stop(SIGTERM, seconds: 10)
            await bench.stopHAProxy()
            try result.get()
        }
    }

    // MARK: Parts

    private func serve(_ port: ServedPort, isCandidate: Bool) async throws {
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { _, _ in
                guard isCandidate else { return Response(status: .ok) }
                let number = self.seen.add(1, ordering: .relaxed).newValue
                let every = self.errorEvery.load(ordering: .relaxed)
                return Response(status: every > 0 && number % every == 0 ? .internalServerError : .ok)
            }, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in port.found(channel.localAddress?.port ?? 0) }, logger: self.quiet)
        try await application.run()
    }

    private func writeFiles(stable: Int, candidate: Int, metrics: Int, prometheus: Int) throws {
        try """
        global
            stats socket \(self.socketPath) mode 600 level admin
        defaults
            mode http
            timeout connect 2s
            timeout client 10s
            timeout server 10s
        frontend in
            bind 127.0.0.1:\(self.port)
            default_backend shop
        frontend metrics
            bind 127.0.0.1:\(metrics)
            http-request use-service prometheus-exporter if { path /metrics }
        backend shop
            balance roundrobin
            server stable 127.0.0.1:\(stable) weight 100
            server candidate 127.0.0.1:\(candidate) weight 0

        """.write(to: self.folder.appending(path: "haproxy.cfg"), atomically: true, encoding: .utf8)
        try """
        global:
          scrape_interval: 1s
        scrape_configs:
          - job_name: haproxy
            static_configs:
              - targets: ['127.0.0.1:\(metrics)']

        """.write(to: self.folder.appending(path: "prometheus.yml"), atomically: true, encoding: .utf8)
    }

    func startHAProxy() async throws {
        let child = try ChildProcess.start(
            ["/usr/sbin/haproxy", "-db", "-f", self.folder.appending(path: "haproxy.cfg").path],
            output: self.folder.appending(path: "haproxy.log"))
        self.haproxy.withLock { $0 = child }
        try await self.until("HAProxy listens") {
            guard child.isRunning else { throw ServerFailure("haproxy ended at once") }
            return try await self.get() == 200
        }
    }

    func stopHAProxy() async {
        guard let child = self.haproxy.withLock({ $0 }) else { return }
        await child.stop(SIGTERM, seconds: 10)
    }

    private func startPrometheus(port: Int) throws -> ChildProcess {
        try ChildProcess.start(
            [
                "/usr/bin/prometheus", "--config.file", self.folder.appending(path: "prometheus.yml").path,
                "--storage.tsdb.path", self.folder.appending(path: "data").path, "--web.listen-address",
                "127.0.0.1:\(port)", "--log.level", "error",
            ], output: self.folder.appending(path: "prometheus.log"))
    }

    // MARK: Traffic

    func get() async throws -> Int {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(self.port)/"), timeout: .seconds(5))
        _ = try await answer.body.collect(upTo: 1 << 16)
        return Int(answer.status.code)
    }

    /// How many requests the candidate got so far.
    var candidateRequests: Int { self.seen.load(ordering: .relaxed) }

    func send(_ count: Int) async throws {
        for _ in 0..<count { _ = try await self.get() }
    }

    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while (try? await condition()) != true {
            guard ContinuousClock.now < end else { throw ServerFailure("did not happen in 60 s: \(what)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func freePorts(_ count: Int) async throws -> [Int] {
        var channels: [any Channel] = []
        for _ in 0..<count {
            channels.append(
                try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0)
                    .get())
        }
        let ports = channels.compactMap { $0.localAddress?.port }
        for channel in channels { try await channel.close().get() }
        return ports
    }
}

/// A port that is known once its server listens.
private final class ServedPort: Sendable {
    private let stream: AsyncStream<Int>
    private let continuation: AsyncStream<Int>.Continuation

    init() { (self.stream, self.continuation) = AsyncStream.makeStream() }

    func found(_ port: Int) { self.continuation.yield(port) }

    func number() async throws -> Int {
        for await port in self.stream { return port }
        throw ServerFailure("the server did not start")
    }
}
