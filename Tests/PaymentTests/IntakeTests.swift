import Foundation
import Postgres
import Testing

@testable import Activities

@Suite("Provider events", .serialized)
struct IntakeTests {
    private func event(_ id: String, type: String, object: String) -> [UInt8] {
        Array(#"{"id": "\#(id)", "object": "event", "type": "\#(type)", "data": {"object": \#(object)}}"#.utf8)
    }

    @Test("An event is written once and names its workflow every time")
    func once() async throws {
        try await PaymentBench.with { bench in
            let id = UUID().uuidString.lowercased()
            _ = try await bench.services.createPayment(PaymentBench.payment(id), PaymentBench.scope(id))
            let intake = ProviderEventIntake(pool: bench.pool)
            let body = self.event(
                "evt_1", type: "payment_intent.succeeded",
                object: #"{"id": "pi_1", "object": "payment_intent", "metadata": {"payment_id": "\#(id)"}}"#)
            let first = try await intake.take(provider: "sandbox", body: body)
            let second = try await intake.take(provider: "sandbox", body: body)
            #expect(first.isNew)
            #expect(!second.isNew)
            #expect(first.notice?.workflowID == "pay:shop:\(id)")
            #expect(second.notice == first.notice)
            #expect(try await bench.texts("select count(*)::text from wf_pay.provider_event") == ["1"])
        }
    }

    @Test("An event about nothing we know is kept and told to nobody; a body that is no event is refused")
    func unknown() async throws {
        try await PaymentBench.with { bench in
            let intake = ProviderEventIntake(pool: bench.pool)
            let taken = try await intake.take(
                provider: "sandbox",
                body: self.event("evt_2", type: "payout.paid", object: #"{"id": "po_1", "object": "payout"}"#))
            #expect(taken.isNew)
            #expect(taken.notice == nil)
            await #expect(throws: ProviderEventIntake.Unreadable.self) {
                try await intake.take(provider: "sandbox", body: Array("[]".utf8))
            }
        }
    }

    @Test("A refund the bank sends back is undone in the books once, and becomes a work item")
    func refundFailed() async throws {
        try await PaymentBench.with { bench in
            let id = UUID().uuidString.lowercased()
            try await complete(bench, id, amount: 1000)
            let input = RefundInput(refundID: "r1", paymentID: id, amount: 400)
            let scope = EffectScope(workflowID: "refund:r1")
            _ = try await bench.services.beginRefund(input, scope)
            let step = RefundStep(paymentID: id, refundID: "r1", amount: 400, tries: 4)
            let refunded = try await bench.services.refundAtProvider(step, scope)
            _ = try await bench.services.refundLedger(step, scope)
            #expect(try await bench.services.finishRefund(input, scope).refunded == 400)
            let reference = try #require(refunded.refundRef)
            _ = try await bench.control("POST", "/_ctl/refunds/\(reference)/fail", "{}")
            let intake = ProviderEventIntake(pool: bench.pool)
            let body = self.event(
                "evt_3", type: "refund.failed", object: #"{"id": "\#(reference)", "object": "refund"}"#)
            for _ in 0..<2 { _ = try await intake.take(provider: "sandbox", body: body) }
            #expect(
                try await bench.texts("select concat_ws('/', status, substate, refunded) from wf_pay.payment")
                    == ["COMPLETED/captured/0"])
            #expect(
                try await bench.texts("select purpose from wf_pay.transfer order by id")
                    == ["hold", "capture", "fee", "refund", "refund_failed"])
            #expect(
                try await bench.texts("select concat_ws(' ', source, code, state) from wf_dlq.dlq_entry")
                    == ["domain refund_failed PARKED"])
        }
    }
}
