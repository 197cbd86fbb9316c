/// Reads the definitions of columns and constraints inside `create table` and `alter table`.
enum ColumnReader {
    /// Words that end a column's type or a default.
    private static let clauses: Set<String> = [
        "constraint", "not", "null", "default", "check", "generated", "unique", "primary", "references", "collate",
        "deferrable", "initially",
    ]

    /// Functions whose value is the same for all rows of one statement, and types that are written like calls.
    private static let steadyCalls: Set<String> = [
        "now", "transaction_timestamp", "statement_timestamp", "current_setting", "coalesce", "concat", "lower",
        "upper",
        "to_timestamp", "to_date", "date_trunc", "jsonb_build_object", "jsonb_build_array", "json_build_object",
        "json_build_array", "array", "varchar", "char", "character", "varying", "numeric", "decimal", "timestamp",
        "timestamptz", "time", "timetz", "interval", "bit", "nullif", "greatest", "least", "make_interval",
    ]

    /// - Returns: nil when the words are no constraint of a table.
    static func tableConstraint(_ tokens: [SQLToken]) -> ConstraintDefinition? {
        var cursor = StatementCursor(tokens)
        let name = cursor.take("constraint") ? cursor.name() : nil
        var constraint: ConstraintDefinition
        if cursor.take("foreign", "key") {
            constraint = ConstraintDefinition(kind: .foreignKey, name: name)
        } else if cursor.take("check") {
            constraint = ConstraintDefinition(kind: .check, name: name)
            constraint.notNullColumn = self.notNullColumn(cursor.parenthesized() ?? [])
        } else if cursor.take("unique") {
            constraint = ConstraintDefinition(kind: .unique, name: name)
        } else if cursor.take("primary", "key") {
            constraint = ConstraintDefinition(kind: .primaryKey, name: name)
        } else if cursor.take("exclude") {
            constraint = ConstraintDefinition(kind: .exclusion, name: name)
        } else {
            return nil
        }
        while !cursor.isAtEnd {
            if cursor.take("not", "valid") {
                constraint.isNotValid = true
            } else if cursor.take("using", "index"), cursor.peek?.isWord("tablespace") != true {
                constraint.usesIndex = true
            } else {
                cursor.skip()
            }
        }
        return constraint
    }

    private static func notNullColumn(_ tokens: [SQLToken]) -> String? {
        let words = tokens.filter { !$0.isSymbol("(") && !$0.isSymbol(")") }
        guard words.count == 4, words[0].isName, words[1].isWord("is"), words[2].isWord("not"), words[3].isWord("null")
        else { return nil }
        return words[0].text
    }

    static func column(_ tokens: [SQLToken]) -> ColumnDefinition? {
        var cursor = StatementCursor(tokens)
        guard let name = cursor.name() else { return nil }
        var column = ColumnDefinition(name: name, type: self.words(&cursor).joined())
        if ["serial", "bigserial", "smallserial"].contains(column.type) { column.hasVolatileDefault = true }
        while !cursor.isAtEnd { self.clause(&cursor, &column) }
        return column
    }

    private static func clause(_ cursor: inout StatementCursor, _ column: inout ColumnDefinition) {
        if cursor.take("not", "null") {
            column.isNotNull = true
        } else if cursor.take("default") {
            self.defaultValue(&cursor, &column)
        } else if cursor.take("generated") {
            _ = cursor.take("always") || cursor.take("by", "default")
            _ = cursor.take("as")
            if cursor.take("identity") { column.isIdentity = true }
            _ = cursor.parenthesized()
            if cursor.take("stored") { column.isStoredGenerated = true }
        } else if cursor.take("references") {
            column.isReference = true
        } else if cursor.take("unique") {
            column.isUnique = true
        } else if cursor.take("primary", "key") {
            column.isPrimaryKey = true
        } else if cursor.take("check") {
            column.hasCheck = true
            _ = cursor.parenthesized()
        } else {
            cursor.skip()
        }
    }

    private static func defaultValue(_ cursor: inout StatementCursor, _ column: inout ColumnDefinition) {
        if cursor.take("null") { return }
        let start = cursor.index
        let words = self.words(&cursor)
        column.defaultWords = words
        let tokens = cursor.tokens[start..<cursor.index]
        for (token, next) in zip(tokens, tokens.dropFirst())
        where token.kind == .word && next.isSymbol("(") && !self.steadyCalls.contains(token.text) {
            column.hasVolatileDefault = true
        }
        if column.type.isEmpty, words.isEmpty { column.defaultWords = nil }
    }

    /// Words up to the next clause, parentheses with what is in them.
    private static func words(_ cursor: inout StatementCursor) -> [String] {
        var words: [String] = []
        var depth = 0
        while let token = cursor.peek {
            if depth == 0, token.kind == .word, self.clauses.contains(token.text) { break }
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            words.append(token.text)
            cursor.skip()
        }
        return words
    }
}
