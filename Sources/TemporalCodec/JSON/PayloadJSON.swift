import SwiftProtobuf
import TemporalAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Payloads to and from JSON, short or full (protocol.md section 7).
///
/// Short, a payload that holds JSON is that JSON, and one that holds nothing is `null`. Any other payload, and every
/// payload in the full form, is an object with `metadata` and `data` in base64.
enum PayloadJSON {
    typealias Payload = Temporal_Api_Common_V1_Payload

    static func json(_ payload: Payload, short: Bool) -> JSONValue {
        if short {
            switch payload.metadata["encoding"].map({ String(decoding: $0, as: UTF8.self) }) {
            case "json/plain":
                if let value = try? JSONValue(parsing: [UInt8](payload.data)) { return value }
            case "binary/null" where payload.data.isEmpty: return .null
            case nil, .some: break
            }
        }
        let metadata = payload.metadata.sorted { $0.key < $1.key }.map {
            JSONValue.Member($0.key, .string($0.value.base64EncodedString()))
        }
        return .object([
            JSONValue.Member("metadata", .object(metadata)),
            JSONValue.Member("data", .string(payload.data.base64EncodedString())),
        ])
    }

    /// Short or full: an object whose metadata names an encoding is a full payload, everything else is the value itself.
    static func payload(_ json: JSONValue) -> Payload {
        if let payload = fullPayload(json) { return payload }
        var payload = Payload()
        guard json != .null else {
            payload.metadata["encoding"] = Data("binary/null".utf8)
            return payload
        }
        payload.metadata["encoding"] = Data("json/plain".utf8)
        payload.data = Data(json.encoded())
        return payload
    }

    private static func fullPayload(_ json: JSONValue) -> Payload? {
        guard case .object(let members) = json, case .object(let metadata) = json["metadata"],
            members.allSatisfy({ $0.name == "metadata" || $0.name == "data" }),
            metadata.contains(where: { $0.name == "encoding" })
        else { return nil }
        var payload = Payload()
        for entry in metadata {
            guard case .string(let text) = entry.value, let bytes = Data(base64Encoded: text) else { return nil }
            payload.metadata[entry.name] = bytes
        }
        guard let data = json["data"] else { return payload }
        guard case .string(let text) = data, let bytes = Data(base64Encoded: text) else { return nil }
        payload.data = bytes
        return payload
    }

    /// Short, payloads are an array; full, an object with the array inside.
    static func json(_ payloads: Temporal_Api_Common_V1_Payloads, short: Bool) -> JSONValue {
        let values = JSONValue.array(payloads.payloads.map { json($0, short: short) })
        return short ? values : .object([JSONValue.Member("payloads", values)])
    }

    /// Nil unless it is an array, or an object that holds one.
    static func payloads(_ json: JSONValue) -> Temporal_Api_Common_V1_Payloads? {
        guard case .array(let values) = json["payloads"] ?? json else { return nil }
        var payloads = Temporal_Api_Common_V1_Payloads()
        payloads.payloads = values.map(payload)
        return payloads
    }

    static func json(_ fields: [String: Payload], short: Bool) -> JSONValue {
        .object(fields.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, json($0.value, short: short)) })
    }

    /// The payloads by name in the only member of an object, which has one of `names`. Nil if it has another form.
    static func fields(_ json: JSONValue, in names: [String]) -> [String: Payload]? {
        guard case .object(let members) = json else { return nil }
        guard let member = members.first else { return [:] }
        guard members.count == 1, names.contains(member.name), case .object(let fields) = member.value else {
            return nil
        }
        return Dictionary(fields.map { ($0.name, payload($0.value)) }) { _, last in last }
    }
}
