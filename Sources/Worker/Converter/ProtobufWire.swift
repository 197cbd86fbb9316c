public import TemporalCodec

/// Bytes that claim to be a protobuf message and are not.
public typealias MalformedMessage = TemporalCodec.MalformedMessage

/// The messages that carry payloads are written and read field by field, so that equal values always give equal bytes.
extension ProtobufWriter {
    /// A length-delimited field, written even when it is empty.
    mutating func field(_ number: Int, _ body: [UInt8]) { encoded(number, body) }

    /// A number, an enum or a bool; zero is left out.
    mutating func number(_ number: Int, _ value: Int64) { integer(number, value) }
}

/// What a field holds, read leniently: a field of another kind reads as empty, because the caller ignores what it does not know.
extension ProtobufReader.Value {
    var body: ArraySlice<UInt8> {
        switch self {
        case .bytes(let body): body
        case .varint, .fixed64, .fixed32: []
        }
    }
    var text: String { String(decoding: body, as: UTF8.self) }
    var array: [UInt8] { Array(body) }
    var integer: Int64 {
        switch self {
        case .varint(let value): Int64(bitPattern: value)
        case .bytes, .fixed64, .fixed32: 0
        }
    }
    var flag: Bool { integer != 0 }
}
