/// Writes one protobuf message field by field.
///
/// By hand, because an event is encoded for every transition: no objects are built, no bytes are copied twice. As proto3
/// wants it, a number, a flag or a text that is zero is left out; a message is written whenever it is set.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func key(_ field: Int, _ wire: WireType) {
        varint(UInt64(truncatingIfNeeded: field) << 3 | UInt64(wire.rawValue))
    }

    package mutating func integer(_ field: Int, _ value: Int64) {
        guard value != 0 else { return }
        key(field, .varint)
        varint(UInt64(bitPattern: value))
    }

    package mutating func integer(_ field: Int, _ value: Int32) { integer(field, Int64(value)) }

    package mutating func flag(_ field: Int, _ value: Bool) { integer(field, value ? Int64(1) : 0) }

    package mutating func double(_ field: Int, _ value: Double) {
        guard value.bitPattern != 0 else { return }
        key(field, .fixed64)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
    }

    package mutating func float(_ field: Int, _ value: Float) {
        guard value.bitPattern != 0 else { return }
        key(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
    }

    package mutating func text(_ field: Int, _ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            guard !utf8.isEmpty else { return }
            key(field, .lengthDelimited)
            varint(UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    /// An element of a repeated text field: written even when it is empty.
    package mutating func element(_ field: Int, _ value: String) {
        key(field, .lengthDelimited)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Bytes that are a message of their own: written whenever they are set, even when there are none.
    package mutating func encoded(_ field: Int, _ value: [UInt8]) {
        key(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A nested message; `body` writes its fields.
    package mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        key(field, .lengthDelimited)
        bytes.append(0)
        let start = bytes.count
        body(&self)
        closeMessage(from: start)
    }

    /// Puts the length in front of what was written since `start`; most messages need the one byte left for it.
    private mutating func closeMessage(from start: Int) {
        let length = bytes.count - start
        guard length >= 0x80 else {
            bytes[start - 1] = UInt8(truncatingIfNeeded: length)
            return
        }
        bytes[start - 1] = UInt8(truncatingIfNeeded: length) | 0x80
        var (rest, place) = (length >> 7, start)
        while rest >= 0x80 {
            bytes.insert(UInt8(truncatingIfNeeded: rest) | 0x80, at: place)
            rest >>= 7
            place += 1
        }
        bytes.insert(UInt8(truncatingIfNeeded: rest), at: place)
    }
}

/// How a field's value is laid out.
enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
}
