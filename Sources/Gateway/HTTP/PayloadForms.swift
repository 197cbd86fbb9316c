import FoundationEssentials
import SwiftProtobuf
import TemporalAPI

/// Which fields of our messages are opaque bytes, and what stands inside. One table by JSON name for every message.
enum OpaqueField {
    case payloads, payload, failure, memo, header, searchAttributes, userMetadata, link, historyEvent, workerHeartbeat

    static let byName: [String: OpaqueField] = [
        "input": .payloads, "result": .payloads, "details": .payloads, "lastCompletionResult": .payloads,
        "signalInput": .payloads, "queryArgs": .payloads, "queryResult": .payloads, "heartbeatDetails": .payloads,
        "lastHeartbeatDetails": .payloads, "answer": .payloads, "args": .payloads, "success": .payloads,
        "encodedAttributes": .payload, "groupValues": .payload,
        "failure": .failure, "continuedFailure": .failure, "lastFailure": .failure, "failures": .failure, "memo": .memo,
        "upsertedMemo": .memo, "header": .header, "searchAttributes": .searchAttributes, "userMetadata": .userMetadata,
        "link": .link, "links": .link, "signalLink": .link, "events": .historyEvent, "summary": .payload,
        "workerHeartbeat": .workerHeartbeat,
    ]

    /// The input of an update is a message of its own (name, header, arguments) and not payloads.
    static func isUpdateInput(_ name: String, _ value: JSONValue) -> Bool {
        name == "input" && value["name"]?.text != nil && value["payloads"] == nil
            && value.members?.allSatisfy { ["name", "header", "args"].contains($0.name) } == true
    }

    /// `snake_case` as `camelCase`.
    static func camel(_ name: String) -> String {
        guard name.contains("_") else { return name }
        let parts = name.split(separator: "_")
        return (parts.first.map(String.init) ?? "")
            + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

/// Payloads as plain JSON values where that loses nothing (protocol.md section 7), else with their metadata.
struct PayloadForms: Sendable {
    var usesShorthand = true

    // MARK: Out

    /// A payload as SwiftProtobuf writes it: `{"metadata":{…base64},"data":base64}`.
    func shown(payload: JSONValue) -> JSONValue {
        guard usesShorthand, let encoding = Self.metadata(payload, "encoding") else { return payload }
        let isPlain = payload["metadata"]?.members?.count == 1
        if encoding == "binary/null" && isPlain { return .null }
        guard encoding == "json/plain" && isPlain, let data = Self.bytes(payload["data"]),
            let value = try? JSONParser.parse(data)
        else { return payload }
        return value
    }

    func shown(payloads: JSONValue) -> JSONValue {
        guard usesShorthand else { return payloads }
        return .array((payloads["payloads"]?.elements ?? []).map { shown(payload: $0) })
    }

    func shown(fields: JSONValue, in name: String) -> JSONValue {
        guard let members = fields[name]?.members else { return fields }
        return .record((name, .object(members.map { .init($0.name, shown(payload: $0.value)) })))
    }

    // MARK: In

    /// The full form of a payload that may have been given as a plain value.
    static func full(payload: JSONValue) -> JSONValue {
        if let members = payload.members, !members.isEmpty, payload["metadata"]?.members != nil,
            members.allSatisfy({ $0.name == "metadata" || $0.name == "data" })
        {
            return payload
        }
        if payload == .null { return fullPayload(encoding: "binary/null", data: []) }
        return fullPayload(encoding: "json/plain", data: JSONWriter.write(payload))
    }

    static func full(payloads: JSONValue) -> JSONValue {
        if payloads["payloads"]?.elements != nil { return payloads }
        return .record(("payloads", .array((payloads.elements ?? [payloads]).map(full(payload:)))))
    }

    static func full(fields: JSONValue, in name: String) -> JSONValue {
        guard let members = fields[name]?.members else { return fields }
        return .record((name, .object(members.map { .init($0.name, full(payload: $0.value)) })))
    }

    private static func fullPayload(encoding: String, data: [UInt8]) -> JSONValue {
        .record(
            ("metadata", .record(("encoding", .string(base64(Array(encoding.utf8)))))), ("data", .string(base64(data))))
    }

    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    static func bytes(_ value: JSONValue?) -> [UInt8]? {
        guard let value else { return [] }
        return value.text.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) }
    }

    private static func metadata(_ payload: JSONValue, _ name: String) -> String? {
        guard let value = payload["metadata"]?[name] else { return nil }
        return bytes(value).map { String(decoding: $0, as: UTF8.self) }
    }
}
