/// A text that is not SQL as far as its words go: a quote or a comment that does not end.
struct SQLUnreadable: Error, Hashable, Sendable {
    var line: Int
    var reason: String
}

/// One word of SQL.
struct SQLToken: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case word, quoted, string, number, symbol }

    var kind: Kind
    /// A word in lower case; a quoted name or a string without its quotes; a symbol as it is.
    var text: String
    /// Bytes of the script.
    var range: Range<Int>
    var line: Int

    func isWord(_ word: String) -> Bool { self.kind == .word && self.text == word }
    func isSymbol(_ symbol: String) -> Bool { self.kind == .symbol && self.text == symbol }
    var isName: Bool { self.kind == .word || self.kind == .quoted }
}

/// One statement of a script, without its semicolon.
struct SQLStatement: Hashable, Sendable {
    var tokens: [SQLToken]
    var text: String
    var line: Int { self.tokens.first?.line ?? 1 }

    /// The first words, for messages.
    var headline: String {
        let words = self.text.split(whereSeparator: \.isWhitespace)
        let line = words.prefix(12).joined(separator: " ")
        return words.count > 12 ? line + " …" : line
    }
}

/// A text of SQL, cut into statements. Knows words, not grammar.
struct SQLScript: Hashable, Sendable {
    let statements: [SQLStatement]

    init(_ text: String) throws(SQLUnreadable) {
        let bytes = Array(text.utf8)
        var lexer = SQLLexer(bytes)
        var statements: [SQLStatement] = []
        var tokens: [SQLToken] = []
        var body = AtomicBody()
        func close() {
            guard let first = tokens.first, let last = tokens.last else { return }
            let text = String(decoding: bytes[first.range.lowerBound..<last.range.upperBound], as: UTF8.self)
            statements.append(SQLStatement(tokens: tokens, text: text))
            tokens = []
            body = AtomicBody()
        }
        while let token = try lexer.next() {
            body.note(token, after: tokens.last)
            if token.isSymbol(";"), !body.isOpen {
                close()
            } else {
                tokens.append(token)
            }
        }
        close()
        self.statements = statements
    }

    /// A function's body in plain SQL (`begin atomic … end`) holds semicolons of its own.
    private struct AtomicBody {
        private var depth = 0
        var isOpen: Bool { self.depth > 0 }

        mutating func note(_ token: SQLToken, after last: SQLToken?) {
            if token.isWord("atomic"), last?.isWord("begin") == true { self.depth = 1 }
            guard self.isOpen else { return }
            if token.isWord("case") { self.depth += 1 }
            if token.isWord("end") { self.depth -= 1 }
        }
    }
}

/// Finds the words of SQL: comments are left out, quotes of all kinds are one word.
struct SQLLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() throws(SQLUnreadable) -> SQLToken? {
        try self.skipSpace()
        guard let byte = self.peek(0) else { return nil }
        let start = self.position
        let line = self.line
        let kind: SQLToken.Kind
        var text: String?
        switch byte {
        case UInt8(ascii: "'"):
            text = try self.quoted(byte, escapes: false)
            kind = .string
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            if self.peek(1) == UInt8(ascii: "'") {
                self.position += 1
                text = try self.quoted(UInt8(ascii: "'"), escapes: true)
                kind = .string
            } else {
                kind = self.word()
            }
        case UInt8(ascii: "\""):
            text = try self.quoted(byte, escapes: false)
            kind = .quoted
        case UInt8(ascii: "$"):
            text = try self.dollarQuoted()
            kind = text == nil ? .symbol : .string
            if text == nil { self.position += 1 }
        case 0x30...0x39:
            self.skip { Self.isWordByte($0) || $0 == UInt8(ascii: ".") }
            kind = .number
        case _ where Self.isWordStart(byte): kind = self.word()
        case UInt8(ascii: ":"):
            self.position += self.peek(1) == UInt8(ascii: ":") ? 2 : 1
            kind = .symbol
        default:
            self.position += 1
            kind = .symbol
        }
        let range = start..<self.position
        let found = text ?? String(decoding: self.bytes[range], as: UTF8.self)
        return SQLToken(kind: kind, text: kind == .word ? found.lowercased() : found, range: range, line: line)
    }

    private func peek(_ offset: Int) -> UInt8? {
        self.position + offset < self.bytes.count ? self.bytes[self.position + offset] : nil
    }

    private mutating func word() -> SQLToken.Kind {
        self.skip(while: Self.isWordByte)
        return .word
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while let byte = self.peek(0), condition(byte) { self.position += 1 }
    }

    private static func isWordStart(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        self.isWordStart(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "$")
    }

    private mutating func skipSpace() throws(SQLUnreadable) {
        while let byte = self.peek(0) {
            if byte == UInt8(ascii: "\n") { self.line += 1 }
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                self.position += 1
            } else if byte == UInt8(ascii: "-"), self.peek(1) == byte {
                self.skip { $0 != UInt8(ascii: "\n") }
            } else if byte == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "*") {
                try self.skipComment()
            } else {
                return
            }
        }
    }

    /// Comments of this kind nest.
    private mutating func skipComment() throws(SQLUnreadable) {
        let start = self.line
        var depth = 0
        while let byte = self.peek(0) {
            if byte == UInt8(ascii: "\n") { self.line += 1 }
            if byte == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "*") {
                depth += 1
                self.position += 2
            } else if byte == UInt8(ascii: "*"), self.peek(1) == UInt8(ascii: "/") {
                depth -= 1
                self.position += 2
                if depth == 0 { return }
            } else {
                self.position += 1
            }
        }
        throw SQLUnreadable(line: start, reason: "a comment does not end")
    }

    /// A doubled quote inside stands for one.
    private mutating func quoted(_ quote: UInt8, escapes: Bool) throws(SQLUnreadable) -> String {
        let start = self.line
        self.position += 1
        var content: [UInt8] = []
        while let byte = self.peek(0) {
            self.position += 1
            if byte == UInt8(ascii: "\n") { self.line += 1 }
            if escapes, byte == UInt8(ascii: "\\"), let next = self.peek(0) {
                content.append(next)
                self.position += 1
            } else if byte != quote {
                content.append(byte)
            } else if self.peek(0) == quote {
                content.append(quote)
                self.position += 1
            } else {
                return String(decoding: content, as: UTF8.self)
            }
        }
        throw SQLUnreadable(line: start, reason: "a quote does not end")
    }

    /// `$tag$ … $tag$`; nil when the dollar is something else.
    private mutating func dollarQuoted() throws(SQLUnreadable) -> String? {
        var end = self.position + 1
        while end < self.bytes.count, Self.isWordByte(self.bytes[end]), self.bytes[end] != UInt8(ascii: "$") {
            end += 1
        }
        guard end < self.bytes.count, self.bytes[end] == UInt8(ascii: "$"),
            end == self.position + 1 || !(0x30...0x39).contains(self.bytes[self.position + 1])
        else { return nil }
        let tag = self.bytes[self.position...end]
        let start = self.line
        var place = end + 1
        while place + tag.count <= self.bytes.count {
            if self.bytes[place] == UInt8(ascii: "$"), self.bytes[place..<place + tag.count].elementsEqual(tag) {
                let content = self.bytes[(end + 1)..<place]
                self.position = place + tag.count
                self.line += content.count { $0 == UInt8(ascii: "\n") }
                return String(decoding: content, as: UTF8.self)
            }
            place += 1
        }
        throw SQLUnreadable(line: start, reason: "a quote with dollars does not end")
    }
}
