import Foundation
import History
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import TemporalCodec

@Suite("Messages as JSON show payloads the way people write them")
struct MessageJSONTests {
    private typealias Start = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest

    private func payloads(_ texts: String...) -> Temporal_Api_Common_V1_Payloads {
        .with { $0.payloads = texts.map(payload) }
    }

    private func payload(_ text: String) -> Temporal_Api_Common_V1_Payload {
        .with {
            $0.metadata["encoding"] = Data("json/plain".utf8)
            $0.data = Data(text.utf8)
        }
    }

    @Test("A start is read with plain values, names in either case")
    func startFromShorthand() throws {
        let text = """
            {"workflowType":{"name":"pay"},"task_queue":{"name":"q"},"input":["x",1.50,{"b":[true,null]}],
             "workflowRunTimeout":"10s","memo":{"fields":{"note":"hi"}},
             "searchAttributes":{"indexedFields":{"Kind":{"metadata":{"encoding":"anNvbi9wbGFpbg==","type":"S2V5d29yZA=="},"data":"InYi"}}},
             "userMetadata":{"summary":"one line"},"workflowIdReusePolicy":"WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"}
            """
        let start = try MessageJSON.decode(Array(text.utf8), as: Start.self)
        #expect(start.workflowType.name == "pay" && start.taskQueue.name == "q")
        #expect(start.workflowRunTimeout.seconds == 10 && start.workflowIDReusePolicy == .rejectDuplicate)
        let input = try Temporal_Api_Common_V1_Payloads(serializedBytes: start.input)
        #expect(input == payloads(#""x""#, "1.50", #"{"b":[true,null]}"#))
        let memo = try Temporal_Api_Common_V1_Memo(serializedBytes: start.memo)
        #expect(memo.fields["note"] == payload(#""hi""#))
        let attributes = try Temporal_Api_Common_V1_SearchAttributes(serializedBytes: start.searchAttributes)
        #expect(attributes.indexedFields["Kind"]?.metadata["type"] == Data("Keyword".utf8))
        let metadata = try Temporal_Api_Sdk_V1_UserMetadata(serializedBytes: start.userMetadata)
        #expect(metadata.summary == payload(#""one line""#))
    }

