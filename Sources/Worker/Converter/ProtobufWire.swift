/// Bytes that claim to be a protobuf message and are not.
public struct MalformedMessage: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was expected and what came; never the bytes themselves.
    public let reason: String
    init(_ reason: String) { self.reason = reason }
    public var description: String { "malformed message: \(reason)" }
}

/// Writes the few messages that carry payloads field by field, so that equal values always give equal bytes.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A length-delimited field, written even when it is empty.
    mutating func field(_ number: UInt64, _ body: some Collection<UInt8>) {
        varint(number << 3 | 2)
        varint(UInt64(body.count))
        bytes.append(contentsOf: body)
    }

    /// A text field; an empty text is left out, as proto3 wants it.
    mutating func text(_ number: UInt64, _ value: String) {
        guard !value.isEmpty else { return }
        field(number, value.utf8)
    }

    /// A number, an enum or a bool; zero is left out.
    mutating func number(_ number: UInt64, _ value: Int64) {
        guard value != 0 else { return }
        varint(number << 3)
        varint(UInt64(bitPattern: value))
    }
}

/// Reads a message field by field; the caller takes what it knows and ignores the rest.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case bytes(ArraySlice<UInt8>)
        /// A fixed-width field; none of the messages read here has one.
        case fixed
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.rest = bytes }
    init(_ bytes: [UInt8]) { self.rest = bytes[...] }

    /// The next field, or nil at the end of the message.
    mutating func next() throws(MalformedMessage) -> (number: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        guard tag >> 3 != 0 else { throw MalformedMessage("expected a field number, got 0") }
        switch tag & 7 {
        case 0: return (tag >> 3, .varint(try varint()))
        case 1: return (tag >> 3, try skip(8))
        case 2:
            let count = try varint()
            guard count <= UInt64(rest.count) else {
                throw MalformedMessage("expected \(count) bytes, got \(rest.count)")
            }
            let body = rest.prefix(Int(count))
            rest = rest.dropFirst(Int(count))
            return (tag >> 3, .bytes(body))
        case 5: return (tag >> 3, try skip(4))
        default: throw MalformedMessage("expected wire type 0, 1, 2 or 5, got \(tag & 7)")
        }
    }

    private mutating func skip(_ count: Int) throws(MalformedMessage) -> Value {
        guard rest.count >= count else { throw MalformedMessage("expected \(count) bytes, got \(rest.count)") }
        rest = rest.dropFirst(count)
        return .fixed
    }

    private mutating func varint() throws(MalformedMessage) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            guard shift < 64 else { throw MalformedMessage("expected a number of at most 10 bytes") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw MalformedMessage("expected the rest of a number, got the end")
    }
}

extension ProtobufReader.Value {
    var body: ArraySlice<UInt8> {
        switch self {
        case .bytes(let body): body
        case .varint, .fixed: []
        }
    }
    var text: String { String(decoding: body, as: UTF8.self) }
    var array: [UInt8] { Array(body) }
    var integer: Int64 {
        switch self {
        case .varint(let value): Int64(bitPattern: value)
        case .bytes, .fixed: 0
        }
    }
    var flag: Bool { integer != 0 }
}
