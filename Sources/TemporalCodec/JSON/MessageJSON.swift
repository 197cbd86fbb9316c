public import History
public import SwiftProtobuf
import TemporalAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Messages to and from the JSON of the HTTP interface: protobuf JSON in which the fields that we keep as bytes are
/// opened, with payloads in their short form unless the full one is asked for.
///
/// Bytes that are not what they should be stay base64 text, so encoding never fails for what a client put in.
public enum MessageJSON {
    /// The JSON of a message.
    public static func encode(_ message: any Message, short: Bool = true, pretty: Bool = false) -> [UInt8] {
        value(message, short: short).encoded(pretty: pretty)
    }

    /// The JSON of a message as a tree, for callers that add to it or take a part.
    public static func value(_ message: any Message, short: Bool = true) -> JSONValue {
        guard let bytes: [UInt8] = try? message.jsonUTF8Bytes(), let tree = try? JSONValue(parsing: bytes) else {
            return .object([])
        }
        return opened(tree, short: short)
    }

    /// Reads a message from JSON; payloads may be short or full, names camel or snake case.
    ///
    /// - Throws: `Rejection.invalid` that names what does not fit.
    public static func decode<M: Message>(_ bytes: [UInt8], as type: M.Type) throws(Rejection) -> M {
        do {
            return try decode(JSONValue(parsing: bytes), as: type)
        } catch let error as MalformedJSON {
            throw .invalid(error.description)
        } catch let error as Rejection {
            throw error
        } catch {
            throw .invalid("invalid JSON")
        }
    }

    /// Reads a message from a tree, which may have been put together from a path, a query string and a body.
    public static func decode<M: Message>(_ value: JSONValue, as type: M.Type) throws(Rejection) -> M {
        let closed = try MessageJSONClosing(real: false).closed(value)
        do {
            return try M(jsonUTF8Bytes: closed.encoded())
        } catch {
            throw .invalid("the JSON does not fit \(M.protoMessageName): \(error)")
        }
    }

    static func json(_ type: any Message.Type, _ data: Data, short: Bool) -> JSONValue? {
        guard let message = try? type.init(serializedBytes: data) else { return nil }
        return value(message, short: short)
    }

    /// - Parameter real: Are payloads inside this message messages, and not bytes?
    static func data(_ type: any Message.Type, _ json: JSONValue, real: Bool) -> Data? {
        guard let closed = try? MessageJSONClosing(real: real).closed(json),
            let message = try? type.init(jsonUTF8Bytes: closed.encoded())
        else { return nil }
        return try? message.serializedBytes()
    }

    private static func opened(_ tree: JSONValue, short: Bool) -> JSONValue {
        switch tree {
        case .null, .bool, .number, .string: return tree
        case .array(let values): return .array(values.map { opened($0, short: short) })
        case .object(let members):
            return .object(
                members.map { member in
                    guard let field = OpaqueField(member.name) else {
                        return JSONValue.Member(member.name, opened(member.value, short: short))
                    }
                    return JSONValue.Member(member.name, opened(member.value, as: field, short: short))
                })
        }
    }

    private static func opened(_ value: JSONValue, as field: OpaqueField, short: Bool) -> JSONValue {
        switch value {
        case .string(let text): return Data(base64Encoded: text).flatMap { field.json($0, short: short) } ?? value
        case .array(let values): return .array(values.map { opened($0, as: field, short: short) })
        case .object(let members):
            return openedMessage(value, as: field, short: short)
                ?? .object(
                    members.map { member in
                        // A map of bytes, or a message of another kind under the same name.
                        guard case .string = member.value, OpaqueField(member.name) == nil, field.isPayloads else {
                            return JSONValue.Member(member.name, openedMember(member, short: short))
                        }
                        return JSONValue.Member(member.name, opened(member.value, as: field, short: short))
                    })
        case .null, .bool, .number: return value
        }
    }

    private static func openedMember(_ member: JSONValue.Member, short: Bool) -> JSONValue {
        guard let field = OpaqueField(member.name) else { return opened(member.value, short: short) }
        return opened(member.value, as: field, short: short)
    }

    /// A value that SwiftProtobuf has written as a message already, because it stands inside an opened one.
    private static func openedMessage(_ value: JSONValue, as field: OpaqueField, short: Bool) -> JSONValue? {
        switch field {
        case .payload: return PayloadJSON.json(PayloadJSON.payload(value), short: short)
        case .payloads:
            guard value["payloads"] != nil, let payloads = PayloadJSON.payloads(value) else { return nil }
            return PayloadJSON.json(payloads, short: short)
        case .header, .memo, .searchAttributes, .failure, .userMetadata, .message: return nil
        }
    }
}

extension OpaqueField {
    fileprivate var isPayloads: Bool {
        if case .payloads = self { true } else { false }
    }
}
