import Foundation
import TemporalAPI
import TemporalCodec
import Testing

@testable import Worker

/// Numbers that a test can repeat.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("Retries")
struct RetryTests {
    @Test("Full jitter stays below its bound, and fills it")
    func fullJitter() {
        let backoff = RetryBackoff(base: .milliseconds(500), cap: .seconds(30))
        for seed in 0..<50 as Range<UInt64> {
            var generator = SplitMix(state: seed)
            for attempt in 1...40 {
                let wait = backoff.delay(attempt: attempt, using: &generator)
                #expect(wait >= .zero && wait <= backoff.bound(attempt: attempt), "seed \(seed), attempt \(attempt)")
            }
        }
        #expect(backoff.bound(attempt: 1) == .milliseconds(500))
        #expect(backoff.bound(attempt: 3) == .seconds(2))
        #expect(backoff.bound(attempt: 10) == .seconds(30))
        #expect(backoff.bound(attempt: 100_000) == .seconds(30))
        var generator = SplitMix(state: 1)
        let waits = (0..<1000).map { _ in
            RetryBackoff.fullJitter(base: .milliseconds(500), cap: .seconds(30), attempt: 10, using: &generator)
                .inSeconds
        }
        let mean = waits.reduce(0, +) / 1000
        #expect(mean > 13.5 && mean < 16.5, "mean \(mean) with seed 1")
    }

    @Test("Only what may pass is tried again, up to the limits")
    func policy() {
        let policy = RPCRetryPolicy.default
        let retried: [RPCFailure.Code] = [
            .dataLoss, .internalError, .unknown, .resourceExhausted, .aborted, .outOfRange, .unavailable,
        ]
        for code in RPCFailure.Code.allCases {
            let wait = policy.wait(after: RPCFailure(code, ""), attempt: 1, elapsed: .zero)
            #expect((wait != nil) == retried.contains(code), "\(code)")
        }
        let failure = RPCFailure(.unavailable, "")
        #expect(policy.wait(after: failure, attempt: 10, elapsed: .zero) == nil)
        #expect(policy.wait(after: failure, attempt: 1, elapsed: .seconds(10)) == nil)
        let tooLarge = RPCFailure(.resourceExhausted, "grpc: received message larger than max (5 vs. 4)")
        #expect(policy.wait(after: tooLarge, attempt: 1, elapsed: .zero) == nil)
    }

    @Test("A call is repeated with the same request until it succeeds")
    func repeats() async throws {
        let server = ScriptedServer()
        let fails = AnswerList([true, true, false])
        server.on("SignalWorkflowExecution") { call in
            if fails.next() { throw RPCFailure(.unavailable, "later") }
            return []
        }
        let policy = RPCRetryPolicy(
            backoff: RetryBackoff(base: .nanoseconds(1), cap: .nanoseconds(1)), exhaustedBase: .zero, attemptsMax: 5,
            elapsedMax: .seconds(60))
        try await server.client(retryPolicy: policy).handle(workflowID: "w", returning: NoValue.self).signal("s")
        let calls = server.calls("SignalWorkflowExecution")
        #expect(calls.count == 3)
        #expect(Set(calls.map(\.request)).count == 1)
    }

    @Test("A permanent failure comes back at once")
    func permanent() async throws {
        let server = ScriptedServer()
        server.on("SignalWorkflowExecution") { _ in throw RPCFailure(.permissionDenied, "no") }
        await #expect(throws: RPCFailure(.permissionDenied, "no")) {
            try await server.client(retryPolicy: .default).handle(workflowID: "w", returning: NoValue.self).signal("s")
        }
        #expect(server.calls("SignalWorkflowExecution").count == 1)
    }

    @Test("The details of a status are read from its trailer")
    func statusDetails() throws {
        var any = ProtobufWriter()
        any.text(1, "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure")
        any.field(2, [1, 2])
        var status = ProtobufWriter()
        status.number(1, 5)
        status.text(2, "gone")
        status.field(3, any.bytes)
        let failure = RPCFailure(.notFound, "gone", statusDetails: status.bytes)
        #expect(failure.detail("NotFoundFailure") == [1, 2])
        #expect(RPCFailure(.notFound, "gone", statusDetails: [0xff]).details.isEmpty)
    }

    @Test("An address is a host and a port")
    func addresses() throws {
        let plain = try #require(GRPCTransportOptions(address: "example.org:7234"))
        #expect(plain.host == "example.org" && plain.port == 7234)
        let short = try #require(GRPCTransportOptions(address: "localhost"))
        #expect(short.host == "localhost" && short.port == 7233)
        let v6 = try #require(GRPCTransportOptions(address: "[::1]:99"))
        #expect(v6.host == "::1" && v6.port == 99)
        let bare = try #require(GRPCTransportOptions(address: "[::1]"))
        #expect(bare.host == "::1" && bare.port == 7233)
        #expect(GRPCTransportOptions(address: ":7233") == nil)
        #expect(GRPCTransportOptions(address: "host:port") == nil)
    }
}
