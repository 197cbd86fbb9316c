import History

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Puts what people wrote back into the form that SwiftProtobuf reads: fields that our protos declare as bytes become
/// base64 text. Inside a message that has real payloads (a failure) they become the full form instead.
struct MessageJSONClosing {
    let real: Bool

    func closed(_ tree: JSONValue) throws(Rejection) -> JSONValue {
        switch tree {
        case .null, .bool, .number, .string: return tree
        case .array(let values):
            var out: [JSONValue] = []
            for value in values { out.append(try closed(value)) }
            return .array(out)
        case .object(let members):
            var out: [JSONValue.Member] = []
            for member in members { out.append(JSONValue.Member(member.name, try closed(member))) }
            return .object(out)
        }
    }

    private func closed(_ member: JSONValue.Member) throws(Rejection) -> JSONValue {
        let name = Self.camelCase(member.name)
        guard let field = OpaqueField(name), member.value != .null, !Self.isMessage(name, member.value),
            !Self.isWord(name, member.value)
        else { return try closed(member.value) }
        if case .array(let values) = member.value, Self.isRepeated(name) {
            var out: [JSONValue] = []
            for value in values { out.append(try closed(value, as: field, name)) }
            return .array(out)
        }
        if name == "details", case .object(let entries) = member.value, member.value["payloads"] == nil {
            // The details of a marker are a map.
            var out: [JSONValue.Member] = []
            for entry in entries {
                out.append(JSONValue.Member(entry.name, try closed(entry.value, as: field, entry.name)))
            }
            return .object(out)
        }
        return try closed(member.value, as: field, name)
    }

    private func closed(_ value: JSONValue, as field: OpaqueField, _ name: String) throws(Rejection) -> JSONValue {
        guard let out = real ? try full(value, as: field) : field.data(value).map({ .string($0.base64EncodedString()) })
        else { throw .invalid("\(name): the value does not have the expected form") }
        return out
    }

    private func full(_ value: JSONValue, as field: OpaqueField) throws(Rejection) -> JSONValue? {
        switch field {
        case .payload: PayloadJSON.json(PayloadJSON.payload(value), short: false)
        case .payloads: PayloadJSON.payloads(value).map { PayloadJSON.json($0, short: false) }
        case .header, .memo, .searchAttributes, .failure, .userMetadata, .message: try closed(value)
        }
    }

    /// The input of an update is a message (name, header, args) and not payloads.
    private static func isMessage(_ name: String, _ value: JSONValue) -> Bool {
        name == "input" && value["payloads"] == nil && value["name"] != nil
    }

    /// The cause of a failed task or of a cancellation is an enum or a text, and not a failure.
    private static func isWord(_ name: String, _ value: JSONValue) -> Bool {
        guard case .string = value else { return false }
        return name == "cause"
    }

    /// Does the field hold a list of such bytes? Payloads in their short form are an array themselves.
    private static func isRepeated(_ name: String) -> Bool {
        switch name {
        case "groupValues", "failures", "events", "links": true
        default: false
        }
    }

    private static func camelCase(_ name: String) -> String {
        guard name.contains("_") else { return name }
        let parts = name.split(separator: "_")
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
}
