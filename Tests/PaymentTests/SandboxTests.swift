import AsyncHTTPClient
import Foundation
import Logging
import Testing

@testable import Sandbox

@Suite("Sandbox, without HTTP")
struct SandboxStateTests {
    private func request(
        _ method: String, _ path: String, _ form: String = "", key: String? = nil, json: String? = nil
    ) -> SandboxRequest {
        SandboxRequest(
            method: method, path: path, form: Form(parsing: form), key: key, authorization: .valid, json: json)
    }

    private let create =
        "amount=1250&currency=eur&payment_method=tok_visa&capture_method=manual&confirm=true&metadata[payment_id]=p1"

    @Test("A form keeps nested names, plus signs and percent escapes")
    func form() {
        let form = Form(parsing: "metadata%5Bpayment_id%5D=a+b&name=%C3%A4&expand[]=x&empty")
        #expect(form["metadata[payment_id]"] == "a b")
        #expect(form.table("metadata") == ["payment_id": "a b"])
        #expect(form["name"] == "ä")
        #expect(form["empty"] == "")
    }

    @Test("A repeated key gets the first answer, executed once")
    func sameKey() {
        var state = SandboxState()
        let first = state.handle(self.request("POST", "/v1/payment_intents", self.create, key: "k"), at: 1)
        let second = state.handle(self.request("POST", "/v1/payment_intents", self.create, key: "k"), at: 2)
        #expect(first.answer.status == 200)
        #expect(first.answer.body == second.answer.body)
        #expect(second.answer.headers["idempotent-replayed"] == "true")
        #expect(state.provider.intents.count == 1)
        #expect(second.entry.effects.isEmpty)
    }

    @Test("A key with other parameters is an idempotency error")
    func otherParameters() {
        var state = SandboxState()
        _ = state.handle(self.request("POST", "/v1/payment_intents", self.create, key: "k"), at: 1)
        let other = state.handle(self.request("POST", "/v1/payment_intents", self.create + "&x=1", key: "k"), at: 2)
        #expect(other.answer.status == 400)
        #expect(other.answer.body["error"]?["type"]?.string == "idempotency_error")
    }

