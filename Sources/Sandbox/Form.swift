/// Fields of an `application/x-www-form-urlencoded` body or a query string.
///
/// Nested names stay as they were written (`metadata[payment_id]`, `expand[0]`); a repeated name keeps its last value.
struct Form: Hashable, Sendable, Codable {
    private(set) var fields: [String: String] = [:]

    init() {}

    init(parsing text: some StringProtocol) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? Form.decode(parts[1]) : ""
            self.fields[Form.decode(parts[0])] = value
        }
    }

    subscript(name: String) -> String? { self.fields[name] }

    /// Adds the fields of `other`; on a clash `other` wins.
    mutating func merge(_ other: Form) {
        self.fields.merge(other.fields) { _, new in new }
    }

    /// The fields below `name`: `metadata[a]=1` gives `a: 1`.
    func table(_ name: String) -> [String: String] {
        var table: [String: String] = [:]
        for (field, value) in self.fields where field.hasPrefix(name + "[") && field.hasSuffix("]") {
            table[String(field.dropFirst(name.count + 1).dropLast())] = value
        }
        return table
    }

    /// The values below `name`, whatever their index: `expand[]=a`, `expand[0]=a`.
    func list(_ name: String) -> [String] {
        self.table(name).sorted { $0.key < $1.key }.map(\.value)
    }

    /// The same fields in one fixed order: two requests are equal when these are.
    var canonical: String {
        self.fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    }

    /// Fields as a body.
    static func text(_ fields: [(name: String, value: String)]) -> String {
        fields.map { "\(Form.encode($0.name))=\(Form.encode($0.value))" }.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = UnicodeScalar(byte)
            let isPlain = byte < 0x80 && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            if isPlain || "-_.~".unicodeScalars.contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    private static func decode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = source.next().flatMap(Form.nibble), let low = source.next().flatMap(Form.nibble) else {
                    return String(decoding: bytes, as: UTF8.self)
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