    @Test("What was read is written back, short and full")
    func bothForms() throws {
        var start = Start()
        start.workflowID = "w"
        start.input = try payloads(#""x""#, "1").serializedBytes()
        #expect(text(start) == #"{"workflowId":"w","input":["x",1]}"#)
        let full = text(start, short: false)
        #expect(full.contains(#""input":{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"Ingi"}"#))
        for text in [text(start), full] { #expect(try MessageJSON.decode(Array(text.utf8), as: Start.self) == start) }
    }

    private func text(_ message: any Message, short: Bool = true) -> String {
        String(decoding: MessageJSON.encode(message, short: short), as: UTF8.self)
    }

    @Test("Payloads that are not JSON keep their full form inside a short list")
    func otherEncodings() throws {
        var binary = Temporal_Api_Common_V1_Payload()
        binary.metadata["encoding"] = Data("binary/plain".utf8)
        binary.data = Data([0, 1, 2])
        var nothing = Temporal_Api_Common_V1_Payload()
        nothing.metadata["encoding"] = Data("binary/null".utf8)
        var start = Start()
        start.input = try Temporal_Api_Common_V1_Payloads.with { $0.payloads = [binary, nothing] }.serializedBytes()
        #expect(text(start) == #"{"input":[{"metadata":{"encoding":"YmluYXJ5L3BsYWlu"},"data":"AAEC"},null]}"#)
        #expect(try MessageJSON.decode(Array(text(start).utf8), as: Start.self) == start)
    }

    @Test("A history opens every event, its payloads, failures and markers")
    func history() throws {
        let failure =
            try Temporal_Api_Failure_V1_Failure.with {
                $0.message = "declined"
                $0.applicationFailureInfo.type = "Declined"
                $0.applicationFailureInfo.details = payloads("7")
                $0.cause.message = "inner"
            }.serializedBytes() as [UInt8]
        let kinds: [EventKind] = [
            .workflowExecutionFailed(
                .init(
                    failure: FailureCodec.decode(failure), retryState: .retryPolicyNotSet,
                    workflowTaskCompletedEventID: EventID(4))),
            .markerRecorded(
                .init(
                    markerName: "core_patch",
                    details: [NamedBlob("patch-data", Blob(try payloads("1").serializedBytes() as [UInt8]))],
                    workflowTaskCompletedEventID: EventID(4))),
        ]
        var response = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse()
        response.history.events = kinds.enumerated().map { index, kind in
            Data(EventCodec.encode(Event(id: EventID(Int64(index) + 5), time: .zero, kind: kind)))
        }
        let json = MessageJSON.value(response)
        guard case .array(let events) = json["history"]?["events"] else { throw MalformedMessage("no events") }
        #expect(events[0]["eventType"] == .string("EVENT_TYPE_WORKFLOW_EXECUTION_FAILED"))
        let failed = events[0]["workflowExecutionFailedEventAttributes"]?["failure"]
        #expect(failed?["applicationFailureInfo"]?["details"] == .array([.number("7")]))
        #expect(failed?["cause"]?["message"] == .string("inner"))
        let details = events[1]["markerRecordedEventAttributes"]?["details"]
        #expect(details?["patch-data"] == .array([.number("1")]))
        let text = MessageJSON.encode(response)
        let back = try MessageJSON.decode(
            text, as: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse.self)
        #expect(FailureCodec.traits(of: try failureBytes(back)) == FailureCodec.traits(of: failure))
    }

    private func failureBytes(
        _ response: Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse
    ) throws -> [UInt8] {
        let event = try Temporal_Api_History_V1_HistoryEvent(
            serializedBytes: try #require(response.history.events.first))
        return [UInt8](event.workflowExecutionFailedEventAttributes.failure)
    }

    @Test("What does not fit is refused and named")
    func refusals() {
        for (text, part) in [
            (#"{"input":"x"}"#, "input"), (#"{"memo":{"a":1}}"#, "memo"), (#"{"nope":1}"#, "does not fit"),
            (#"{"workflowId":"#, "byte 14"), (#"{"workflowId":7}"#, "does not fit"),
        ] {
            let error = #expect(throws: Rejection.self) { try MessageJSON.decode(Array(text.utf8), as: Start.self) }
            #expect(error?.kind == .invalidArgument)
            #expect(error?.message.contains(part) == true, "\(text): \(error?.message ?? "")")
        }
    }

    @Test("Any JSON text comes back as it was", arguments: UInt64(0)..<50)
    func jsonRoundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        let tree = JSONValue.array(
            (0..<20).map { _ in
                .object([
                    .init(values.text(), .string(values.text())), .init("n", .number("-12.5e+7")),
                    .init("l", .array([.null, .bool(true), .object([])])),
                ])
            })
        for pretty in [false, true] {
            #expect(try JSONValue(parsing: tree.encoded(pretty: pretty)) == tree, "seed \(seed)")
        }
        _ = try? JSONValue(parsing: values.bytes())
    }

    @Test("JSON that is not JSON is refused")
    func malformedJSON() throws {
        let deep = String(repeating: "[", count: 100_000)
        for text in [
            "", "{", "[1,]", "01", "1.", "nul", #""\ud800""#, #""\x""#, "[1] 2", #"{"a" 1}"#, "\"\u{1}\"", deep,
        ] {
            #expect(throws: MalformedJSON.self) { try JSONValue(parsing: Array(text.utf8)) }
        }
        #expect(try JSONValue(parsing: Array(#""\ud83d\udeeb\n""#.utf8)) == .string("🛫\n"))
    }
}
