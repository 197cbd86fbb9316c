import Activities
import Testing
import Worker
import Workflows

private func decline(_ advice: String) -> ScriptedWorld.Act {
    .fail(
        EffectFailure(
            .permanent(code: "CardDeclined"), "declined",
            decline: .init(code: "card_declined", declineCode: "generic_decline", adviceCode: advice)))
}

private let unresolved = ScriptedWorld.Act.fail(EffectFailure(.unresolved, "no answer in 4 tries"))

private func refused(_ code: String) -> ScriptedWorld.Act { .fail(EffectFailure(.permanent(code: code), code)) }

@Suite("pay.Charge", .serialized, .timeLimit(.minutes(3)))
struct ChargeWorkflowTests {
    @Test("A good payment runs its steps in the order of the table and replays")
    func goodPayment() async throws {
        try await WorkflowRig.with { rig in
            let handle = try await rig.charge()
            let result = try await handle.result()
            #expect(result == ChargeResult.completed)
            #expect(
                rig.world.calls == [
                    "CreatePayment", "RiskScreen", "Authorize", "HoldFunds", "ReserveStock", "Capture", "PostLedger",
                    "ScheduleShipment", "CompletePayment",
                ])
            let progress: PaymentProgress = try await handle.query("progress")
            #expect(progress.status == .succeeded)
            #expect(progress.percent == 100)
            try await rig.checkReplay(handle)
        }
    }

    @Test("A card that must not be tried again fails the payment: nothing held, nothing booked")
    func declined() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("Authorize", decline("do_not_try_again"))
            let handle = try await rig.charge()
            let result = try await handle.result()
            #expect(result.status == "FAILED")
            #expect(result.failure?.code == "CardDeclined")
            #expect(rig.world.effects == ["CreatePayment", "Authorize", "VoidAuth", "FailPayment"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("Without stock the hold and the authorization are voided, in reverse")
    func outOfStock() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("ReserveStock", refused("OutOfStock"))
            let handle = try await rig.charge()
            #expect(try await handle.result().status == "FAILED")
            #expect(Array(rig.world.effects.suffix(4)) == ["ReleaseStock", "VoidHold", "VoidAuth", "FailPayment"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("A refused address undoes in reverse: refund, ledger, stock; and ends refunded")
    func addressRejected() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("ScheduleShipment", refused("AddressRejected"))
            let handle = try await rig.charge()
            let result = try await handle.result()
            #expect(result.status == "REFUNDED")
            #expect(result.captured == result.refunded)
            #expect(
                Array(rig.world.effects.suffix(6)) == [
                    "CancelShipment", "RefundPsp", "RefundLedger", "ReleaseStock", "VoidHold", "FailPayment",
                ])
            try await rig.checkReplay(handle)
        }
    }

    @Test("An authorization whose answers were lost is adopted; the generation stays")
    func adopted() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("Authorize", unresolved)
            let status = try await rig.charge().result().status
            #expect(status == "COMPLETED")
            #expect(rig.world.keys == ["Authorize/g0", "Capture/g0"])
        }
    }

    @Test("Only a 'none' read thirty seconds after the last attempt moves the generation")
    func nextGeneration() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("Authorize", unresolved)
            rig.world.script(
                "ReconcileIntent", .answer(Reconciled(secondsSinceAttempt: 1)),
                .answer(Reconciled(secondsSinceAttempt: 30.1)))
            let handle = try await rig.charge()
            try await rig.untilWaiting(for: "ambiguity", handle)
            #expect(rig.world.keys == ["Authorize/g0"])
            rig.skip(29.2)
            #expect(try await handle.result().status == "COMPLETED")
            #expect(rig.world.keys == ["Authorize/g0", "Authorize/g1", "Capture/g0"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("Off session a card that asks for time is tried on day 0, 1, 4 and 9, each with a new key")
    func dunning() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script(
                "Authorize", decline("try_again_later"), decline("try_again_later"), decline("try_again_later"))
            let handle = try await rig.charge { $0.mode = .offSession }
            for (number, days) in [(1, 1.0), (2, 3.0), (3, 5.0)] {
                try await rig.untilWaiting(for: "dunning \(number)", handle)
                #expect(rig.world.keys.count == number)
                rig.skip(days * 24 * 3600 - 1)
                try await rig.untilWaiting(for: "dunning \(number)", handle)
                #expect(rig.world.keys.count == number)
                rig.skip(1)
            }
            #expect(try await handle.result().status == "COMPLETED")
            #expect(rig.world.keys == ["Authorize/g0", "Authorize/g1", "Authorize/g2", "Authorize/g3", "Capture/g0"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("Interactively another card is waited for, half an hour")
    func newCard() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("Authorize", decline("confirm_card_data"), decline("try_again_later"))
            let handle = try await rig.charge()
            try await rig.untilWaiting(for: "provide_payment_method", handle)
            try await handle.signal("provide_payment_method", NewPaymentMethod(token: "tok_other"))
            try await rig.until("the second decline") { rig.world.keys.count == 2 }
            try await rig.untilWaiting(for: "provide_payment_method", handle)
            rig.skip(1800)
            let result = try await handle.result()
            #expect(result.failure?.code == "CardDeclined")
            #expect(rig.world.keys == ["Authorize/g0", "Authorize/g1"])
        }
    }

    @Test("3-D Secure goes on when the webhook comes; a webhook without news does not restart the clock")
    func threeDSecure() async throws {
        try await WorkflowRig.with { rig in
            let open = Authorization(state: .requiresAction, intentID: "pi_1")
            rig.world.script("Authorize", .answer(open))
            rig.world.script("ReconcileIntent", .answer(Reconciled(authorization: open, secondsSinceAttempt: 60)))
            let handle = try await rig.charge()
            try await rig.untilWaiting(for: "provider_event", handle)
            let first: PaymentProgress = try await handle.query("progress")
            rig.skip(600)
            for _ in 0..<3 { try await handle.signal("provider_event", ProviderEventSignal(id: "evt_1", type: "x")) }
            try await rig.until("the look") { rig.world.calls.contains("ReconcileIntent") }
            try await rig.untilWaiting(for: "provider_event", handle)
            let second: PaymentProgress = try await handle.query("progress")
            #expect(abs((first.waitingFor?.until ?? 0) - (second.waitingFor?.until ?? 1)) < 1)
            try await handle.signal("provider_event", ProviderEventSignal(id: "evt_2", type: "x"))
            #expect(try await handle.result().status == "COMPLETED")
            #expect(rig.world.calls.count { $0 == "ReconcileIntent" } == 2)
            try await rig.checkReplay(handle)
        }
    }

    @Test("3-D Secure that nobody finishes is voided after fifteen minutes")
    func threeDSecureTimeout() async throws {
        try await WorkflowRig.with { rig in
            let open = Authorization(state: .requiresAction, intentID: "pi_1")
            rig.world.script("Authorize", .answer(open))
            rig.world.script("ReconcileIntent", .answer(Reconciled(authorization: open, secondsSinceAttempt: 60)))
            let handle = try await rig.charge()
            try await rig.untilWaiting(for: "provider_event", handle)
            rig.skip(900)
            #expect(try await handle.result().failure?.code == "AuthenticationTimeout")
            #expect(rig.world.effects.suffix(2) == ["VoidAuth", "FailPayment"])
        }
    }

    @Test(
        "A large amount waits for a person; silence for a day rejects it", arguments: ["approve", "reject", "silence"])
    func review(_ decision: String) async throws {
        try await WorkflowRig.with { rig in
            let handle = try await rig.charge { $0.reviewOver = 1000 }
            try await rig.untilWaiting(for: "review", handle)
            if decision == "silence" {
                rig.skip(24 * 3600)
            } else {
                try await handle.signal("review", ["decision": decision, "by": "ann"])
            }
            let result = try await handle.result()
            #expect(result.status == (decision == "approve" ? "COMPLETED" : "FAILED"))
            if decision != "approve" { #expect(result.failure?.code == "ReviewRejected") }
        }
    }

    @Test("Pause holds before the next side effect; resume goes on")
    func pause() async throws {
        try await WorkflowRig.with { rig in
            let handle = try await rig.charge { $0.reviewOver = 1000 }
            try await rig.untilWaiting(for: "review", handle)
            try await handle.signal("pause")
            try await handle.signal("review", ["decision": "approve"])
            try await rig.until("paused") {
                let progress: PaymentProgress = try await handle.query("progress")
                return progress.status == .paused
            }
            #expect(!rig.world.calls.contains("Authorize"))
            try await handle.signal("resume")
            #expect(try await handle.result().status == "COMPLETED")
            try await rig.checkReplay(handle)
        }
    }

    @Test("Cancel compensates, then the run closes as cancelled")
    func cancel() async throws {
        try await WorkflowRig.with { rig in
            let handle = try await rig.charge { $0.reviewOver = 1000 }
            try await rig.untilWaiting(for: "review", handle)
            try await handle.cancel(reason: "changed my mind")
            await #expect(throws: (any Error).self) { try await handle.result() }
            #expect(rig.world.effects == ["CreatePayment", "FailPayment"])
            let progress: PaymentProgress = try await handle.query("progress")
            #expect(progress.status == .canceled)
            try await rig.checkReplay(handle)
        }
    }

    @Test("A refund that fails for twenty minutes is announced once, at fifteen, and then ends refunded")
    func stuck() async throws {
        try await WorkflowRig.with { rig in
            rig.world.policy { policy in
                policy.stuckAttempts = 10_000
                policy.compensationCapSeconds = 30
            }
            rig.world.script("ScheduleShipment", refused("AddressRejected"))
            for _ in 0..<2000 {
                rig.world.script("RefundPsp", .fail(EffectFailure(.unresolved, "the refund endpoint is away")))
            }
            let handle = try await rig.charge()
            try await rig.until("the first failed refund") { rig.world.calls.contains("RefundPsp") }
            rig.skip(15 * 60 - 1)
            #expect(!rig.world.calls.contains("AnnounceStuck"))
            rig.skip(2)
            try await rig.until("the announcement") {
                rig.skip(0.1)
                return rig.world.calls.contains("AnnounceStuck")
            }
            let calls = rig.world.calls.count
            try await rig.until("more tries after it") {
                rig.skip(0.5)
                return rig.world.calls.count > calls + 4
            }
            rig.world.heal()
            try await rig.until("the end") {
                rig.skip(0.5)
                return rig.world.calls.contains("FailPayment")
            }
            #expect(try await handle.result().status == "REFUNDED")
            #expect(rig.world.calls.count { $0 == "AnnounceStuck" } == 1)
            try await rig.checkReplay(handle)
        }
    }

    @Test("A capture whose answers were lost is looked up and goes on with a new key only when it did not happen")
    func lostCapture() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("Capture", unresolved, unresolved)
            let authorized = Authorization(state: .authorized, intentID: "pi_1")
            let captured = Captured(amount: 1250, fee: 66, intentID: "pi_1")
            rig.world.script(
                "ReconcileIntent", .answer(Reconciled(authorization: authorized, secondsSinceAttempt: 31)),
                .answer(
                    Reconciled(
                        authorization: Authorization(state: .captured, intentID: "pi_1"), secondsSinceAttempt: 1,
                        capture: captured)))
            let status = try await rig.charge().result().status
            #expect(status == "COMPLETED")
            #expect(rig.world.keys == ["Authorize/g0", "Capture/g0", "Capture/g1"])
            #expect(!rig.world.calls.contains("RefundPsp"))
        }
    }

    @Test("A void that comes too late becomes a refund")
    func lateVoid() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("ReserveStock", refused("OutOfStock"))
            rig.world.script("VoidAuth", .answer(VoidedAuthorization(state: .captured)))
            rig.world.script("RefundPsp", .answer(Refunded(refundRef: "re_1", amount: 1250)))
            let status = try await rig.charge().result().status
            #expect(status == "REFUNDED")
            #expect(Array(rig.world.effects.suffix(4)) == ["VoidAuth", "RefundPsp", "RefundLedger", "FailPayment"])
        }
    }
}

