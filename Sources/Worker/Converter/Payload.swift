public import TemporalCodec

/// One value as it travels: bytes, and metadata that says how to read them.
///
/// The wire form is `temporal.api.common.v1.Payload`. Metadata is written in the order of its keys, so equal payloads are
/// equal bytes.
public struct Payload: Hashable, Sendable {
    /// Metadata keys that every SDK knows.
    public enum Key {
        /// How `data` is encoded, for example `json/plain`.
        public static let encoding = "encoding"
        /// Which key sealed `data`, for `binary/encrypted`.
        public static let encryptionKeyID = "encryption-key-id"
    }

    public var metadata: [String: [UInt8]]
    public var data: [UInt8]

    public init(metadata: [String: [UInt8]], data: [UInt8]) {
        self.metadata = metadata
        self.data = data
    }

    /// A payload whose only metadata is its encoding.
    public init(encoding: String, data: [UInt8]) {
        self.init(metadata: [Key.encoding: Array(encoding.utf8)], data: data)
    }

    /// The name of the encoding; empty when the metadata does not say.
    public var encoding: String { String(decoding: metadata[Key.encoding] ?? [], as: UTF8.self) }
}

extension Payload {
    /// Reads an encoded `temporal.api.common.v1.Payload`.
    public init(wire: some Collection<UInt8>) throws(MalformedMessage) {
        self.init(metadata: [:], data: [])
        var reader = ProtobufReader(Array(wire)[...])
        while let (number, value) = try reader.next() {
            switch number {
            case 1:
                var key = ""
                var bytes: [UInt8] = []
                var entry = ProtobufReader(value.body)
                while let (number, value) = try entry.next() {
                    if number == 1 { key = value.text }
                    if number == 2 { bytes = value.array }
                }
                metadata[key] = bytes
            case 2: data = value.array
            default: continue
            }
        }
    }

    /// The encoded `temporal.api.common.v1.Payload`.
    public var wire: [UInt8] {
        var writer = ProtobufWriter()
        writer.reserve(data.count + 64)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            var entry = ProtobufWriter()
            entry.text(1, key)
            if !value.isEmpty { entry.field(2, value) }
            writer.field(1, entry.bytes)
        }
        if !data.isEmpty { writer.field(2, data) }
        return writer.bytes
    }

    /// Reads an encoded `temporal.api.common.v1.Payloads`; no bytes are no payloads.
    public static func list(wire: some Collection<UInt8>) throws(MalformedMessage) -> [Payload] {
        var payloads: [Payload] = []
        var reader = ProtobufReader(Array(wire)[...])
        while let (number, value) = try reader.next() {
            if number == 1 { payloads.append(try Payload(wire: value.body)) }
        }
        return payloads
    }

    /// The encoded `temporal.api.common.v1.Payloads`.
    public static func wire(_ payloads: [Payload]) -> [UInt8] {
        var writer = ProtobufWriter()
        for payload in payloads { writer.field(1, payload.wire) }
        return writer.bytes
    }

    /// Reads a `map<string, Payload>` in field 1: an encoded `Header`, `Memo` or `SearchAttributes`.
    public static func fields(wire: some Collection<UInt8>) throws(MalformedMessage) -> [String: Payload] {
        var fields: [String: Payload] = [:]
        var reader = ProtobufReader(Array(wire)[...])
        while let (number, value) = try reader.next() {
            guard number == 1 else { continue }
            var key = ""
            var payload = Payload(metadata: [:], data: [])
            var entry = ProtobufReader(value.body)
            while let (number, value) = try entry.next() {
                if number == 1 { key = value.text }
                if number == 2 { payload = try Payload(wire: value.body) }
            }
            fields[key] = payload
        }
        return fields
    }

    /// The encoded `Header`, `Memo` or `SearchAttributes` with these fields, in the order of their keys.
    public static func wire(fields: [String: Payload]) -> [UInt8] {
        var writer = ProtobufWriter()
        for (key, payload) in fields.sorted(by: { $0.key < $1.key }) {
            var entry = ProtobufWriter()
            entry.text(1, key)
            entry.field(2, payload.wire)
            writer.field(1, entry.bytes)
        }
        return writer.bytes
    }
}

/// "No input" or "no result": as an argument it is left out, as a result it travels as null.
public struct NoValue: Codable, Hashable, Sendable {
    public init() {}
    public init(from decoder: any Decoder) {}
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}
