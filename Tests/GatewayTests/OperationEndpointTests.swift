import Crypto
import Engine
import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@Suite("Operations, lists and webhooks")
struct OperationEndpointTests {
    static func progress(_ text: String) -> Blob {
        let payloads = Temporal_Api_Common_V1_Payloads.with {
            $0.payloads = [
                .with {
                    $0.metadata["encoding"] = Data("json/plain".utf8)
                    $0.data = Data(text.utf8)
                }
            ]
        }
        return Blob((try? payloads.serializedBytes()) ?? [])
    }

    @Test("An operation shows its progress, an ETag, and when to ask again")
    func running() async throws {
        let backend = ScriptedBackend(onQuery: { _, query in
            .answered(Self.progress(#"{"status":"WAITING","phase":"review","asked":"\#(query.type)"}"#))
        })
        let web = Web(backend)
        let id = try #require(await web.pay(PaymentBodies.good).json["operation_id"]?.text)
        let answer = await web.ask("GET", "/v1/operations/\(id)")
        #expect(answer.status == 200 && answer.json["status"] == "WAITING" && answer.json["done"] == false)
        #expect(answer.json["progress"]?["phase"] == "review" && answer.json["progress"]?["asked"] == "progress")
        #expect(answer.header("retry-after") != nil)
        let tag = try #require(answer.header("etag"))
        let again = await web.ask("GET", "/v1/operations/\(id)", headers: [("if-none-match", tag)])
        #expect(again.status == 304 && again.body.isEmpty)
        let payment = await web.ask("GET", "/v1/payments/\(id)")
        #expect(payment.status == 200 && payment.json["status"] == "PROCESSING")
    }

    @Test("A finished operation shows its result, without a worker too")
    func finished() async throws {
        let backend = ScriptedBackend(
            onHistory: { request in
                let completed = EventCodec.encode(
                    Event(
                        id: EventID(9), time: Timestamp(nanoseconds: 1),
                        kind: .workflowExecutionCompleted(
                            .init(
                                result: Self.progress(#"{"status":"COMPLETED"}"#),
                                workflowTaskCompletedEventID: EventID(8)))))
                return HistoryPage(run: WireHistoryTests.key, events: [completed], next: nil, isOpen: false)
            },
            onDescribe: { target in
                RunDescription(summary: ScriptedBackend.summary(target.workflow, status: .completed), state: .init())
            })
        let web = Web(backend)
        let id = try #require(await web.pay(PaymentBodies.good).json["operation_id"]?.text)
        let answer = await web.ask("GET", "/v1/operations/\(id)", headers: [("prefer", "wait=5")])
        #expect(answer.json["status"] == "SUCCEEDED" && answer.json["result"]?["status"] == "COMPLETED")
        #expect(answer.header("retry-after") == nil)
        #expect(await web.ask("GET", "/v1/operations/\(id)/result").json["status"] == "COMPLETED")
        #expect(await web.ask("GET", "/v1/payments/\(id)").json["status"] == "COMPLETED")
    }

    @Test("DELETE asks the workflow to end")
    func cancel() async throws {
        let backend = ScriptedBackend()
        let web = Web(backend)
        let id = try #require(await web.pay(PaymentBodies.good).json["operation_id"]?.text)
        let answer = await web.ask("DELETE", "/v1/operations/\(id)")
        #expect(answer.status == 202)
        #expect(backend.state.withLock { $0.cancels.first?.workflow.value } == "pay:shop_1:\(id)")
    }

    @Test("What is not there is 404, what is not allowed 405")
    func missing() async {
        let web = Web(ScriptedBackend())
        for path in ["/v1/operations/\(UUIDs.random())", "/v1/operations/x", "/v1/payments/\(UUIDs.random())", "/nope"]
        {
            let answer = await web.ask("GET", path)
            #expect(answer.status == 404 && answer.header("content-type") == "application/problem+json")
        }
        let answer = await web.ask("PUT", "/v1/payments")
        #expect(answer.status == 405 && answer.header("allow") == "GET, POST")
    }

    @Test("Refunds start pay.Refund for a payment that exists")
    func refunds() async throws {
        let backend = ScriptedBackend()
        let web = Web(backend)
        let id = try #require(await web.pay(PaymentBodies.good).json["payment_id"]?.text)
        let key = [(name: "idempotency-key", value: "r-1")]
        let bad = await web.ask("POST", "/v1/payments/\(id)/refunds", #"{"amount":1.5}"#, headers: key)
        #expect(bad.status == 422 && bad.pointers == ["/amount"])
        let none = await web.ask("POST", "/v1/payments/\(UUIDs.random())/refunds", #"{"amount":5}"#, headers: key)
        #expect(none.status == 404)
        let answer = await web.ask(
            "POST", "/v1/payments/\(id)/refunds", #"{"amount":5,"refund_id":"back-1","reason":"broken"}"#, headers: key)
        #expect(answer.status == 202 && answer.json["refund_id"] == "back-1")
        let start = try #require(backend.state.withLock { $0.starts.last })
        #expect(start.attributes.workflowType == "pay.Refund" && start.attributes.workflowID == "refund:back-1")
    }

    @Test("Lists page by signed cursors; forged or foreign ones are 400")
    func lists() async throws {
        let runs = (0..<5).map { ScriptedBackend.summary(WorkflowID("w\($0)"), run: RunID(UUIDs.random())) }
        let web = Web(ScriptedBackend(runs: runs))
        var seen: [String] = []
        var query: [(name: String, value: String)] = [("limit", "2")]
        for _ in 0..<3 {
            let page = await web.ask("GET", "/v1/workflows", query: query)
            #expect(page.status == 200)
            seen += (page.json["items"]?.elements ?? []).compactMap { $0["workflow_id"]?.text }
            guard let next = page.json["next"]?.text else { break }
            query = [("limit", "2"), ("after", next)]
        }
        #expect(seen == ["w0", "w1", "w2", "w3", "w4"])
        let cursor = try #require(await web.ask("GET", "/v1/workflows", query: [("limit", "2")]).json["next"]?.text)
        var forged = Array(cursor)
        forged[12] = forged[12] == "A" ? "B" : "A"
        #expect(await web.ask("GET", "/v1/workflows", query: [("after", String(forged))]).status == 400)
        #expect(await web.ask("GET", "/v1/operations", query: [("after", cursor)]).status == 400)
        #expect(await web.ask("GET", "/v1/workflows", query: [("after", cursor), ("status", "Failed")]).status == 400)
        #expect(await web.ask("GET", "/v1/workflows", query: [("after", "!!")]).status == 400)
        #expect(await web.ask("GET", "/v1/workflows", query: [("limit", "201")]).status == 400)
        #expect(await web.ask("GET", "/v1/workflows", query: [("colour", "red")]).status == 400)
        let strange = Web(ScriptedBackend(runs: runs))
        #expect(await strange.ask("GET", "/v1/workflows", query: [("after", cursor)]).status == 400)
    }

    @Test("A webhook counts only with a good and fresh signature, and tells each workflow once")
    func webhooks() async {
        let backend = ScriptedBackend()
        let web = Web(backend) { options in
            options.webhookSecrets = ["sandbox": ["new", "old"]]
            options.webhooks = { delivery in
                .accepted([WebhookSignal(workflow: "pay:a:b", name: "provider_event", input: .string(delivery.eventID))]
                )
            }
        }
        let body = #"{"id":"evt_1","type":"payment_intent.succeeded"}"#
        func sign(_ secret: String, age: Int64) -> String {
            let time = SystemTime.now().nanoseconds / 1_000_000_000 - age
            let code = HMAC<Crypto.SHA256>.authenticationCode(
                for: Data("\(time).\(body)".utf8), using: SymmetricKey(data: Data(secret.utf8)))
            return "t=\(time),v1=" + code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        func deliver(_ signature: String?) async -> Int {
            await web.ask(
                "POST", "/v1/hooks/psp/sandbox", body, headers: signature.map { [("stripe-signature", $0)] } ?? []
            ).status
        }
        #expect(await deliver(nil) == 400)
        #expect(await deliver(sign("wrong", age: 0)) == 400)
        #expect(await deliver(sign("new", age: 301)) == 400)
        #expect(await deliver("t=x,v1=zz") == 400)
        #expect(backend.state.withLock { $0.signals.isEmpty })
        #expect(await deliver(sign("new", age: 0)) == 200)
        #expect(await deliver(sign("old", age: 290)) == 200)
        #expect(backend.state.withLock { Set($0.signals.map { $0.1.requestID }).count } == 1)
        #expect(await web.ask("POST", "/v1/hooks/psp/unknown", body).status == 404)
    }

    @Test("Health, readiness and metrics are there")
    func health() async {
        let web = Web(ScriptedBackend()) { $0.metrics = { "aloft_up 1\n" } }
        #expect(await web.ask("GET", "/healthz").status == 200)
        #expect(await web.ask("GET", "/readyz").json["ready"] == true)
        #expect(await web.ask("GET", "/metrics").text == "aloft_up 1\n")
    }
}
