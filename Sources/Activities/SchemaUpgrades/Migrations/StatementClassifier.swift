/// Says what a statement does. Total: what it does not know is ``StatementKind/other(_:)``.
enum StatementClassifier {
    static func kind(of statement: SQLStatement) -> StatementKind {
        var cursor = StatementCursor(statement.tokens)
        let first = statement.tokens.first?.text ?? ""
        switch first {
        case "begin", "commit", "rollback", "savepoint", "release", "abort", "end": return .transactionControl(first)
        case "start", "prepare":
            return cursor.take(first, "transaction") ? .transactionControl(first) : .other(first)
        case "vacuum": return .outsideTransaction(first)
        case "create": return self.create(&cursor)
        case "alter": return self.alter(&cursor)
        case "drop": return self.drop(&cursor)
        case "reindex":
            return .reindex(isConcurrent: statement.tokens.contains { $0.isWord("concurrently") })
        case "update": return self.update(&cursor)
        case "insert":
            _ = cursor.take("insert", "into")
            return .insert(cursor.name() ?? "")
        case "delete":
            _ = cursor.take("delete", "from") && cursor.take("only")
            return .delete(cursor.name() ?? "")
        case "with":
            let words = ["update", "delete", "insert"]
            guard let found = statement.tokens.first(where: { $0.kind == .word && words.contains($0.text) }) else {
                return .other(first)
            }
            return .other("with \(found.text)")
        default: return .other(first)
        }
    }

    // MARK: create

    private static func create(_ cursor: inout StatementCursor) -> StatementKind {
        cursor.skip()
        _ = cursor.take("or", "replace")
        let isUnique = cursor.take("unique")
        if cursor.take("index") { return self.index(&cursor, isUnique: isUnique) }
        for word in ["database", "tablespace", "subscription"] where cursor.take(word) {
            return .outsideTransaction("create \(word)")
        }
        for word in ["global", "local", "temporary", "temp", "unlogged"] { _ = cursor.take(word) }
        guard cursor.take("table") else { return .other("create \(cursor.peek?.text ?? "")") }
        _ = cursor.take("if", "not", "exists")
        let name = cursor.name() ?? ""
        var columns: [ColumnDefinition] = []
        var constraints: [ConstraintDefinition] = []
        for part in StatementCursor.split(cursor.parenthesized() ?? []) {
            if let constraint = ColumnReader.tableConstraint(part) {
                constraints.append(constraint)
            } else if let column = ColumnReader.column(part) {
                columns.append(column)
            }
        }
        return .createTable(name, columns: columns, constraints: constraints)
    }

    private static func index(_ cursor: inout StatementCursor, isUnique: Bool) -> StatementKind {
        let isConcurrent = cursor.take("concurrently")
        _ = cursor.take("if", "not", "exists")
        let name = cursor.peek?.isWord("on") == true ? nil : cursor.name()
        _ = cursor.take("on") && cursor.take("only")
        let table = cursor.name() ?? ""
        let method = cursor.take("using") ? cursor.name() ?? "btree" : "btree"
        let columns = StatementCursor.split(cursor.parenthesized() ?? []).compactMap { part in
            part.first.flatMap { $0.isName ? $0.text : nil }
        }
        return .createIndex(
            IndexDefinition(
                name: name, table: table, method: method, columns: columns, isUnique: isUnique,
                isConcurrent: isConcurrent))
    }

    // MARK: alter

    private static func alter(_ cursor: inout StatementCursor) -> StatementKind {
        cursor.skip()
        if cursor.take("table") { return self.alterTable(&cursor) }
        if cursor.take("type") {
            let type = cursor.name() ?? ""
            if cursor.take("add", "value") {
                _ = cursor.take("if", "not", "exists")
                return .addEnumValue(type: type, value: cursor.peek?.text ?? "")
            }
            return cursor.take("rename", "value") ? .renameEnumValue(type: type) : .other("alter type")
        }
        if cursor.take("schema") {
            let name = cursor.name() ?? ""
            return cursor.take("rename") ? .renameSchema(name) : .other("alter schema")
        }
        if cursor.take("system") { return .outsideTransaction("alter system") }
        return .other("alter \(cursor.peek?.text ?? "")")
    }

