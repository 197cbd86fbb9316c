import History

/// One piece of a list query.
struct VisibilityToken {
    enum Kind: Equatable {
        /// A bare word: a keyword or a column.
        case word
        /// In backticks: always a column.
        case column
        /// In quotes.
        case string
        case number
        case sign
    }

    var kind: Kind
    /// Without quotes.
    var text: String
    /// Where it begins, counted from 1.
    var position: Int

    func isKeyword(_ keyword: String) -> Bool { kind == .word && text.uppercased() == keyword }
    func isSign(_ sign: String) -> Bool { kind == .sign && text == sign }
}

extension VisibilityToken {
    /// Cuts a query into its pieces.
    ///
    /// - Throws: INVALID_ARGUMENT for a quote that is not closed, and for a NUL.
    static func all(of text: String) throws(Rejection) -> [VisibilityToken] {
        var tokens: [VisibilityToken] = []
        let characters = Array(text)
        var index = 0
        // No stored text has one, and Postgres takes none.
        if let place = characters.firstIndex(of: "\0") { throw VisibilityError.syntax(at: place + 1) }
        func end(from start: Int, while matches: (Character) -> Bool) -> Int {
            characters[start...].firstIndex { !matches($0) } ?? characters.count
        }
        func add(_ kind: Kind, until next: Int) {
            tokens.append(VisibilityToken(kind: kind, text: String(characters[index..<next]), position: index + 1))
            index = next
        }
        while index < characters.count {
            let character = characters[index]
            if character.isWhitespace {
                index += 1
            } else if character == "'" || character == "\"" || character == "`" {
                guard let close = characters[(index + 1)...].firstIndex(of: character) else {
                    throw VisibilityError.syntax(at: index + 1)
                }
                let inner = String(characters[(index + 1)..<close])
                tokens.append(
                    VisibilityToken(kind: character == "`" ? .column : .string, text: inner, position: index + 1))
                index = close + 1
            } else if character.isLetter || character == "_" {
                add(.word, until: end(from: index) { $0.isLetter || $0.isNumber || $0 == "_" })
            } else if character.isNumber || (character == "-" && index + 1 < characters.count) {
                add(.number, until: end(from: index + 1) { $0.isNumber || $0 == "." })
            } else if "=<>!".contains(character) {
                add(.sign, until: end(from: index) { "=<>!".contains($0) })
            } else {
                add(.sign, until: index + 1)
            }
        }
        return tokens
    }
}

/// The texts of protocol.md 5.11.
enum VisibilityError {
    static func invalid(_ reason: String) -> Rejection { .invalid("invalid query: \(reason)") }
    /// Positions are counted as clients know them: as if the query stood behind `select * from table1 where `.
    static func syntax(at position: Int) -> Rejection {
        invalid("malformed SQL query: syntax error at position \(position + 27)")
    }
    static func unknownColumn(_ name: String) -> Rejection {
        expression("column name '\(name)' is not a valid search attribute")
    }
    static func expression(_ reason: String) -> Rejection { invalid("invalid expression: \(reason)") }
    static func unsupported(_ what: String) -> Rejection { invalid("operation is not supported: \(what)") }
}
