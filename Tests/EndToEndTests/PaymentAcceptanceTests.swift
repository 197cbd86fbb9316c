import Foundation
import ServerTestKit
import Testing

/// families.md section 1, on the real program in separate processes. The number of each scenario is in its name.
@Suite("Payments, end to end", .serialized, .timeLimit(.minutes(10)))
struct PaymentAcceptanceTests {
    private static let quick =
        #"{"ambiguitySeconds": 2, "retryBaseSeconds": 0.05, "compensationBaseSeconds": 0.1, "compensationCapSeconds": 1}"#

    private func with(
        failpoint: String? = nil, policy: String = quick, _ body: (Stage, PaymentDesk) async throws -> Void
    ) async throws {
        try await Stage.with(worker: false) { stage in
            try await stage.startWorker(failpoint: failpoint, policy: policy)
            try await body(stage, PaymentDesk(stage: stage))
        }
    }

    private func restartWorker(_ stage: Stage) async throws {
        await stage.waitForEnd(of: "worker")
        try await stage.startWorker(policy: Self.quick)
    }

    private func replays(_ stage: Stage, _ payment: String) async throws {
        let (status, output) = try await stage.run(
            ["replay", "run", "pay:shop:\(payment)", "--address", stage.grpcAddress, "--output", "json"])
        #expect(status == 0, "\(output)")
    }

