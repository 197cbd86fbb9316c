import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import Testing

@Suite("POST /v1/payments")
struct PaymentEndpointTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let field: String
        let value: String
        var testDescription: String { "\(field) = \(value.prefix(40))" }
    }

    static let bad: [Bad] = [
        Bad(field: "amount", value: "12.5"), Bad(field: "amount", value: "-1"), Bad(field: "amount", value: "0"),
        Bad(field: "amount", value: "100000000"), Bad(field: "amount", value: "\"12\""),
        Bad(field: "amount", value: "1e3"),
        Bad(field: "currency", value: "\"EURO\""), Bad(field: "currency", value: "\"eur\""),
        Bad(field: "currency", value: "\"XXX\""),
        Bad(field: "merchant_id", value: "\"Shop\""), Bad(field: "merchant_id", value: "\"\""),
        Bad(field: "merchant_id", value: "7"),
        Bad(field: "order_id", value: "\"\(String(repeating: "o", count: 65))\""),
        Bad(field: "payment_method", value: "\"4000\""), Bad(field: "payment_method", value: "\"pm_\""),
        Bad(field: "payment_method", value: "\"pm_a b\""), Bad(field: "provider", value: "\"nobody\""),
        Bad(field: "mode", value: "\"later\""), Bad(field: "items", value: "{}"),
        Bad(field: "metadata", value: "[]"), Bad(field: "shipping", value: "1"),
        Bad(field: "callback_url", value: "\"ftp://x\""),
        Bad(field: "callback_url", value: "\"nonsense\""), Bad(field: "partial_capture", value: "1"),
        Bad(field: "review_over", value: "1.5"), Bad(field: "surprise", value: "1"),
    ]

    @Test("A bad field is named and nothing starts", arguments: bad)
    func badField(_ bad: Bad) async {
        let backend = ScriptedBackend()
        let answer = await Web(backend).pay(PaymentBodies.with(bad.field, bad.value))
        #expect(answer.status == 422)
        #expect(answer.header("content-type") == "application/problem+json")
        #expect(answer.pointers == ["/\(bad.field)"])
        #expect(backend.state.withLock { $0.starts.isEmpty && $0.requests.isEmpty })
    }

    @Test("Every fault is reported at once, items with their place")
    func manyFaults() async {
        let answer = await Web(ScriptedBackend()).pay(
            #"{"amount":1.5,"currency":"ZZZ","items":[{"sku":"a","qty":1},{"sku":"b","qty":0,"x":1},7],"merchant_id":"a","order_id":"o"}"#
        )
        #expect(answer.status == 422)
        #expect(
            Set(answer.pointers) == [
                "/amount", "/currency", "/items/1/qty", "/items/1/x", "/items/2", "/payment_method",
            ])
    }

    @Test("Too many items and too many members of metadata are refused")
    func tooMany() async {
        let items = "[" + (0..<201).map { "{\"sku\":\"s\($0)\",\"qty\":1}" }.joined(separator: ",") + "]"
        #expect(await Web(ScriptedBackend()).pay(PaymentBodies.with("items", items)).pointers == ["/items"])
        let metadata = "{" + (0..<51).map { "\"m\($0)\":1" }.joined(separator: ",") + "}"
        #expect(await Web(ScriptedBackend()).pay(PaymentBodies.with("metadata", metadata)).pointers == ["/metadata"])
    }

    @Test(
        "A card number anywhere is refused and not repeated",
        arguments: ["4242424242424242", "4242 4242 4242 4242", "3782-822463-10005", "card 5555555555554444!"])
    func cardNumbers(_ number: String) async {
        let backend = ScriptedBackend()
        let bodies = [
            PaymentBodies.with("order_id", "\"\(number)\""),
            PaymentBodies.with("metadata", "{\"note\":[\"\(number)\"]}"),
            PaymentBodies.with("metadata", "{\"\(number)\":1}"),
        ]
        for body in bodies {
            let answer = await Web(backend).pay(body)
            #expect(answer.status == 422)
            #expect(!answer.text.contains(number) && !answer.text.contains("4242"))
        }
        #expect(backend.state.withLock { $0.starts.isEmpty })
    }

    @Test(
        "Digits that are no card number pass", arguments: ["4242424242424241", "123456789012", "00000000000000000000"])
    func otherDigits(_ digits: String) async {
        let answer = await Web(ScriptedBackend()).pay(PaymentBodies.with("order_id", "\"\(digits)\""))
        #expect(answer.status == 202)
    }

    @Test("Duplicate names, torn JSON and a missing key are 400")
    func malformed() async {
        let web = Web(ScriptedBackend())
        let twice = await web.pay(#"{"amount":1,"amount":2}"#)
        #expect(twice.status == 400 && twice.pointers == ["/amount"])
        #expect(await web.pay("{\"amount\":").status == 400)
        let missing = await web.pay(PaymentBodies.good, key: nil)
        #expect(missing.status == 400 && missing.json["type"]?.text == "urn:aloft:problem:idempotency/missing")
        #expect(await web.pay(PaymentBodies.good, key: "").status == 400)
        #expect(await web.pay(PaymentBodies.good, key: String(repeating: "k", count: 256)).status == 400)
        #expect(await web.pay(PaymentBodies.good, key: "k\u{7}").status == 400)
    }

    @Test("A payment starts pay.Charge with the checked body and its ids")
    func starts() async throws {
        let backend = ScriptedBackend()
        let answer = await Web(backend).pay(PaymentBodies.good)
        #expect(answer.status == 202)
        let id = try #require(answer.json["payment_id"]?.text)
        #expect(answer.header("location") == "/v1/operations/\(id)" && answer.header("x-request-id") != nil)
        let start = try #require(backend.state.withLock { $0.starts.first })
        #expect(start.attributes.workflowType == "pay.Charge")
        #expect(start.attributes.workflowID.value == "pay:shop_1:\(id)")
        #expect(start.attributes.taskQueue.name == "pay")
        let blob = try #require(start.attributes.input)
        let payload = try Temporal_Api_Common_V1_Payloads(serializedBytes: blob.bytes).payloads[0]
        #expect(payload.metadata["encoding"] == Data("json/plain".utf8))
        let input = try JSONParser.parse([UInt8](payload.data))
        #expect(input["payment_id"]?.text == id && input["idempotency_key"]?.text == "key-1")
        #expect(
            input["provider"]?.text == "sandbox" && input["mode"]?.text == "interactive" && input["amount"]?.int == 1250
        )
        #expect(start.claim?.operationID == id && start.claim?.operationKind == "payment")
    }

    @Test("A repeated key gets identical bytes, quoted or bare; another body gets 422")
    func repeated() async {
        let backend = ScriptedBackend()
        let web = Web(backend)
        let first = await web.pay(PaymentBodies.good)
        let second = await web.pay(PaymentBodies.good, key: "\"key-1\"")
        #expect(second.status == 202 && second.body == first.body)
        #expect(first.header("idempotent-replayed") == nil && second.header("idempotent-replayed") == "true")
        #expect(second.header("location") == first.header("location"))
        let other = await web.pay(PaymentBodies.with("amount", "1"))
        #expect(other.status == 422 && other.json["type"]?.text == "urn:aloft:problem:idempotency/reused")
        #expect(backend.state.withLock { $0.starts.count } == 1)
    }

    @Test("Fifty equal posts at once start one payment; the others are replays or told to wait")
    func fifty() async {
        let backend = ScriptedBackend(onStart: { _ in await Task.yield() })
        // Two gateways on one store: the claim in the start's transaction decides.
        let webs = [Web(backend), Web(backend)]
        let answers = await withTaskGroup(of: HTTPAnswer.self) { group in
            for index in 0..<50 { group.addTask { await webs[index % 2].pay(PaymentBodies.good) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(backend.state.withLock { $0.starts.count } == 1)
        let accepted = answers.filter { $0.status == 202 }
        #expect(!accepted.isEmpty && Set(accepted.map(\.body)).count == 1)
        for answer in answers where answer.status != 202 {
            #expect(answer.status == 409 && answer.header("retry-after") == "1")
            #expect(answer.json["type"]?.text == "urn:aloft:problem:idempotency/in-flight")
        }
    }

    @Test("A crash between the commit and the answer leaves a claim from which the same answer is made")
    func lostAnswer() async throws {
        let backend = ScriptedBackend()
        let first = await Web(backend).pay(PaymentBodies.good)
        backend.state.withLock { state in for key in state.requests.keys { state.requests[key]?.answer = nil } }
        let second = await Web(backend).pay(PaymentBodies.good)
        #expect(second.status == 202 && second.body == first.body)
        #expect(backend.state.withLock { $0.starts.count } == 1)
    }

    @Test("A store that is away is 503 and stores nothing")
    func storeAway() async {
        let backend = ScriptedBackend(onStart: { _ in throw StoreError.unavailable("no route") })
        let answer = await Web(backend).pay(PaymentBodies.good)
        #expect(answer.status == 503 && answer.header("retry-after") == "1" && answer.json["retryable"] == true)
        #expect(!answer.text.contains("no route"))
        #expect(backend.state.withLock { $0.requests.isEmpty })
    }
}
