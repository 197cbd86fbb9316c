import CLibpq

/// Copies a libpq result into one Swift buffer, so that nothing outside ``LibpqConnection`` holds a C pointer.
enum ResultCopy {
    static func copy(_ raw: OpaquePointer, statement: String) -> ResultSet {
        let tag = PQcmdStatus(raw).map { String(cString: $0) } ?? ""
        let affected = PQcmdTuples(raw).flatMap { Int(String(cString: $0)) } ?? 0
        let rows = Int(PQntuples(raw))
        let width = Int(PQnfields(raw))
        guard rows > 0, width > 0 else { return ResultSet(statement: statement, tag: tag, affectedRows: affected) }

        let columns = (0..<width).map { PostgresType(oid: PQftype(raw, Int32($0))) }
        var cells: [ResultSet.Cell] = []
        cells.reserveCapacity(rows * width)
        var total = 0
        for row in 0..<Int32(rows) {
            for column in 0..<Int32(width) {
                let length = PQgetisnull(raw, row, column) == 1 ? -1 : Int(PQgetlength(raw, row, column))
                cells.append(ResultSet.Cell(offset: total, length: length))
                total += max(0, length)
            }
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: total) { buffer, filled in
            var index = 0
            for row in 0..<Int32(rows) {
                for column in 0..<Int32(width) {
                    let cell = cells[index]
                    index += 1
                    guard cell.length > 0, let target = buffer.baseAddress, let source = PQgetvalue(raw, row, column)
                    else { continue }
                    source.withMemoryRebound(to: UInt8.self, capacity: cell.length) {
                        (target + cell.offset).initialize(from: $0, count: cell.length)
                    }
                }
            }
            filled = total
        }
        return ResultSet(
            statement: statement, columns: columns, cells: cells, bytes: bytes, count: rows, affectedRows: affected,
            tag: tag)
    }
}
