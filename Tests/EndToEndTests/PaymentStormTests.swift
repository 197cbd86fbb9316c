import Foundation
import ServerTestKit
import Testing

/// families.md section 1, scenario 17.
@Suite("Payments in a storm", .serialized, .timeLimit(.minutes(15)))
struct PaymentStormTests {
    private static let policy = """
        {"ambiguitySeconds": 2, "retryBaseSeconds": 0.05, "compensationBaseSeconds": 0.1, "compensationCapSeconds": 2,
            "breakerOpenSeconds": 2, "breakerRampSeconds": 2}
        """

    @Test("17: 200 payments, seeded faults, five kills of worker and server: every payment ends and the books agree")
    func storm() async throws {
        let seed =
            ProcessInfo.processInfo.environment["ALOFT_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...1_000_000)
        var random = SplitMix(seed: seed)
        try await Stage.with(worker: false) { stage in
            try await stage.startWorker(policy: Self.policy)
            let desk = PaymentDesk(stage: stage)
            try await desk.stock("mug", 150)
            for (rule, (match, action, share)) in [
                ("POST *", "drop_before", 0.04), ("POST *", "drop_after", 0.04), ("GET *", "drop_before", 0.02),
                ("POST *", "status", 0.04), ("WEBHOOK *", "lose_webhook", 0.1),
            ].enumerated() {
                let effect = Bool.random(using: &random)
                let own = seed &+ UInt64(rule) &* 7919
                try await desk.fault(
                    #"{"match": "\#(match)", "action": "\#(action)", "probability": \#(share), "seed": \#(own), "effect": \#(effect)}"#
                )
            }
            let cards = ["tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_chargeDeclined"]
            var payments: [String] = []
            for number in 0..<200 {
                let country = Int.random(in: 0..<10, using: &random) == 0 ? "XX" : "DE"
                let order: [String: Any] = [
                    "order_id": "order-\(number)", "amount": Int.random(in: 100...10_000, using: &random),
                    "payment_method": cards.randomElement(using: &random) ?? "tok_visa",
                    "shipping": ["country": country],
                    "items": [["sku": "mug", "qty": 1]],
                ]
                payments.append(try await self.pay(desk, order, key: "storm-\(number)"))
                guard number % 40 == 20 else { continue }
                if number % 80 == 20 {
                    await stage.kill("worker")
                    try await stage.startWorker(policy: Self.policy)
                } else {
                    await stage.kill("server")
                    try await stage.startServer()
                }
            }
            for payment in payments { _ = try await desk.finished(payment, seconds: 600) }
            // A payment's row ends before its last event is relayed and its refund is booked; the books follow.
            try await desk.until("the books", seconds: 120) { try await desk.audit() == [] }
            #expect(try await desk.audit() == [], "seed \(seed)")
            let double = try await desk.rows(
                "select payment_id::text from wf_pay.transfer where purpose = 'capture' group by 1 having count(*) > 1")
            #expect(double == [], "seed \(seed)")
        }
    }

    /// Posts until the gateway is there; the key makes it one payment.
    private func pay(_ desk: PaymentDesk, _ order: [String: Any], key: String) async throws -> String {
        let body = PaymentDesk.order(order)
        let end = ContinuousClock.now + .seconds(60)
        while true {
            if let answer = try? await desk.post(body, key: key), answer.status == 202,
                let id = answer.json["payment_id"] as? String
            {
                return id
            }
            guard ContinuousClock.now < end else { throw ServerFailure("payment \(key) was not accepted in 60 s") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

/// Numbers from a seed.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
