import AsyncHTTPClient
import Foundation
import Rollouts
import Synchronization
import Testing

@testable import Activities

@Suite(
    "Splitting and measuring real traffic", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: CanaryBench.isAvailable, "haproxy and prometheus are not there: run scripts/setup.sh"))
struct RouterTests {
    private func router(_ bench: CanaryBench, candidate: String = "shop/candidate") throws -> HAProxyRouter {
        HAProxyRouter(
            socketPath: bench.socketPath, stable: try #require(.init("shop/stable")),
            candidate: try #require(.init(candidate)))
    }

    @Test("The candidate gets exactly its share; what was set is read back; a restart shows as drift")
    func shares() async throws {
        try await CanaryBench.with { bench in
            let router = try self.router(bench)
            #expect(try await router.split() == Split(stable: 100, candidate: 0))
            try await bench.send(100)
            #expect(bench.candidateRequests == 0)
            try await router.set(Split(percent: 20))
            #expect(try await router.split().percent == 20)
            try await bench.send(200)
            #expect(bench.candidateRequests == 40)
            try await router.set(Split(percent: 0.4))
            #expect(try await router.split() == Split(stable: 255, candidate: 1))
            try await router.set(Split(percent: 100))
            let before = bench.candidateRequests
            try await bench.send(50)
            #expect(bench.candidateRequests == before + 50)
            await bench.stopHAProxy()
            await #expect(throws: EffectFailure.self) { try await router.split() }
            try await bench.startHAProxy()
            #expect(try await router.split() == Split(stable: 100, candidate: 0))
        }
    }

    @Test("Servers the router does not know, weights it cannot hold and names that are commands are refused")
    func refusals() async throws {
        try await CanaryBench.with { bench in
            let unknown = try self.router(bench, candidate: "shop/nobody")
            let failure = await #expect(throws: EffectFailure.self) { try await unknown.split() }
            #expect(failure?.kind == .permanent(code: "UnknownBackend"))
            let router = try self.router(bench)
            let range = await #expect(throws: EffectFailure.self) {
                try await router.set(Split(stable: 0, candidate: 257))
            }
            #expect(range?.kind == .permanent(code: "WeightOutOfRange"))
            for name in ["shop", "shop/", "shop/a b", "shop/a;disable server shop/stable", "shop/a\nquit", "a/b/c"] {
                #expect(HAProxyRouter.Server(name) == nil, "\(name)")
            }
        }
    }

    @Test("5: what Prometheus saw of both versions; no errors are 0 errors, no requests are no numbers")
    func measuring() async throws {
        try await CanaryBench.with { bench in
            let prometheus = PrometheusReader(http: .shared, baseURL: bench.prometheusURL)
            let queries = TrackQueries(latency: "vector(0.25 * {quantile})")
            func measure(_ server: String, seconds: Double = 60) async throws -> MetricWindow {
                try await prometheus.window(
                    of: Track(version: "v", server: "shop/\(server)"), queries, seconds: seconds, quantile: 0.5,
                    end: Date())
            }
            bench.errorEvery.store(10, ordering: .relaxed)
            try await self.router(bench).set(Split(percent: 50))
            try await bench.send(100)
            try await bench.until("the requests are seen") {
                try await bench.send(20)
                return try await measure("candidate").requests > 100
            }
            let candidate = try await measure("candidate")
            let rate = try #require(candidate.errorRate)
            #expect((0.05...0.15).contains(rate), "\(candidate)")
            #expect(candidate.latency == 0.125)
            let stable = try await measure("stable")
            #expect(stable.requests > 50)
            #expect(stable.errorRate == 0)
            #expect(try await measure("nobody") == MetricWindow(requests: 0, errors: 0, latency: nil))
        }
    }

    @Test("Nothing, not-a-number, several numbers and nonsense are told apart; no Prometheus is for later")
    func answers() async throws {
        try await CanaryBench.with { bench in
            let prometheus = PrometheusReader(http: .shared, baseURL: bench.prometheusURL + "/")
            func value(_ query: String) async throws -> Double? { try await prometheus.value(query, at: Date()) }
            #expect(try await value("1 + 1") == 2)
            #expect(try await value("nothing_at_all") == nil)
            #expect(try await value("0/0") == nil)
            for bad in ["sum(", "haproxy_server_weight", "up[5m]"] {
                let failure = await #expect(throws: EffectFailure.self, "\(bad)") {
                    try await prometheus.value(bad, at: Date())
                }
                #expect(failure?.kind == .permanent(code: "BadQuery"), "\(bad)")
            }
            let isFiring = try await prometheus.isFiring(["severity": "critical"])
            #expect(!isFiring)
            let gone = PrometheusReader(http: .shared, baseURL: "http://127.0.0.1:1")
            let failure = await #expect(throws: EffectFailure.self) { try await gone.value("1", at: Date()) }
            #expect(failure?.kind == .transient)
        }
    }
}
