/// Bytes that claim to be a protobuf message and are not.
public struct MalformedMessage: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was expected and what came; never the bytes themselves.
    public let reason: String
    init(_ reason: String) { self.reason = reason }
    public var description: String { "malformed message: \(reason)" }
}

/// Reads one message field by field; total over any input. The caller takes what it knows and passes over the rest.
package struct ProtobufReader {
    package enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// The next field, or nil at the end of the message.
    package mutating func next() throws(MalformedMessage) -> (field: Int, value: Value)? {
        guard position < bytes.endIndex else { return nil }
        let key = try varint()
        let field = key >> 3
        guard field > 0, field <= 0x1FFF_FFFF else { throw MalformedMessage("field number \(field)") }
        guard let wire = WireType(rawValue: UInt8(truncatingIfNeeded: key & 7)) else {
            throw MalformedMessage("wire type \(key & 7)")
        }
        switch wire {
        case .varint: return (Int(field), .varint(try varint()))
        case .fixed64: return (Int(field), .fixed64(try fixed(8)))
        case .fixed32: return (Int(field), .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        case .lengthDelimited:
            let length = try varint()
            guard length <= UInt64(bytes.endIndex - position) else {
                throw MalformedMessage("expected \(length) bytes, got \(bytes.endIndex - position)")
            }
            let start = position
            position += Int(length)
            return (Int(field), .bytes(bytes[start..<position]))
        }
    }

    private mutating func varint() throws(MalformedMessage) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.endIndex, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw MalformedMessage("unfinished number")
    }

    private mutating func fixed(_ count: Int) throws(MalformedMessage) -> UInt64 {
        guard bytes.endIndex - position >= count else { throw MalformedMessage("expected \(count) bytes") }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += count
        return value
    }
}

extension ProtobufReader.Value {
    /// The number of an integer, enum or flag.
    func integer() throws(MalformedMessage) -> Int64 {
        guard case .varint(let value) = self else { throw MalformedMessage("expected a number") }
        return Int64(bitPattern: value)
    }

    func flag() throws(MalformedMessage) -> Bool { try integer() != 0 }

    func message() throws(MalformedMessage) -> ArraySlice<UInt8> {
        guard case .bytes(let value) = self else { throw MalformedMessage("expected bytes") }
        return value
    }

    /// Text must be UTF-8.
    func text() throws(MalformedMessage) -> String {
        guard let text = String(validating: try message(), as: UTF8.self) else {
            throw MalformedMessage("expected UTF-8")
        }
        return text
    }
}
