extension Row {
    public func int64s(_ column: Int) throws(PostgresError) -> [Int64] { try integers(column, .int8) }
    public func int32s(_ column: Int) throws(PostgresError) -> [Int32] { try integers(column, .int4) }
    public func int16s(_ column: Int) throws(PostgresError) -> [Int16] { try integers(column, .int2) }
    public func bools(_ column: Int) throws(PostgresError) -> [Bool] {
        let values: [UInt8] = try integers(column, .bool)
        return values.map { $0 != 0 }
    }

    public func texts(_ column: Int) throws(PostgresError) -> [String] {
        try elements(column, .text) { String(decoding: result.bytes[$0], as: UTF8.self) }
    }

    public func byteas(_ column: Int) throws(PostgresError) -> [[UInt8]] {
        try elements(column, .bytea) { Array(result.bytes[$0]) }
    }

    public func uuids(_ column: Int) throws(PostgresError) -> [PostgresUUID] {
        try elements(column, .uuid) { $0.count == 16 ? BinaryReader.uuid(result.bytes, at: $0.lowerBound) : nil }
    }

    private func integers<Value: FixedWidthInteger>(_ column: Int, _ type: PostgresType) throws(PostgresError)
        -> [Value]
    {
        try elements(column, type) {
            $0.count == Value.bitWidth / 8 ? BinaryReader.integer(result.bytes, at: $0.lowerBound) : nil
        }
    }

    /// Walks a one-dimensional array without nulls; null itself reads as an error, an empty array as empty.
    private func elements<Value>(
        _ column: Int, _ type: PostgresType, _ decode: (Range<Int>) -> Value?
    ) throws(PostgresError) -> [Value] {
        guard let cell = try cellOrNil(column, where: { $0 == type.arrayType }) else {
            throw mismatch(column, "unexpected null")
        }
        let end = cell.offset + cell.length
        guard cell.length >= 12 else { throw mismatch(column, "array header cut short") }
        let dimensions: Int32 = BinaryReader.integer(result.bytes, at: cell.offset)
        if dimensions == 0 { return [] }
        guard dimensions == 1, cell.length >= 20 else { throw mismatch(column, "\(dimensions)-dimensional array") }
        let count: Int32 = BinaryReader.integer(result.bytes, at: cell.offset + 12)
        var values: [Value] = []
        values.reserveCapacity(Int(count))
        var position = cell.offset + 20
        for _ in 0..<max(0, count) {
            guard position + 4 <= end else { throw mismatch(column, "array cut short") }
            let length = Int(BinaryReader.integer(result.bytes, at: position) as Int32)
            position += 4
            guard length >= 0 else { throw mismatch(column, "null in array") }
            guard position + length <= end, let value = decode(position..<position + length) else {
                throw mismatch(column, "bad array element")
            }
            values.append(value)
            position += length
        }
        return values
    }
}

/// Big-endian reads at any alignment.
enum BinaryReader {
    static func integer<Value: FixedWidthInteger>(_ bytes: [UInt8], at offset: Int) -> Value {
        bytes.withUnsafeBytes { Value(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }

    static func uuid(_ bytes: [UInt8], at offset: Int) -> PostgresUUID {
        PostgresUUID(high: integer(bytes, at: offset), low: integer(bytes, at: offset + 8))
    }
}