    @Test("1, 18: a good payment is one intent, one capture, three ledger rows, four events, and replays")
    func goodPayment() async throws {
        try await self.with { stage, desk in
            let payment = try await desk.pay()
            #expect(try await desk.finished(payment) == "COMPLETED")
            #expect(
                try await desk.effects(payment) == [
                    "intent.created", "intent.authorized", "intent.captured", "shipment.scheduled",
                ])
            #expect(try await desk.ledger(payment) == ["pending hold 1250", "post capture 1250", "post fee 66"])
            #expect(
                try await desk.events(payment) == [
                    "1 payment.created", "2 payment.authorized", "3 payment.captured", "4 payment.completed",
                ])
            #expect(try await desk.audit() == [])
            try await self.replays(stage, payment)
        }
    }

    @Test("2: fifty equal posts at once start one payment; completed answers are equal to the byte, the rest are 409")
    func idempotency() async throws {
        try await self.with { stage, desk in
            let body = PaymentDesk.order()
            let answers = try await withThrowingTaskGroup(of: PaymentDesk.Answer.self) { group in
                for _ in 0..<50 { group.addTask { try await desk.post(body, key: "same") } }
                return try await group.reduce(into: [PaymentDesk.Answer]()) { $0.append($1) }
            }
            #expect(Set(answers.map(\.status)).isSubset(of: [202, 409]))
            let accepted = answers.filter { $0.status == 202 }
            #expect(Set(accepted.map(\.text)).count == 1)
            let payment = try #require(accepted.first?.json["payment_id"] as? String)
            #expect(try await desk.finished(payment) == "COMPLETED")
            #expect(try await desk.rows("select count(*)::text from wf_pay.payment") == ["1"])
            #expect(try await desk.effects(payment).count { $0 == "intent.created" } == 1)
        }
    }

    @Test("3: a worker killed after the authorization's effect: one key, one authorization, one event")
    func killedAfterAuthorize() async throws {
        try await self.with(failpoint: "Authorize.after_effect:kill9") { stage, desk in
            let payment = try await desk.pay()
            try await self.restartWorker(stage)
            #expect(try await desk.finished(payment) == "COMPLETED")
            let keys = try await desk.keys(payment, "/payment_intents")
            #expect(keys.count >= 2)
            #expect(Set(keys).count == 1)
            #expect(try await desk.effects(payment).count { $0 == "intent.authorized" } == 1)
            #expect(try await desk.ledger(payment).count { $0.hasPrefix("pending") } == 1)
            #expect(try await desk.events(payment).count { $0.hasSuffix("payment.authorized") } == 1)
        }
    }

    @Test("4: a worker killed after the capture's effect: captured once, nothing refunded")
    func killedAfterCapture() async throws {
        try await self.with(failpoint: "Capture.after_effect:kill9") { stage, desk in
            let payment = try await desk.pay()
            try await self.restartWorker(stage)
            #expect(try await desk.finished(payment) == "COMPLETED")
            let effects = try await desk.effects(payment)
            #expect(effects.count { $0 == "intent.captured" } == 1)
            #expect(!effects.contains("refund.created"))
            #expect(try await desk.audit() == [])
        }
    }

    @Test("5: a stored 500 with the intent made is adopted after four tries")
    func adopted() async throws {
        try await self.with { stage, desk in
            try await desk.fault(
                #"{"match": "POST /v1/payment_intents", "action": "status", "status": 500, "effect": true}"#)
            let payment = try await desk.pay()
            #expect(try await desk.finished(payment) == "COMPLETED")
            #expect(try await desk.keys(payment, "/payment_intents").count == 4)
            #expect(Set(try await desk.keys(payment, "/payment_intents")) == ["\(payment)/auth/g0"])
            #expect(try await desk.effects(payment).count { $0 == "intent.created" } == 1)
        }
    }

    @Test("6: a stored 500 with nothing made moves to the next key after the negative look")
    func nextGeneration() async throws {
        try await self.with { stage, desk in
            try await desk.fault(#"{"match": "POST /v1/payment_intents", "action": "status", "status": 500}"#)
            let payment = try await desk.pay()
            #expect(try await desk.finished(payment) == "COMPLETED")
            #expect(
                Set(try await desk.keys(payment, "/payment_intents")) == ["\(payment)/auth/g0", "\(payment)/auth/g1"])
            #expect(try await desk.effects(payment).count { $0 == "intent.created" } == 1)
            try await self.replays(stage, payment)
        }
    }

    @Test("7: a card that must not be tried again: failed, one call, no hold, no ledger row")
    func declined() async throws {
        try await self.with { stage, desk in
            try await desk.stock("mug", 5)
            let payment = try await desk.pay([
                "payment_method": "tok_chargeDeclined", "items": [["sku": "mug", "qty": 1]],
            ])
            #expect(try await desk.finished(payment) == "FAILED")
            #expect(try await desk.journal(payment).filter { $0.method != "WEBHOOK" }.count == 1)
            #expect(try await desk.rows("select count(*)::text from wf_pay.stock_hold") == ["0"])
            #expect(try await desk.ledger(payment) == [])
            try await self.replays(stage, payment)
        }
    }

    @Test("8: out of stock voids hold and authorization once each")
    func outOfStock() async throws {
        try await self.with { stage, desk in
            try await desk.stock("mug", 1)
            let payment = try await desk.pay(["items": [["sku": "mug", "qty": 2]]])
            #expect(try await desk.finished(payment) == "FAILED")
            #expect(try await desk.effects(payment) == ["intent.created", "intent.authorized", "intent.canceled"])
            #expect(try await desk.ledger(payment) == ["pending hold 1250", "void release 1250"])
            #expect(try await desk.audit() == [])
        }
    }

    @Test("9: a refused address undoes in the order refund, ledger, stock")
    func addressRejected() async throws {
        try await self.with { stage, desk in
            try await desk.stock("mug", 1)
            let payment = try await desk.pay(["items": [["sku": "mug", "qty": 1]], "shipping": ["country": "XX"]])
            #expect(try await desk.finished(payment) == "REFUNDED")
            #expect(try await desk.row(payment) == ["REFUNDED//1250/1250"])
            let refunded = try #require(try await desk.journal(payment).first { $0.effects.contains("refund.created") })
                .at
            let booked = try await desk.rows(
                "select extract(epoch from at)::text from wf_pay.transfer where purpose = 'refund' and payment_id = '\(payment)'"
            )
            let released = try await desk.rows(
                "select extract(epoch from released_at)::text from wf_pay.stock_hold where payment_id = '\(payment)'")
            let times = [refunded] + (booked + released).compactMap(Double.init)
            #expect(times.count == 3)
            #expect(times == times.sorted())
            #expect(try await desk.rows("select available::text from wf_pay.stock_item") == ["1"])
            #expect(try await desk.audit() == [])
            try await self.replays(stage, payment)
        }
    }

    @Test("10: a worker killed after the refund's effect: one refund, stock released once")
    func killedInCompensation() async throws {
        try await self.with(failpoint: "RefundPsp.after_effect:kill9") { stage, desk in
            try await desk.stock("mug", 1)
            let payment = try await desk.pay(["items": [["sku": "mug", "qty": 1]], "shipping": ["country": "XX"]])
            try await self.restartWorker(stage)
            #expect(try await desk.finished(payment) == "REFUNDED")
            #expect(try await desk.effects(payment).count { $0 == "refund.created" } == 1)
            #expect(try await desk.rows("select available::text from wf_pay.stock_item") == ["1"])
            #expect(try await desk.audit() == [])
        }
    }

    @Test("11: a refund endpoint that is away is announced once, and the run ends refunded by itself")
    func stuck() async throws {
        let policy = """
            {"ambiguitySeconds": 0.5, "retryBaseSeconds": 0.05, "compensationBaseSeconds": 0.1, "compensationCapSeconds": 0.5,
             "stuckSeconds": 3, "stuckAttempts": 100000}
            """
        try await self.with(policy: policy) { stage, desk in
            try await desk.fault(#"{"match": "POST /v1/refunds", "action": "status", "status": 500, "count": 0}"#)
            let payment = try await desk.pay(["shipping": ["country": "XX"]])
            try await desk.until("the announcement") {
                try await desk.events(payment).contains { $0.hasSuffix("payment.compensation_stuck") }
            }
            let tries = try await desk.keys(payment, "/refunds").count
            try await desk.until("more tries") { try await desk.keys(payment, "/refunds").count > tries + 2 }
            try await desk.clearFaults()
            #expect(try await desk.finished(payment) == "REFUNDED")
            #expect(try await desk.events(payment).count { $0.hasSuffix("payment.compensation_stuck") } == 1)
            #expect(try await desk.effects(payment).count { $0 == "refund.created" } == 1)
        }
    }

    @Test(
        "12: the engine is away while the cardholder finishes 3-D Secure; the payment goes on at once when it is back")
    func threeDSecureOverDowntime() async throws {
        try await self.with { stage, desk in
            let payment = try await desk.pay(["payment_method": "tok_threeDSecureRequired"])
            try await desk.until("requires_action") {
                try await desk.rows("select substate from wf_pay.payment where id = '\(payment)'") == [
                    "requires_action"
                ]
            }
            await stage.kill("server")
            try await desk.completeAction(payment)
            try await Task.sleep(for: .seconds(3))  // the outage itself
            try await stage.startServer()
            #expect(try await desk.finished(payment, seconds: 45) == "COMPLETED")
            #expect(
                try await desk.events(payment) == [
                    "1 payment.created", "2 payment.action_required", "3 payment.authorized", "4 payment.captured",
                    "5 payment.completed",
                ])
        }
    }

    @Test("13: a webhook delivered three times and out of order changes the state once; bad ones leave no row")
    func webhooks() async throws {
        try await self.with { stage, desk in
            try await desk.fault(
                #"{"match": "WEBHOOK payment_intent.amount_capturable_updated", "action": "dup_webhook", "copies": 3}"#)
            try await desk.fault(#"{"match": "WEBHOOK payment_intent.requires_action", "action": "reorder_webhook"}"#)
            let payment = try await desk.pay(["payment_method": "tok_threeDSecureRequired"])
            try await desk.until("requires_action") {
                try await desk.rows("select substate from wf_pay.payment where id = '\(payment)'") == [
                    "requires_action"
                ]
            }
            try await desk.completeAction(payment)
            #expect(try await desk.finished(payment) == "COMPLETED")
            #expect(try await desk.events(payment).count { $0.hasSuffix("payment.authorized") } == 1)
            let before = try await desk.rows("select count(*)::text from wf_pay.provider_event")
            let body = #"{"id": "evt_forged", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}"#
            let url = "\(stage.gatewayURL)/v1/hooks/psp/sandbox"
            let now = Int(Date().timeIntervalSince1970)
            let forged = try await desk.call(
                "POST", url, headers: [("stripe-signature", "t=\(now),v1=\(String(repeating: "0", count: 64))")],
                body: body)
            let old = try await desk.call(
                "POST", url, headers: [("stripe-signature", "t=\(now - 301),v1=\(String(repeating: "0", count: 64))")],
                body: body)
            #expect(forged.status == 400)
            #expect(old.status == 400)
            let after = try await desk.rows("select count(*)::text from wf_pay.provider_event where id = 'evt_forged'")
            #expect(after == ["0"])
            #expect(before != ["0"])
        }
    }

    @Test("14: of two refunds at once, 8 and 6 of 10, one is refused with 422")
    func concurrentRefunds() async throws {
        try await self.with { stage, desk in
            let payment = try await desk.pay(["amount": 10])
            #expect(try await desk.finished(payment) == "COMPLETED")
            try await desk.until("the workflow's end") {
                try await desk.call("GET", "\(stage.gatewayURL)/v1/payments/\(payment)").json["closed_at"] is String
            }
            async let eight = desk.refund(payment, amount: 8)
            async let six = desk.refund(payment, amount: 6)
            let statuses = try await [eight.status, six.status]
            #expect(statuses.count { $0 == 422 } == 1)
            #expect(statuses.count { (200...202).contains($0) } == 1)
            let sum = try await desk.rows(
                "select coalesce(sum(amount), 0)::text from wf_pay.refund where status <> 'FAILED'")
            #expect(["8", "6"].contains(sum.first ?? ""))
            try await desk.until("the refund's end") {
                try await desk.rows("select refunded::text from wf_pay.payment where id = '\(payment)'") == sum
            }
            try await desk.until("the books") { try await desk.audit() == [] }
        }
    }
}
