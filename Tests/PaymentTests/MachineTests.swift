import Testing
import Worker

@testable import Activities

@Suite("Operation ids")
struct OperationIDTests {
    @Test("An operation id names workflow, step, index and generation, and nothing that changes between attempts")
    func form() {
        #expect(OperationID(workflow: "pay:m:1", step: "Authorize").value == "pay:m:1/Authorize/g0")
        #expect(
            OperationID(workflow: "refund:r", step: "RefundPsp", index: "r", generation: 2).value
                == "refund:r/RefundPsp/r/g2")
    }
}

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for index in 0..<10 {
            #expect(breaker.admit(at: .seconds(index)) == .admitted)
            breaker.record(success: index < 5, at: .seconds(index))
        }
        return breaker
    }

    @Test("Half of ten calls failing opens it for thirty seconds")
    func opens() {
        var breaker = self.opened()
        #expect(breaker.isOpen)
        #expect(breaker.admit(at: .seconds(10)) == .refused(after: .seconds(29)))
    }

    @Test("Fewer failures than half leave it closed")
    func staysClosed() {
        var breaker = CircuitBreaker()
        for index in 0..<30 { breaker.record(success: index % 5 != 0, at: .zero) }
        #expect(!breaker.isOpen)
        #expect(breaker.admit(at: .zero) == .admitted)
    }

    @Test("After the pause three probes are let through, no fourth")
    func probes() {
        var breaker = self.opened()
        for _ in 0..<3 { #expect(breaker.admit(at: .seconds(40)) == .admitted) }
        #expect(breaker.admit(at: .seconds(40)) == .refused(after: .seconds(1)))
    }

    @Test("A failed probe opens it again")
    func failedProbe() {
        var breaker = self.opened()
        _ = breaker.admit(at: .seconds(40))
        breaker.record(success: false, at: .seconds(41))
        #expect(breaker.admit(at: .seconds(50)) == .refused(after: .seconds(21)))
    }

    @Test("A probe that says nothing about the peer gives its place back")
    func forgottenProbe() {
        var breaker = self.opened()
        for _ in 0..<3 { _ = breaker.admit(at: .seconds(40)) }
        breaker.forget()
        #expect(breaker.admit(at: .seconds(40)) == .admitted)
    }

    @Test("After the probes traffic comes back by 10, 25, 50 and 100 percent")
    func ramp() {
        var breaker = self.opened()
        for _ in 0..<3 {
            _ = breaker.admit(at: .seconds(40))
            breaker.record(success: true, at: .seconds(40))
        }
        func admitted(_ breaker: inout CircuitBreaker, at second: Double) -> Int {
            (0..<100).count { _ in breaker.admit(at: .seconds(second)) == .admitted }
        }
        var (first, second, third) = (breaker, breaker, breaker)
        #expect(admitted(&first, at: 41) == 10)
        #expect(admitted(&second, at: 46) == 25)
        #expect(admitted(&third, at: 51) == 50)
        #expect(admitted(&breaker, at: 56) == 100)
    }
}

@Suite("Peer gate")
struct PeerGateTests {
    @Test("An error that the peer repeats from its memory does not open the breaker; the same error, fresh, does")
    func replayed() async {
        let gate = PeerGate(name: "provider")
        for isReplayed in [true, false] {
            for _ in 0..<10 {
                var failure = EffectFailure(.ambiguous, "provider answered 500")
                failure.isReplayed = isReplayed
                _ = try? await gate.call(tenant: "a") { () async throws(EffectFailure) in throw failure }
            }
            do {
                try await gate.call(tenant: "a") { () async throws(EffectFailure) in }
                #expect(isReplayed)
            } catch {
                #expect(!isReplayed)
                #expect(error.type == "Throttled")
            }
        }
    }
}

