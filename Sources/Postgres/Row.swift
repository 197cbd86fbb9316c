/// One row of a ``ResultSet``. Columns are counted from 0; a wrong type or an unexpected null is a ``PostgresError``.
public struct Row: Sendable {
    let result: ResultSet
    let index: Int

    public func int64(_ column: Int) throws(PostgresError) -> Int64 { try required(int64OrNil(column), column) }
    public func int32(_ column: Int) throws(PostgresError) -> Int32 { try required(int32OrNil(column), column) }
    public func int16(_ column: Int) throws(PostgresError) -> Int16 { try required(int16OrNil(column), column) }
    public func bool(_ column: Int) throws(PostgresError) -> Bool { try required(boolOrNil(column), column) }
    public func double(_ column: Int) throws(PostgresError) -> Double { try required(doubleOrNil(column), column) }
    public func text(_ column: Int) throws(PostgresError) -> String { try required(textOrNil(column), column) }
    public func bytea(_ column: Int) throws(PostgresError) -> [UInt8] { try required(byteaOrNil(column), column) }
    public func uuid(_ column: Int) throws(PostgresError) -> PostgresUUID { try required(uuidOrNil(column), column) }
    public func jsonb(_ column: Int) throws(PostgresError) -> [UInt8] { try required(jsonbOrNil(column), column) }
    public func microsecondsSince1970(_ column: Int) throws(PostgresError) -> Int64 {
        try required(microsecondsSince1970OrNil(column), column)
    }

    public func isNull(_ column: Int) throws(PostgresError) -> Bool { try cell(column).length < 0 }

    public func int64OrNil(_ column: Int) throws(PostgresError) -> Int64? { try integer(column, .int8) }
    public func int32OrNil(_ column: Int) throws(PostgresError) -> Int32? { try integer(column, .int4) }
    public func int16OrNil(_ column: Int) throws(PostgresError) -> Int16? { try integer(column, .int2) }

    public func boolOrNil(_ column: Int) throws(PostgresError) -> Bool? {
        let byte: UInt8? = try integer(column, .bool)
        return byte.map { $0 != 0 }
    }

    public func doubleOrNil(_ column: Int) throws(PostgresError) -> Double? {
        let bits: UInt64? = try integer(column, .float8)
        return bits.map { Double(bitPattern: $0) }
    }

    public func textOrNil(_ column: Int) throws(PostgresError) -> String? {
        guard let cell = try cellOrNil(column, where: \.isText) else { return nil }
        return String(decoding: result.bytes[cell.offset..<cell.offset + cell.length], as: UTF8.self)
    }

    public func byteaOrNil(_ column: Int) throws(PostgresError) -> [UInt8]? {
        guard let cell = try cellOrNil(column, where: { $0 == .bytea }) else { return nil }
        return Array(result.bytes[cell.offset..<cell.offset + cell.length])
    }

    public func uuidOrNil(_ column: Int) throws(PostgresError) -> PostgresUUID? {
        guard let cell = try cellOrNil(column, where: { $0 == .uuid }) else { return nil }
        guard cell.length == 16 else { throw mismatch(column, "16 bytes expected, got \(cell.length)") }
        return BinaryReader.uuid(result.bytes, at: cell.offset)
    }

    /// JSON text in UTF-8.
    public func jsonbOrNil(_ column: Int) throws(PostgresError) -> [UInt8]? {
        guard let cell = try cellOrNil(column, where: { $0 == .jsonb }) else { return nil }
        guard cell.length >= 1, result.bytes[cell.offset] == 1 else { throw mismatch(column, "unknown jsonb version") }
        return Array(result.bytes[cell.offset + 1..<cell.offset + cell.length])
    }

    public func microsecondsSince1970OrNil(_ column: Int) throws(PostgresError) -> Int64? {
        let value: Int64? = try integer(column, .timestamptz)
        return value.map { $0 + Parameters.epochOffsetMicroseconds }
    }

    private func integer<Value: FixedWidthInteger>(_ column: Int, _ type: PostgresType) throws(PostgresError) -> Value?
    {
        guard let cell = try cellOrNil(column, where: { $0 == type }) else { return nil }
        guard cell.length == Value.bitWidth / 8 else { throw mismatch(column, "wrong width \(cell.length)") }
        return BinaryReader.integer(result.bytes, at: cell.offset)
    }

    private func required<Value>(_ value: Value?, _ column: Int) throws(PostgresError) -> Value {
        guard let value else { throw mismatch(column, "unexpected null") }
        return value
    }

    private func cell(_ column: Int) throws(PostgresError) -> ResultSet.Cell {
        guard column >= 0, column < result.columns.count else {
            throw mismatch(column, "only \(result.columns.count) columns")
        }
        return result.cells[index * result.columns.count + column]
    }

    /// The cell's place, nil for null, after a look at the column's type.
    func cellOrNil(_ column: Int, where isExpected: (PostgresType) -> Bool) throws(PostgresError) -> ResultSet.Cell? {
        let cell = try cell(column)
        let type = result.columns[column]
        guard isExpected(type) else { throw mismatch(column, "unexpected type \(type.oid)") }
        return cell.length < 0 ? nil : cell
    }

    func mismatch(_ column: Int, _ reason: String) -> PostgresError {
        PostgresError(.unexpectedAnswer, reason: "column \(column): \(reason)", statement: result.statement)
    }
}