@Suite("pay.Refund", .serialized, .timeLimit(.minutes(3)))
struct RefundWorkflowTests {
    private func start(_ rig: WorkflowRig) async throws -> WorkflowHandle<ChargeResult> {
        try await rig.client.start(
            RefundWorkflow.self,
            RefundInput(refundID: "r1", paymentID: "0190a000-0000-7000-8000-000000000001", amount: 500),
            options: StartOptions(id: "refund:r1", taskQueue: PaymentQueues.main))
    }

    @Test("A refund reserves, refunds, books and closes")
    func refund() async throws {
        try await WorkflowRig.with { rig in
            let handle = try await self.start(rig)
            #expect(try await handle.result().refunded == 500)
            #expect(rig.world.calls == ["BeginRefund", "RefundPsp", "RefundLedger", "FinishRefund"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("More than was captured fails before anything happens")
    func tooMuch() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("BeginRefund", refused("RefundExceedsCaptured"))
            let handle = try await self.start(rig)
            await #expect(throws: WorkflowFailed.self) { try await handle.result() }
            #expect(rig.world.calls == ["BeginRefund"])
        }
    }

    @Test("A refund the provider refuses gives its amount back to the payment")
    func refusedRefund() async throws {
        try await WorkflowRig.with { rig in
            rig.world.script("RefundPsp", refused("InvalidRequest"))
            let handle = try await self.start(rig)
            await #expect(throws: WorkflowFailed.self) { try await handle.result() }
            #expect(rig.world.calls == ["BeginRefund", "RefundPsp", "FailRefund"])
        }
    }
}

extension ChargeResult {
    static var completed: ChargeResult {
        ChargeResult(
            paymentID: "0190a000-0000-7000-8000-000000000001", status: "COMPLETED", captured: 1250, refunded: 0)
    }
}