    @Test("A 500 is stored under its key, with or without the effect", arguments: [true, false])
    func storedFailure(effect: Bool) {
        var state = SandboxState()
        _ = state.addFault([
            "match": "POST /v1/payment_intents", "action": "status", "status": 500, "effect": .bool(effect),
        ])
        for at in 1...3 {
            let answer = state.handle(
                self.request("POST", "/v1/payment_intents", self.create, key: "k"), at: Double(at)
            ).answer
            #expect(answer.status == 500)
        }
        #expect(state.provider.intents.count == (effect ? 1 : 0))
        #expect(
            state.handle(self.request("POST", "/v1/payment_intents", self.create, key: "k2"), at: 9).answer.status
                == 200)
    }

    @Test("A key in use answers 409 until its answer has left")
    func inUse() {
        var state = SandboxState()
        let request = self.request("POST", "/v1/payment_intents", self.create, key: "k")
        _ = state.handle(request, at: 1)
        state.hold(request)
        #expect(state.handle(request, at: 2).answer.status == 409)
        state.release(request)
        #expect(state.handle(request, at: 3).answer.status == 200)
    }

    @Test(
        "A card declines with its advice",
        arguments: [
            ("tok_chargeDeclined", "do_not_try_again"), ("tok_insufficientFunds", "try_again_later"),
            ("tok_incorrectCvc", "confirm_card_data"),
        ])
    func decline(token: String, advice: String) {
        var state = SandboxState()
        let form = "amount=5&currency=eur&confirm=true&payment_method=\(token)"
        let answer = state.handle(self.request("POST", "/v1/payment_intents", form, key: "k"), at: 1).answer
        #expect(answer.status == 402)
        #expect(answer.body["error"]?["advice_code"]?.string == advice)
        #expect(answer.body["error"]?["payment_intent"]?["status"]?.string == "requires_payment_method")
    }

    @Test("No more is captured than authorized, and no more refunded than captured")
    func bounds() throws {
        var state = SandboxState()
        let intent = state.handle(self.request("POST", "/v1/payment_intents", self.create), at: 1).answer.body
        let id = try #require(intent["id"]?.string)
        #expect(
            state.handle(self.request("POST", "/v1/payment_intents/\(id)/capture", "amount_to_capture=1251"), at: 2)
                .answer.status == 400)
        #expect(
            state.handle(self.request("POST", "/v1/payment_intents/\(id)/capture", "amount_to_capture=1000"), at: 3)
                .answer.status == 200)
        #expect(state.handle(self.request("POST", "/v1/payment_intents/\(id)/capture"), at: 4).answer.status == 400)
        #expect(
            state.handle(self.request("POST", "/v1/refunds", "payment_intent=\(id)&amount=800"), at: 5).answer.status
                == 200)
        #expect(
            state.handle(self.request("POST", "/v1/refunds", "payment_intent=\(id)&amount=300"), at: 6).answer.status
                == 400)
        #expect(state.handle(self.request("POST", "/v1/refunds", "payment_intent=\(id)"), at: 7).answer.status == 200)
        let done = state.handle(self.request("POST", "/v1/refunds", "payment_intent=\(id)"), at: 8).answer
        #expect(done.body["error"]?["code"]?.string == "charge_already_refunded")
    }

    @Test("Folding the journal again rebuilds the same provider", arguments: [UInt64(1), 2, 3, 4, 5])
    func refold(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var state = SandboxState()
        var entries: [JournalEntry] = []
        func send(_ request: SandboxRequest, _ at: Int) { entries.append(state.handle(request, at: Double(at)).entry) }
        send(
            self.request(
                "POST", "/_ctl/faults",
                json: #"{"match": "POST *", "action": "status", "probability": 0.2, "seed": \#(seed), "effect": true}"#),
            0)
        for at in 1...80 {
            let key = "k\(UInt64.random(in: 0..<30, using: &random))"
            let intent = state.provider.intentOrder.randomElement(using: &random) ?? "pi_none"
            switch UInt64.random(in: 0..<5, using: &random) {
            case 0: send(self.request("POST", "/v1/payment_intents/\(intent)/capture", key: key), at)
            case 1: send(self.request("POST", "/v1/refunds", "payment_intent=\(intent)&amount=10", key: key), at)
            case 2: send(self.request("POST", "/v1/payment_intents/\(intent)/cancel", key: key), at)
            default: send(self.request("POST", "/v1/payment_intents", self.create, key: key), at)
            }
        }
        var again = SandboxState()
        for entry in entries { again.refold(entry) }
        #expect(again.journal == state.journal, "seed \(seed)")
        #expect(again.provider.intents == state.provider.intents, "seed \(seed)")
        #expect(again.provider.refunds == state.provider.refunds, "seed \(seed)")
        #expect(again.provider.events == state.provider.events, "seed \(seed)")
    }

    @Test("A fault hits the nth match, as often as it was told")
    func nth() {
        var state = SandboxState()
        _ = state.addFault([
            "match": "POST /v1/payment_intents/*/capture", "action": "drop_before", "nth": 2, "count": 2,
        ])
        let drops = (1...5).map { at in
            state.handle(self.request("POST", "/v1/payment_intents/pi_x/capture"), at: Double(at)).answer.transport
                == .drop
        }
        #expect(drops == [false, true, true, false, false])
    }

    @Test("A signature is what the provider documents")
    func signature() {
        // echo -n '12345.{"id":1}' | openssl dgst -sha256 -hmac whsec_test
        #expect(
            WebhookSignature.header(body: #"{"id":1}"#, secret: "whsec_test", timestamp: 12345)
                == "t=12345,v1=f7203a2ed655aba44095a747a3bdcf802f302a10223780e80f377fef857a9fb1")
    }
}

/// Numbers from a seed (splitmix64).
struct SeededNumbers: RandomNumberGenerator {
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
