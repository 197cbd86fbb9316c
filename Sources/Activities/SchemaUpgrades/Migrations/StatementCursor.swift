/// Walks over the words of one statement.
struct StatementCursor {
    let tokens: [SQLToken]
    private(set) var index = 0

    init(_ tokens: [SQLToken], at index: Int = 0) {
        self.tokens = tokens
        self.index = index
    }

    var isAtEnd: Bool { self.index >= self.tokens.count }
    var peek: SQLToken? { self.isAtEnd ? nil : self.tokens[self.index] }

    mutating func skip() { self.index += 1 }

    /// Takes words that follow one another; takes nothing unless all are there.
    mutating func take(_ words: String...) -> Bool {
        for (offset, word) in words.enumerated() {
            guard self.index + offset < self.tokens.count, self.tokens[self.index + offset].isWord(word) else {
                return false
            }
        }
        self.index += words.count
        return true
    }

    mutating func takeSymbol(_ symbol: String) -> Bool {
        guard self.peek?.isSymbol(symbol) == true else { return false }
        self.index += 1
        return true
    }

    /// A name, perhaps with a schema in front.
    mutating func name() -> String? {
        guard let first = self.peek, first.isName else { return nil }
        self.skip()
        var parts = [first.text]
        while self.peek?.isSymbol(".") == true, self.index + 1 < self.tokens.count, self.tokens[self.index + 1].isName {
            parts.append(self.tokens[self.index + 1].text)
            self.index += 2
        }
        if parts.count == 2, parts[0] == "public" { parts.removeFirst() }
        return parts.joined(separator: ".")
    }

    /// Names with commas between them.
    mutating func names() -> [String] {
        var names: [String] = []
        repeat {
            if let name = self.name() { names.append(name) }
        } while self.takeSymbol(",")
        return names
    }

    /// The words inside the parentheses that open here.
    mutating func parenthesized() -> [SQLToken]? {
        guard self.takeSymbol("(") else { return nil }
        let start = self.index
        var depth = 1
        while let token = self.peek {
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            if depth == 0 {
                defer { self.skip() }
                return Array(self.tokens[start..<self.index])
            }
            self.skip()
        }
        return Array(self.tokens[start...])
    }

    /// The rest, cut at commas outside parentheses.
    static func split(_ tokens: some Sequence<SQLToken>) -> [[SQLToken]] {
        var parts: [[SQLToken]] = [[]]
        var depth = 0
        for token in tokens {
            if token.isSymbol("(") || token.isSymbol("[") { depth += 1 }
            if token.isSymbol(")") || token.isSymbol("]") { depth -= 1 }
            if depth == 0, token.isSymbol(",") {
                parts.append([])
            } else {
                parts[parts.count - 1].append(token)
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    var rest: ArraySlice<SQLToken> { self.tokens[min(self.index, self.tokens.count)...] }
}
