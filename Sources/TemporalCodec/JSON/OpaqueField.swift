import SwiftProtobuf
import TemporalAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What stands inside the fields that our protos declare as bytes. The protocol never gives one name two meanings, but
/// for the `details` of user metadata.
enum OpaqueField {
    case payload, payloads, header, memo, searchAttributes, failure, userMetadata
    case message(any Message.Type)

    /// - Parameter name: The name of the field in JSON, camel case.
    init?(_ name: String) {
        switch name {
        case "input", "result", "details", "answer", "args", "queryArgs", "queryResult", "success", "signalInput",
            "heartbeatDetails", "lastHeartbeatDetails", "lastCompletionResult":
            self = .payloads
        case "groupValues", "summary", "encodedAttributes": self = .payload
        case "header": self = .header
        case "memo", "upsertedMemo": self = .memo
        case "searchAttributes": self = .searchAttributes
        case "failure", "failures", "lastFailure", "continuedFailure", "cause": self = .failure
        case "userMetadata": self = .userMetadata
        case "events": self = .message(Temporal_Api_History_V1_HistoryEvent.self)
        case "link", "links", "signalLink": self = .message(Temporal_Api_Common_V1_Link.self)
        case "sdkMetadata": self = .message(Temporal_Api_Sdk_V1_WorkflowTaskCompletedMetadata.self)
        case "meteringMetadata": self = .message(Temporal_Api_Common_V1_MeteringMetadata.self)
        case "workerVersion", "workerVersionStamp", "mostRecentWorkerVersionStamp":
            self = .message(Temporal_Api_Common_V1_WorkerVersionStamp.self)
        case "deploymentVersion", "inheritedPinnedVersion":
            self = .message(Temporal_Api_Deployment_V1_WorkerDeploymentVersion.self)
        default: return nil
        }
    }

    /// The JSON of the bytes; nil if they are not what the name says.
    func json(_ data: Data, short: Bool) -> JSONValue? {
        switch self {
        case .payload:
            guard let payload = try? Temporal_Api_Common_V1_Payload(serializedBytes: data) else { return nil }
            return PayloadJSON.json(payload, short: short)
        case .payloads:
            guard let payloads = try? Temporal_Api_Common_V1_Payloads(serializedBytes: data) else { return nil }
            return PayloadJSON.json(payloads, short: short)
        case .header:
            guard let header = try? Temporal_Api_Common_V1_Header(serializedBytes: data) else { return nil }
            return .object([JSONValue.Member("fields", PayloadJSON.json(header.fields, short: short))])
        case .memo:
            guard let memo = try? Temporal_Api_Common_V1_Memo(serializedBytes: data) else { return nil }
            return .object([JSONValue.Member("fields", PayloadJSON.json(memo.fields, short: short))])
        case .searchAttributes:
            // Always full: the metadata names the type.
            guard let found = try? Temporal_Api_Common_V1_SearchAttributes(serializedBytes: data) else { return nil }
            return .object([JSONValue.Member("indexedFields", PayloadJSON.json(found.indexedFields, short: false))])
        case .userMetadata:
            guard let metadata = try? Temporal_Api_Sdk_V1_UserMetadata(serializedBytes: data) else { return nil }
            var json = JSONValue.object([])
            if metadata.hasSummary { json["summary"] = PayloadJSON.json(metadata.summary, short: short) }
            if metadata.hasDetails { json["details"] = PayloadJSON.json(metadata.details, short: short) }
            return json
        case .failure: return MessageJSON.json(Temporal_Api_Failure_V1_Failure.self, data, short: short)
        case .message(let type): return MessageJSON.json(type, data, short: short)
        }
    }

    /// The bytes that the JSON stands for; nil if it does not have the form.
    func data(_ json: JSONValue) -> Data? {
        switch self {
        case .payload: return try? PayloadJSON.payload(json).serializedBytes()
        case .payloads: return try? PayloadJSON.payloads(json)?.serializedBytes()
        case .header:
            guard let fields = PayloadJSON.fields(json, in: ["fields"]) else { return nil }
            return try? Temporal_Api_Common_V1_Header.with { $0.fields = fields }.serializedBytes()
        case .memo:
            guard let fields = PayloadJSON.fields(json, in: ["fields"]) else { return nil }
            return try? Temporal_Api_Common_V1_Memo.with { $0.fields = fields }.serializedBytes()
        case .searchAttributes:
            guard let fields = PayloadJSON.fields(json, in: ["indexedFields", "indexed_fields"]) else { return nil }
            return try? Temporal_Api_Common_V1_SearchAttributes.with { $0.indexedFields = fields }.serializedBytes()
        case .userMetadata:
            guard case .object = json else { return nil }
            var metadata = Temporal_Api_Sdk_V1_UserMetadata()
            if let summary = json["summary"] { metadata.summary = PayloadJSON.payload(summary) }
            if let details = json["details"] { metadata.details = PayloadJSON.payload(details) }
            return try? metadata.serializedBytes()
        case .failure: return MessageJSON.data(Temporal_Api_Failure_V1_Failure.self, json, real: true)
        case .message(let type): return MessageJSON.data(type, json, real: false)
        }
    }
}