@Suite("Bulkhead")
struct BulkheadTests {
    @Test("One tenant gets half of the places, others the rest")
    func share() {
        var bulkhead = Bulkhead()
        for id in 0..<10 { #expect(bulkhead.enter(id: UInt64(id), tenant: "a") == .entered) }
        #expect(bulkhead.enter(id: 10, tenant: "a") == .waiting)
        for id in 11..<21 { #expect(bulkhead.enter(id: UInt64(id), tenant: "b") == .entered) }
        #expect(bulkhead.enter(id: 21, tenant: "c") == .waiting)
        #expect(bulkhead.runningCount == 20)
    }

    @Test("A free place goes to the first waiter whose tenant may have it")
    func order() {
        var settings = Bulkhead.Settings()
        settings.permits = 2
        var bulkhead = Bulkhead(settings: settings)
        #expect(bulkhead.enter(id: 1, tenant: "a") == .entered)
        #expect(bulkhead.enter(id: 2, tenant: "a") == .waiting)
        #expect(bulkhead.enter(id: 3, tenant: "b") == .entered)
        #expect(bulkhead.enter(id: 4, tenant: "b") == .waiting)
        #expect(bulkhead.leave(tenant: "b") == 4)
        #expect(bulkhead.leave(tenant: "a") == 2)
    }

    @Test("Who gives up has no place later, and who has one cannot give up")
    func giveUp() {
        var settings = Bulkhead.Settings()
        settings.permits = 1
        var bulkhead = Bulkhead(settings: settings)
        _ = bulkhead.enter(id: 1, tenant: "a")
        _ = bulkhead.enter(id: 2, tenant: "a")
        let given = [bulkhead.giveUp(id: 2), bulkhead.giveUp(id: 2)]
        #expect(given == [true, false])
        let next = bulkhead.leave(tenant: "a")
        #expect(next == nil)
    }

    @Test("A full queue refuses")
    func full() {
        var settings = Bulkhead.Settings()
        settings.permits = 1
        settings.waitersMax = 1
        var bulkhead = Bulkhead(settings: settings)
        _ = bulkhead.enter(id: 1, tenant: "a")
        _ = bulkhead.enter(id: 2, tenant: "a")
        #expect(bulkhead.enter(id: 3, tenant: "a") == .refused)
    }
}

@Suite("Failpoints")
struct FailpointTests {
    @Test("A failpoint acts at its hit, and only there")
    func nth() async throws {
        let points = try #require(Failpoints(parsing: "Capture.after_effect:error@2"))
        try await points.pass("Capture", .afterEffect)
        await #expect(throws: EffectFailure.self) { try await points.pass("Capture", .afterEffect) }
        try await points.pass("Capture", .afterEffect)
        try await points.pass("Authorize", .afterEffect)
    }

    @Test(
        "What is no failpoint is refused",
        arguments: [
            "Capture", "Capture.after_effect", "Capture.later:error", "Capture.after_effect:explode",
            "C.after_effect:error@0",
        ])
    func bad(_ text: String) {
        #expect(Failpoints(parsing: text) == nil)
    }
}

@Suite("Failure classes")
struct FailureClassTests {
    @Test("A decline is permanent and carries the card's advice")
    func decline() throws {
        let advice = EffectFailure.Decline(
            code: "card_declined", declineCode: "lost_card", adviceCode: "do_not_try_again")
        let failure = EffectFailure(.permanent(code: "CardDeclined"), "no", decline: advice).applicationFailure
        #expect(failure.isNonRetryable)
        #expect(failure.type == "CardDeclined")
        #expect(try failure.details.value(EffectFailure.Decline.self) == advice)
    }

    @Test("A throttled failure comes back when the peer said")
    func throttled() {
        let failure = EffectFailure(.throttled(after: .seconds(7)), "later").applicationFailure
        #expect(!failure.isNonRetryable)
        #expect(failure.nextRetryDelay == .seconds(7))
    }

    @Test("An ambiguous failure is tried again and leaves the pause to the back-off")
    func ambiguous() {
        let failure = EffectFailure(.ambiguous, "timeout").applicationFailure
        #expect(!failure.isNonRetryable)
        #expect(failure.nextRetryDelay == nil)
    }
}
