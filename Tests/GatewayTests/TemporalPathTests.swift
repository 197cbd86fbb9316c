import Foundation
import Gateway
import History
import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@Suite("Temporal's HTTP/JSON paths")
struct TemporalPathTests {
    @Test("A start takes plain values as payloads, under both prefixes")
    func start() async throws {
        let backend = ScriptedBackend()
        let web = Web(backend)
        let body =
            #"{"workflowType":{"name":"Hello"},"task_queue":{"name":"hello"},"input":["x",1,{"a":null}],"memo":{"fields":{"k":"v"}},"workflowRunTimeout":"10s"}"#
        for prefix in ["/api/v1", ""] {
            let answer = await web.ask("POST", "\(prefix)/namespaces/default/workflows/w%2F1", body)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["started"] == true && answer.json["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING")
        }
        let start = try #require(backend.state.withLock { $0.starts.last })
        #expect(start.attributes.workflowID == "w/1" && start.attributes.workflowRunTimeout == .seconds(10))
        let input = try Temporal_Api_Common_V1_Payloads(serializedBytes: try #require(start.attributes.input).bytes)
        #expect(input.payloads.map { String(decoding: $0.data, as: UTF8.self) } == ["\"x\"", "1", #"{"a":null}"#])
        let memo = try Temporal_Api_Common_V1_Memo(serializedBytes: try #require(start.attributes.memo).bytes)
        #expect(memo.fields["k"]?.data == Data("\"v\"".utf8))
    }

    @Test("A history shows its payloads as plain values, or in full when asked")
    func history() async throws {
        let result = OperationEndpointTests.progress(#"{"sum":3}"#)
        let event = EventCodec.encode(
            Event(
                id: EventID(5), time: Timestamp(nanoseconds: 1_000_000_000),
                kind: .workflowExecutionCompleted(.init(result: result, workflowTaskCompletedEventID: EventID(4)))))
        let web = Web(
            ScriptedBackend(onHistory: { _ in
                HistoryPage(run: WireHistoryTests.key, events: [event], next: nil, isOpen: false)
            }))
        let path = "/api/v1/namespaces/default/workflows/w/history"
        let plain = await web.ask("GET", path).json["history"]?["events"]?.elements?.first
        #expect(plain?["eventId"] == "5" && plain?["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED")
        #expect(plain?["workflowExecutionCompletedEventAttributes"]?["result"] == .array([["sum": 3]]))
        let full = await web.ask("GET", path, query: [("noPayloadShorthand", "")]).json["history"]?["events"]?.elements?
            .first
        let payloads = full?["workflowExecutionCompletedEventAttributes"]?["result"]?["payloads"]?.elements
        #expect(payloads?.first?["metadata"]?["encoding"] == .string(Data("json/plain".utf8).base64EncodedString()))
        let close = await web.ask(
            "GET", path,
            query: [("waitNewEvent", "true"), ("historyEventFilterType", "HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT")])
        #expect(close.status == 200 && close.json["history"]?["events"]?.elements?.count == 1)
        let pretty = await web.ask("GET", path, query: [("pretty", "")])
        #expect(pretty.text.contains("\n  "))
    }

    @Test("Signal, cancel, terminate, query, list and describe go to their methods")
    func others() async throws {
        let backend = ScriptedBackend(
            onQuery: { _, query in .answered(query.arguments) }, runs: [ScriptedBackend.summary("w")])
        let web = Web(backend)
        let base = "/api/v1/namespaces/default/workflows"
        #expect(await web.ask("POST", "\(base)/w/signal/go", #"{"input":[1]}"#).status == 200)
        #expect(backend.state.withLock { $0.signals.first?.1.signalName } == "go")
        #expect(await web.ask("POST", "\(base)/w/cancel", "{}").status == 200)
        #expect(await web.ask("POST", "\(base)/w/terminate", #"{"reason":"enough"}"#).status == 200)
        #expect(backend.state.withLock { $0.terminations.first?.reason } == "enough")
        let query = await web.ask("POST", "\(base)/w/query/state", #"{"query":{"queryArgs":[7]}}"#)
        #expect(query.json["queryResult"] == .array([7]))
        let list = await web.ask("GET", base, query: [("query", "WorkflowType = 'Hello'"), ("pageSize", "10")])
        #expect(list.json["executions"]?.elements?.count == 1)
        #expect(await web.ask("GET", "\(base)/w").json["workflowExecutionInfo"]?["type"]?["name"] == "Hello")
        #expect(await web.ask("GET", "/api/v1/system-info").json["capabilities"]?["sdkMetadata"] == true)
    }

    @Test("Errors have the gRPC code, the text and the detail")
    func errors() async {
        let web = Web(ScriptedBackend())
        let missing = await web.ask("GET", "/api/v1/namespaces/nowhere/workflows/w")
        #expect(missing.status == 404 && missing.json["code"] == 5)
        #expect(missing.json["message"] == "Namespace nowhere is not found.")
        let detail = missing.json["details"]?.elements?.first
        #expect(detail?["@type"] == "type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure")
        let base = "/api/v1/namespaces/default/workflows/w"
        #expect(await web.ask("POST", base, #"{"nonsense":1}"#).status == 400)
        #expect(await web.ask("POST", base, "[1]").status == 400)
        #expect(await web.ask("POST", base, "{").json["code"] == 3)
        let unknown = await web.ask("GET", "/api/v1/nothing")
        #expect(unknown.status == 404 && unknown.json["code"] == 5 && unknown.json["message"] == "Not Found")
    }

    @Test("A real server answers over a socket and keeps bodies small", .timeLimit(.minutes(5)))
    func socket() async throws {
        let server = HTTPServer(service: Web(ScriptedBackend()).service, port: 0, logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        let port = try #require(await server.port())
        let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
        let (body, response) = try await HTTPClientStandIn.send(url: url, path: "/healthz", body: nil)
        #expect(response == 200 && body.contains("ok"))
        let large = [UInt8](repeating: 32, count: (2 << 20) + 1)
        let refused = try await HTTPClientStandIn.send(url: url, path: "/v1/payments", body: large)
        #expect(refused.status == 413)
        running.cancel()
        _ = await running.result
    }
}
