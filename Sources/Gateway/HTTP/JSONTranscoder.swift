import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI

/// Messages to and from protobuf JSON, with the opaque fields opened (protocol.md section 7).
struct JSONTranscoder: Sendable {
    var forms = PayloadForms()

    // MARK: Out

    func show<M: Message>(_ message: M) throws -> JSONValue {
        let encoded: [UInt8] = try message.jsonUTF8Bytes()
        return open(try JSONParser.parse(encoded))
    }

    private func open(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            return .object(
                members.map { member in
                    guard let field = OpaqueField.byName[member.name],
                        !OpaqueField.isUpdateInput(member.name, member.value)
                    else {
                        return .init(member.name, open(member.value))
                    }
                    return .init(member.name, open(member.value, as: field))
                })
        case .array(let elements): return .array(elements.map(open))
        case .null, .bool, .number, .string: return value
        }
    }

    /// A field is bytes in most messages, spelled out in a few, and a map of bytes in markers.
    private func open(_ value: JSONValue, as field: OpaqueField) -> JSONValue {
        switch value {
        case .string(let text):
            guard let data = Data(base64Encoded: text), let opened = try? open(data, as: field) else { return value }
            return opened
        case .array(let elements): return .array(elements.map { open($0, as: field) })
        case .object(let members):
            switch field {
            case .payloads where value["payloads"] != nil: return forms.shown(payloads: value)
            case .payload where value["metadata"] != nil: return forms.shown(payload: value)
            case .payloads where members.allSatisfy({ $0.value.text != nil }) && !members.isEmpty:
                return .object(members.map { .init($0.name, open($0.value, as: .payloads)) })
            case .payloads, .payload, .failure, .memo, .header, .searchAttributes, .userMetadata, .link, .historyEvent,
                .workerHeartbeat:
                return open(value)
            }
        case .null, .bool, .number: return value
        }
    }

    private func open(_ data: Data, as field: OpaqueField) throws -> JSONValue {
        func json<M: Message>(_ type: M.Type) throws -> JSONValue {
            let bytes: [UInt8] = try M(serializedBytes: data).jsonUTF8Bytes()
            return try JSONParser.parse(bytes)
        }
        switch field {
        case .payloads: return forms.shown(payloads: try json(Temporal_Api_Common_V1_Payloads.self))
        case .payload: return forms.shown(payload: try json(Temporal_Api_Common_V1_Payload.self))
        case .failure: return open(try json(Temporal_Api_Failure_V1_Failure.self))
        case .memo: return forms.shown(fields: try json(Temporal_Api_Common_V1_Memo.self), in: "fields")
        case .header: return forms.shown(fields: try json(Temporal_Api_Common_V1_Header.self), in: "fields")
        case .searchAttributes: return try json(Temporal_Api_Common_V1_SearchAttributes.self)
        case .userMetadata: return open(try json(Temporal_Api_Sdk_V1_UserMetadata.self))
        case .link: return try json(Temporal_Api_Common_V1_Link.self)
        case .historyEvent: return open(try json(Temporal_Api_History_V1_HistoryEvent.self))
        case .workerHeartbeat: return try json(Temporal_Api_Worker_V1_WorkerHeartbeat.self)
        }
    }

    // MARK: In

    /// - Throws: INVALID_ARGUMENT for unknown fields and wrong types.
    func read<M: Message>(_ value: JSONValue, as type: M.Type) throws(Rejection) -> M {
        do {
            return try M(jsonUTF8Bytes: JSONWriter.write(try close(value)))
        } catch let error as Rejection {
            throw error
        } catch let error as JSONDecodingError {
            throw .invalid("the body is not a valid \(M.protoMessageName): \(error)")
        } catch {
            throw .invalid("the body is not a valid \(M.protoMessageName)")
        }
    }

    private func close(_ value: JSONValue) throws -> JSONValue {
        switch value {
        case .object(let members):
            return .object(
                try members.map { member in
                    guard let field = OpaqueField.byName[OpaqueField.camel(member.name)], member.value != .null,
                        !OpaqueField.isUpdateInput(member.name, member.value)
                    else {
                        return .init(member.name, try close(member.value))
                    }
                    return .init(member.name, try close(member.value, as: field))
                })
        case .array(let elements): return .array(try elements.map(close))
        case .null, .bool, .number, .string: return value
        }
    }

    private func close(_ value: JSONValue, as field: OpaqueField) throws -> JSONValue {
        func bytes<M: Message>(_ json: JSONValue, _ type: M.Type) throws -> JSONValue {
            .string(try M(jsonUTF8Bytes: JSONWriter.write(json)).serializedData().base64EncodedString())
        }
        switch field {
        case .payloads: return try bytes(PayloadForms.full(payloads: value), Temporal_Api_Common_V1_Payloads.self)
        case .payload: return try bytes(PayloadForms.full(payload: value), Temporal_Api_Common_V1_Payload.self)
        case .memo: return try bytes(PayloadForms.full(fields: value, in: "fields"), Temporal_Api_Common_V1_Memo.self)
        case .header:
            return try bytes(PayloadForms.full(fields: value, in: "fields"), Temporal_Api_Common_V1_Header.self)
        case .searchAttributes:
            return try bytes(
                PayloadForms.full(fields: value, in: "indexedFields"), Temporal_Api_Common_V1_SearchAttributes.self)
        case .failure: return try bytes(Self.spelledOut(value), Temporal_Api_Failure_V1_Failure.self)
        case .userMetadata: return try bytes(Self.spelledOut(value), Temporal_Api_Sdk_V1_UserMetadata.self)
        case .link:
            if let elements = value.elements {
                return .array(try elements.map { try bytes($0, Temporal_Api_Common_V1_Link.self) })
            }
            return try bytes(value, Temporal_Api_Common_V1_Link.self)
        case .workerHeartbeat:
            let type = Temporal_Api_Worker_V1_WorkerHeartbeat.self
            if let elements = value.elements { return .array(try elements.map { try bytes($0, type) }) }
            return try bytes(value, type)
        case .historyEvent: return value
        }
    }

    /// Failures and user metadata hold their payloads as messages, not as bytes.
    private static func spelledOut(_ value: JSONValue) -> JSONValue {
        guard let members = value.members else { return value }
        return .object(
            members.map { member in
                switch OpaqueField.camel(member.name) {
                case "details" where member.value["payloads"] == nil && member.value.elements == nil:
                    .init(member.name, PayloadForms.full(payload: member.value))
                case "details", "lastHeartbeatDetails": .init(member.name, PayloadForms.full(payloads: member.value))
                case "encodedAttributes", "summary": .init(member.name, PayloadForms.full(payload: member.value))
                default: .init(member.name, spelledOut(member.value))
                }
            })
    }
}