    private static func alterTable(_ cursor: inout StatementCursor) -> StatementKind {
        _ = cursor.take("if", "exists")
        _ = cursor.take("only")
        let name = cursor.name() ?? ""
        _ = cursor.takeSymbol("*")
        return .alterTable(name, StatementCursor.split(cursor.rest).map(self.action))
    }

    private static func action(_ tokens: [SQLToken]) -> TableAction {
        var cursor = StatementCursor(tokens)
        if cursor.take("add") { return self.addition(&cursor) }
        if cursor.take("drop") { return self.removal(&cursor) }
        if cursor.take("rename") {
            if cursor.take("to") { return .renameTable }
            if cursor.take("constraint") { return .other("rename constraint") }
            _ = cursor.take("column")
            return .renameColumn(cursor.name() ?? "")
        }
        if cursor.take("alter") {
            _ = cursor.take("column")
            let column = cursor.name() ?? ""
            if cursor.take("type") || cursor.take("set", "data", "type") { return .changeType(column) }
            return cursor.take("set", "not", "null") ? .setNotNull(column) : .other("alter column")
        }
        if cursor.take("validate", "constraint") { return .validateConstraint(cursor.name() ?? "") }
        if cursor.take("detach", "partition") {
            return tokens.contains { $0.isWord("concurrently") } ? .detachConcurrently : .other("detach partition")
        }
        if cursor.take("set") {
            for word in ["logged", "unlogged", "tablespace", "access"] where cursor.take(word) {
                return .rewrite("set \(word)")
            }
        }
        return .other(tokens.first?.text ?? "")
    }

    private static func addition(_ cursor: inout StatementCursor) -> TableAction {
        if let constraint = ColumnReader.tableConstraint(Array(cursor.rest)) { return .addConstraint(constraint) }
        _ = cursor.take("column")
        _ = cursor.take("if", "not", "exists")
        guard let column = ColumnReader.column(Array(cursor.rest)) else { return .other("add") }
        return .addColumn(column)
    }

    private static func removal(_ cursor: inout StatementCursor) -> TableAction {
        let isConstraint = cursor.take("constraint")
        if !isConstraint { _ = cursor.take("column") }
        _ = cursor.take("if", "exists")
        let name = cursor.name() ?? ""
        return isConstraint ? .dropConstraint(name) : .dropColumn(name)
    }

    // MARK: drop

    private static func drop(_ cursor: inout StatementCursor) -> StatementKind {
        cursor.skip()
        if cursor.take("index") {
            let isConcurrent = cursor.take("concurrently")
            _ = cursor.take("if", "exists")
            return .dropIndex(cursor.names(), isConcurrent: isConcurrent)
        }
        if cursor.take("table") {
            _ = cursor.take("if", "exists")
            return .dropTable(cursor.names())
        }
        if cursor.take("schema") {
            _ = cursor.take("if", "exists")
            return .dropSchema(cursor.name() ?? "")
        }
        for word in ["database", "tablespace", "subscription"] where cursor.take(word) {
            return .outsideTransaction("drop \(word)")
        }
        return .other("drop \(cursor.peek?.text ?? "")")
    }

    // MARK: update

    private static func update(_ cursor: inout StatementCursor) -> StatementKind {
        cursor.skip()
        _ = cursor.take("only")
        let table = cursor.name() ?? ""
        var depth = 0
        var conditionStart: Int?
        var hasReturning = false
        for (index, token) in cursor.tokens.enumerated() {
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            guard depth == 0 else { continue }
            if token.isWord("where") { conditionStart = index + 1 }
            if token.isWord("returning") { hasReturning = true }
        }
        let condition = conditionStart.map { Array(cursor.tokens[$0...]) } ?? []
        return .update(
            UpdateDefinition(
                table: table, conditionStart: conditionStart, hasReturning: hasReturning,
                nullColumns: self.nullColumns(condition)))
    }

    /// `a is null and t.b is null`; none as soon as an alternative or a negation is there.
    private static func nullColumns(_ condition: [SQLToken]) -> [String] {
        guard !condition.contains(where: { $0.isWord("or") }) else { return [] }
        var columns: [String] = []
        for index in condition.indices.dropFirst().dropLast()
        where condition[index].isWord("is") && condition[index + 1].isWord("null") && condition[index - 1].isName {
            columns.append(condition[index - 1].text)
        }
        return columns
    }
}
