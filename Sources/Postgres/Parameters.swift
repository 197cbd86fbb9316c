/// The parameters of one call, encoded in Postgres' binary form into one buffer.
///
/// Each method appends one parameter, in the order of `$1`, `$2`, …; inside ``array(of:count:_:)`` it appends one element. `nil` is SQL's null.
public struct Parameters: Sendable {
    struct Field: Sendable {
        var type: PostgresType
        var offset: Int
        /// -1 means null.
        var length: Int
    }

    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Field] = []
    /// The element type while an array is open.
    private var element: PostgresType?
    private var elementCount = 0
    private var arrayHasNull = false

    public init() {}

    public mutating func reserve(bytes count: Int) { bytes.reserveCapacity(bytes.count + count) }

    public mutating func int16(_ value: Int16?) { integer(value, .int2) }
    public mutating func int32(_ value: Int32?) { integer(value, .int4) }
    public mutating func int64(_ value: Int64?) { integer(value, .int8) }

    public mutating func bool(_ value: Bool?) { integer(value.map { $0 ? UInt8(1) : 0 }, .bool) }
    public mutating func double(_ value: Double?) { integer(value?.bitPattern, .float8) }

    public mutating func text(_ value: String?) {
        guard let value else { return null(.text) }
        begin(.text, length: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    public mutating func bytea(_ value: [UInt8]?) {
        guard let value else { return null(.bytea) }
        begin(.bytea, length: value.count)
        bytes.append(contentsOf: value)
    }

    public mutating func uuid(_ value: PostgresUUID?) {
        guard let value else { return null(.uuid) }
        begin(.uuid, length: 16)
        put(value.high)
        put(value.low)
    }

    /// A moment in microseconds since 1970-01-01T00:00:00Z.
    public mutating func timestamp(microsecondsSince1970 value: Int64?) {
        integer(value.map { $0 - Parameters.epochOffsetMicroseconds }, .timestamptz)
    }

    /// JSON text in UTF-8.
    public mutating func jsonb(_ value: [UInt8]?) {
        guard let value else { return null(.jsonb) }
        begin(.jsonb, length: value.count + 1)
        bytes.append(1)
        bytes.append(contentsOf: value)
    }

    public mutating func jsonb(_ value: String) { jsonb(Array(value.utf8)) }

    /// A one-dimensional array; `fill` appends exactly `count` elements of the given type.
    public mutating func array(of type: PostgresType, count: Int, _ fill: (inout Parameters) -> Void) {
        precondition(element == nil, "arrays do not nest")
        guard let arrayType = type.arrayType else { preconditionFailure("type \(type.oid) has no array type here") }
        let start = bytes.count
        put(Int32(count == 0 ? 0 : 1))
        put(Int32(0))
        put(type.oid)
        if count > 0 {
            put(Int32(count))
            put(Int32(1))
        }
        element = type
        elementCount = 0
        arrayHasNull = false
        fill(&self)
        element = nil
        precondition(elementCount == count, "expected \(count) elements, got \(elementCount)")
        if arrayHasNull { bytes[start + 7] = 1 }
        fields.append(Field(type: arrayType, offset: start, length: bytes.count - start))
    }

    public mutating func int64s(_ values: [Int64]) {
        array(of: .int8, count: values.count) { for value in values { $0.int64(value) } }
    }
    public mutating func int32s(_ values: [Int32]) {
        array(of: .int4, count: values.count) { for value in values { $0.int32(value) } }
    }
    public mutating func int16s(_ values: [Int16]) {
        array(of: .int2, count: values.count) { for value in values { $0.int16(value) } }
    }
    public mutating func bools(_ values: [Bool]) {
        array(of: .bool, count: values.count) { for value in values { $0.bool(value) } }
    }
    public mutating func texts(_ values: [String]) {
        array(of: .text, count: values.count) { for value in values { $0.text(value) } }
    }
    public mutating func byteas(_ values: [[UInt8]]) {
        array(of: .bytea, count: values.count) { for value in values { $0.bytea(value) } }
    }
    public mutating func uuids(_ values: [PostgresUUID]) {
        array(of: .uuid, count: values.count) { for value in values { $0.uuid(value) } }
    }

    /// Postgres counts from 2000-01-01.
    static let epochOffsetMicroseconds: Int64 = 946_684_800_000_000

    private mutating func integer<Value: FixedWidthInteger>(_ value: Value?, _ type: PostgresType) {
        guard let value else { return null(type) }
        begin(type, length: Value.bitWidth / 8)
        put(value)
    }

    private mutating func begin(_ type: PostgresType, length: Int) {
        if let element {
            precondition(element == type, "an array has elements of one type")
            elementCount += 1
            put(Int32(length))
        } else {
            fields.append(Field(type: type, offset: bytes.count, length: length))
        }
    }

    private mutating func null(_ type: PostgresType) {
        if let element {
            precondition(element == type, "an array has elements of one type")
            elementCount += 1
            arrayHasNull = true
            put(Int32(-1))
        } else {
            fields.append(Field(type: type, offset: bytes.count, length: -1))
        }
    }

    private mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
