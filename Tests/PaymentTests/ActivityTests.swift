import Foundation
import Postgres
import Testing

@testable import Activities

private func newPayment() -> String { UUID().uuidString.lowercased() }

@Suite("Payment activities", .serialized)
struct ActivityTests {
    @Test("A good card goes through every step: one intent, one capture, hold and post and fee, four events in order")
    func goodCard() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            let services = bench.services
            try await bench.stock("mug", 3)
            let input = PaymentBench.payment(id, items: [.init(sku: "mug", qty: 2)])
            _ = try await services.createPayment(input, scope)
            let found = try await services.authorize(authorizeInput(id), scope)
            #expect(found.state == .authorized)
            _ = try await services.holdFunds(StepInput(paymentID: id), scope)
            _ = try await services.reserveStock(
                ReserveStockInput(paymentID: id, items: input.items, holdSeconds: 60), scope)
            let captured = try await services.capture(captureInput(id, 1250), scope)
            #expect(captured.amount == 1250)
            #expect(captured.fee == 66)
            let ledger = try await services.postLedger(StepInput(paymentID: id), scope)
            #expect(ledger.entries.map(\.kind) == ["pending", "post", "post"])
            #expect(ledger.entries.map(\.purpose) == ["hold", "capture", "fee"])
            _ = try await services.scheduleShipment(
                ShipInput(paymentID: id, address: ["country": .string("DE")]), scope)
            let closed = try await services.completePayment(StepInput(paymentID: id), scope)
            #expect(closed == ClosedPayment(status: "COMPLETED", captured: 1250, refunded: 0))
            #expect(
                try await bench.effects(id) == [
                    "intent.created", "intent.authorized", "intent.captured", "shipment.scheduled",
                ])
            #expect(
                try await bench.events(id) == [
                    "payment.created", "payment.authorized", "payment.captured", "payment.completed",
                ])
            #expect(try await bench.texts("select available::text from wf_pay.stock_item") == ["1"])
            try await bench.checkBooks()
        }
    }

    @Test("Every step may run again: the same answer, no second effect, no second event")
    func repeatedSteps() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            let services = bench.services
            for _ in 0..<3 { _ = try await services.createPayment(PaymentBench.payment(id), scope) }
            let first = try await services.authorize(authorizeInput(id), scope)
            #expect(try await services.authorize(authorizeInput(id), scope) == first)
            for _ in 0..<3 { _ = try await services.holdFunds(StepInput(paymentID: id), scope) }
            let captured = try await services.capture(captureInput(id, 1250), scope)
            #expect(try await services.capture(captureInput(id, 1250), scope) == captured)
            for _ in 0..<3 { _ = try await services.postLedger(StepInput(paymentID: id), scope) }
            for _ in 0..<3 { _ = try await services.completePayment(StepInput(paymentID: id), scope) }
            #expect(try await bench.effects(id) == ["intent.created", "intent.authorized", "intent.captured"])
            #expect(try await bench.events(id).count == 4)
            #expect(try await bench.texts("select count(*)::text from wf_pay.transfer") == ["3"])
            try await bench.checkBooks()
        }
    }

    @Test("An answer lost after the effect is repeated with the same key and applied once")
    func lostAnswer() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            _ = try await bench.services.createPayment(PaymentBench.payment(id), scope)
            try await bench.fault(#"{"match": "POST /v1/payment_intents", "action": "drop_after"}"#)
            let failure = await #expect(throws: EffectFailure.self) {
                try await bench.services.authorize(authorizeInput(id), scope)
            }
            #expect(failure?.kind == .ambiguous)
            #expect(try await bench.services.authorize(authorizeInput(id), scope).state == .authorized)
            #expect(try await bench.effects(id) == ["intent.created", "intent.authorized"])
            #expect(Set(try await bench.keys(id, path: "payment_intents")) == ["\(id)/auth/g0"])
        }
    }

    @Test("A stored 500 is repeated four times, then the intent that exists is adopted")
    func storedFailureWithIntent() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            _ = try await bench.services.createPayment(PaymentBench.payment(id), scope)
            try await bench.fault(
                #"{"match": "POST /v1/payment_intents", "action": "status", "status": 500, "effect": true}"#)
            for attempt in 1...4 {
                let failure = await #expect(throws: EffectFailure.self) {
                    try await bench.services.authorize(authorizeInput(id), scope)
                }
                #expect(failure?.kind == (attempt < 4 ? .ambiguous : .unresolved))
            }
            let seen = try await bench.services.reconcileIntent(
                ReconcileInput(paymentID: id, subject: .authorization, generation: 0), scope)
            #expect(seen.authorization?.state == .authorized)
            #expect(try await bench.effects(id) == ["intent.created", "intent.authorized"])
            #expect(try await bench.keys(id, path: "payment_intents").count == 4)
            #expect(try await bench.events(id) == ["payment.created", "payment.authorized"])
        }
    }

    @Test("Where a stored 500 created nothing, the look finds nothing")
    func storedFailureWithoutIntent() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            _ = try await bench.services.createPayment(PaymentBench.payment(id), scope)
            try await bench.fault(#"{"match": "POST /v1/payment_intents", "action": "status", "status": 500}"#)
            for _ in 1...4 { _ = try? await bench.services.authorize(authorizeInput(id), scope) }
            let seen = try await bench.services.reconcileIntent(
                ReconcileInput(paymentID: id, subject: .authorization, generation: 0), scope)
            #expect(seen.authorization == nil)
            #expect(seen.secondsSinceAttempt < 30)
            #expect(try await bench.services.authorize(authorizeInput(id, generation: 1), scope).state == .authorized)
            #expect(try await bench.effects(id) == ["intent.created", "intent.authorized"])
            #expect(Set(try await bench.keys(id, path: "payment_intents")) == ["\(id)/auth/g0", "\(id)/auth/g1"])
        }
    }

    @Test("A declined card is one call; nothing is voided, nothing booked")
    func declined() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            _ = try await bench.services.createPayment(PaymentBench.payment(id, token: "tok_chargeDeclined"), scope)
            for _ in 0..<2 {
                let failure = await #expect(throws: EffectFailure.self) {
                    try await bench.services.authorize(authorizeInput(id, token: "tok_chargeDeclined"), scope)
                }
                #expect(failure?.kind == .permanent(code: "CardDeclined"))
                #expect(failure?.decline?.adviceCode == "do_not_try_again")
            }
            #expect(try await bench.services.voidAuthorization(StepInput(paymentID: id), scope).state == .nothing)
            let closed = try await bench.services.failPayment(
                FailInput(paymentID: id, code: "CardDeclined", message: ""), scope)
            #expect(closed.status == "FAILED")
            #expect(try await bench.requests(id) == 1)
            #expect(try await bench.events(id) == ["payment.created", "payment.failed"])
            #expect(try await bench.texts("select count(*)::text from wf_pay.transfer") == ["0"])
        }
    }

    @Test("Out of stock gives nothing out, and voiding undoes hold and authorization once")
    func outOfStock() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            try await bench.stock("a", 5)
            try await bench.stock("b", 0)
            _ = try await bench.services.createPayment(PaymentBench.payment(id), scope)
            _ = try await bench.services.authorize(authorizeInput(id), scope)
            _ = try await bench.services.holdFunds(StepInput(paymentID: id), scope)
            let failure = await #expect(throws: EffectFailure.self) {
                try await bench.services.reserveStock(
                    ReserveStockInput(
                        paymentID: id, items: [.init(sku: "a", qty: 1), .init(sku: "b", qty: 1)], holdSeconds: 60),
                    scope)
            }
            #expect(failure?.kind == .permanent(code: "OutOfStock"))
            for _ in 0..<2 {
                _ = try await bench.services.releaseStock(StepInput(paymentID: id), scope)
                _ = try await bench.services.voidHold(StepInput(paymentID: id), scope)
                #expect(try await bench.services.voidAuthorization(StepInput(paymentID: id), scope).state == .voided)
            }
            #expect(try await bench.effects(id) == ["intent.created", "intent.authorized", "intent.canceled"])
            #expect(try await bench.texts("select kind from wf_pay.transfer order by id") == ["pending", "void"])
            #expect(try await bench.texts("select available::text from wf_pay.stock_item order by sku") == ["5", "0"])
        }
    }

    @Test("A capture is undone by one refund, booked as a reversing entry; both may be asked for again")
    func refundCompensation() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            let scope = PaymentBench.scope(id)
            let services = bench.services
            _ = try await services.createPayment(PaymentBench.payment(id), scope)
            _ = try await services.authorize(authorizeInput(id), scope)
            _ = try await services.holdFunds(StepInput(paymentID: id), scope)
            _ = try await services.capture(captureInput(id, 1250), scope)
            _ = try await services.postLedger(StepInput(paymentID: id), scope)
            try await bench.fault(#"{"match": "POST /v1/refunds", "action": "drop_after"}"#)
            let step = RefundStep(paymentID: id, tries: 4)
            await #expect(throws: EffectFailure.self) { try await services.refundAtProvider(step, scope) }
            for _ in 0..<2 {
                #expect(try await services.refundAtProvider(step, scope).amount == 1250)
                let booking = RefundStep(paymentID: id, amount: 1250, tries: 4)
                #expect(
                    try await services.refundLedger(booking, scope).entries.map(\.purpose) == [
                        "hold", "capture", "fee", "refund",
                    ])
            }
            let closed = try await services.failPayment(
                FailInput(paymentID: id, code: "AddressRejected", message: ""), scope)
            #expect(closed == ClosedPayment(status: "REFUNDED", captured: 1250, refunded: 1250))
            #expect(try await bench.effects(id).count { $0 == "refund.created" } == 1)
            try await bench.checkBooks()
        }
    }

    @Test("Of two concurrent refunds that together exceed the capture one is refused")
    func concurrentRefunds() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            try await complete(bench, id, amount: 10)
            async let first = bench.services.beginRefund(
                RefundInput(refundID: "r1", paymentID: id, amount: 8), EffectScope(workflowID: "refund:r1"))
            async let second = bench.services.beginRefund(
                RefundInput(refundID: "r2", paymentID: id, amount: 6), EffectScope(workflowID: "refund:r2"))
            var refused = 0
            do { _ = try await first } catch let failure as EffectFailure {
                refused += failure.type == "RefundExceedsCaptured" ? 1 : 0
            }
            do { _ = try await second } catch let failure as EffectFailure {
                refused += failure.type == "RefundExceedsCaptured" ? 1 : 0
            }
            #expect(refused == 1)
            #expect(try await bench.texts("select count(*)::text from wf_pay.refund") == ["1"])
        }
    }

    @Test("A payment never goes backwards, and the ledger is never changed")
    func guards() async throws {
        try await PaymentBench.with { bench in
            let id = newPayment()
            try await complete(bench, id, amount: 1250)
            func state(_ sql: String) async -> String {
                do {
                    try await bench.pool.withConnection { try await $0.script(sql) }
                    return "accepted"
                } catch let error as PostgresError {
                    return error.sqlState
                } catch {
                    return "\(error)"
                }
            }
            #expect(
                await state("update wf_pay.payment set status = 'PENDING', substate = '', version = version + 1")
                    == "PAY01")
            #expect(
                await state("update wf_pay.payment set status = 'FAILED', substate = '', version = version + 1")
                    == "PAY01")
            #expect(await state("update wf_pay.payment set order_id = 'x'") == "PAY02")
            #expect(await state("update wf_pay.transfer set amount = 1") == "PAY03")
            #expect(await state("delete from wf_pay.transfer") == "PAY03")
            #expect(await state("truncate wf_pay.transfer") == "PAY03")
            let again = """
                insert into wf_pay.transfer (op_id, pending_id, kind, purpose, debit, credit, amount, currency, payment_id)
                select 'x', id, 'void', 'release', debit, credit, amount, currency, payment_id from wf_pay.transfer where kind = 'pending'
                """
            #expect(await state(again) == "23505")
        }
    }
}

func authorizeInput(_ id: String, token: String = "tok_visa", generation: Int = 0) -> AuthorizeInput {
    AuthorizeInput(paymentID: id, paymentMethod: token, isOffSession: false, generation: generation, tries: 4)
}

func captureInput(_ id: String, _ amount: Int64) -> CaptureInput {
    CaptureInput(paymentID: id, amount: amount, generation: 0, tries: 4)
}

/// Runs the steps of a good payment.
func complete(_ bench: PaymentBench, _ id: String, amount: Int64) async throws {
    let scope = PaymentBench.scope(id)
    _ = try await bench.services.createPayment(PaymentBench.payment(id, amount: amount), scope)
    _ = try await bench.services.authorize(authorizeInput(id), scope)
    _ = try await bench.services.holdFunds(StepInput(paymentID: id), scope)
    _ = try await bench.services.capture(captureInput(id, amount), scope)
    _ = try await bench.services.postLedger(StepInput(paymentID: id), scope)
    _ = try await bench.services.completePayment(StepInput(paymentID: id), scope)
}
