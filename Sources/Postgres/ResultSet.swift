/// The rows that one statement returned, in binary form in one buffer; decoded when asked for.
public struct ResultSet: Sendable {
    struct Cell: Sendable {
        var offset: Int
        /// -1 means null.
        var length: Int
    }

    let statement: String
    let columns: [PostgresType]
    let cells: [Cell]
    let bytes: [UInt8]
    /// How many rows the statement returned.
    public let count: Int
    /// How many rows the statement touched (`INSERT 0 5`: 5), 0 for statements that do not say.
    public let affectedRows: Int
    /// The command tag, for example `UPDATE 5`.
    public let tag: String

    /// A result without rows.
    init(statement: String, tag: String = "", affectedRows: Int = 0) {
        self.init(
            statement: statement, columns: [], cells: [], bytes: [], count: 0, affectedRows: affectedRows, tag: tag)
    }

    init(
        statement: String, columns: [PostgresType], cells: [Cell], bytes: [UInt8], count: Int, affectedRows: Int,
        tag: String
    ) {
        self.statement = statement
        self.columns = columns
        self.cells = cells
        self.bytes = bytes
        self.count = count
        self.affectedRows = affectedRows
        self.tag = tag
    }

    public var isEmpty: Bool { count == 0 }
    public var first: Row? { count == 0 ? nil : Row(result: self, index: 0) }

    public subscript(index: Int) -> Row {
        precondition(index >= 0 && index < count, "row out of range")
        return Row(result: self, index: index)
    }

    /// Decodes every row, in order.
    public func map<Value>(_ decode: (Row) throws(PostgresError) -> Value) throws(PostgresError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count { values.append(try decode(Row(result: self, index: index))) }
        return values
    }
}
