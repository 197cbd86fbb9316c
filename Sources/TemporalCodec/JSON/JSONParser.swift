/// Text that claims to be JSON and is not.
public struct MalformedJSON: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where reading stopped, in bytes from the beginning.
    public let position: Int
    public let reason: String
    public var description: String { "invalid JSON at byte \(position): \(reason)" }
}

extension JSONValue {
    /// Deeper nesting is refused: it is an attack on the stack, not data.
    public static let depthMax = 128

    /// Reads exactly one JSON value.
    public init(parsing bytes: [UInt8]) throws(MalformedJSON) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }
}

/// Reads JSON strictly (RFC 8259); total over any bytes.
private struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(MalformedJSON) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("expected the end") }
        return value
    }

    private func failure(_ reason: String) -> MalformedJSON { MalformedJSON(position: position, reason: reason) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(MalformedJSON) -> JSONValue {
        guard depth <= JSONValue.depthMax else { throw failure("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(MalformedJSON) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("expected \(word)") }
        position += word.utf8.count
        return value
    }

    private mutating func array(depth: Int) throws(MalformedJSON) -> JSONValue {
        position += 1
        skipSpace()
        if take("]") { return .array([]) }
        var values: [JSONValue] = []
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw failure("expected , or ]") }
        return .array(values)
    }

    private mutating func object(depth: Int) throws(MalformedJSON) -> JSONValue {
        position += 1
        skipSpace()
        if take("}") { return .object([]) }
        var members: [JSONValue.Member] = []
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("expected a name") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw failure("expected :") }
            members.append(JSONValue.Member(name, try value(depth: depth + 1)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw failure("expected , or }") }
        return .object(members)
    }

    private mutating func number() throws(MalformedJSON) -> JSONValue {
        let start = position
        _ = take("-")
        let whole = digits()
        guard whole == 1 || (whole > 1 && bytes[position - whole] != UInt8(ascii: "0")) else {
            throw failure("expected a value")
        }
        if take(".") {
            guard digits() > 0 else { throw failure("expected a digit") }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw failure("expected a digit") }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func string() throws(MalformedJSON) -> String {
        position += 1
        var out: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: out, as: UTF8.self) else { throw failure("expected UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0..<0x20: throw failure("control character in a string")
            default: out.append(byte)
            }
        }
        throw failure("unfinished string")
    }

    private mutating func escape(into out: inout [UInt8]) throws(MalformedJSON) {
        guard let byte = current else { throw failure("unfinished string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"): out.append(contentsOf: String(Character(try scalar())).utf8)
        default: throw failure("unknown escape")
        }
    }

    /// The rest of `\uXXXX`, and the second half when it is the first half of a pair.
    private mutating func scalar() throws(MalformedJSON) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take("\\"), take("u") else { throw failure("half of a surrogate pair") }
        let second = try hexadecimal()
        guard second >= 0xDC00, second < 0xE000,
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("half of a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(MalformedJSON) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("unfinished string") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("expected a hexadecimal digit")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
