/// Writes JSON: compact, or indented for people.
public struct JSONWriter {
    private var bytes: [UInt8] = []
    private let indents: Bool
    private let sorts: Bool

    /// - Parameter canonical: names in order, so that equal values give equal bytes.
    public static func write(_ value: JSONValue, pretty: Bool = false, canonical: Bool = false) -> [UInt8] {
        var writer = JSONWriter(indents: pretty, sorts: canonical)
        writer.value(value, level: 0)
        return writer.bytes
    }

    private init(indents: Bool, sorts: Bool) {
        self.indents = indents
        self.sorts = sorts
    }

    private mutating func value(_ value: JSONValue, level: Int) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): raw(flag ? "true" : "false")
        case .number(let digits): raw(digits)
        case .string(let text): string(text)
        case .array(let elements):
            list("[", "]", elements, level) { writer, element in writer.value(element, level: level + 1) }
        case .object(let members):
            let ordered = sorts ? members.sorted { $0.name < $1.name } : members
            list("{", "}", ordered, level) { writer, member in
                writer.string(member.name)
                writer.raw(writer.indents ? ": " : ":")
                writer.value(member.value, level: level + 1)
            }
        }
    }

    private mutating func list<Element>(
        _ open: String, _ close: String, _ elements: [Element], _ level: Int,
        _ each: (inout JSONWriter, Element) -> Void
    ) {
        raw(open)
        for (index, element) in elements.enumerated() {
            if index > 0 { raw(",") }
            newline(level + 1)
            each(&self, element)
        }
        if !elements.isEmpty { newline(level) }
        raw(close)
    }

    private mutating func newline(_ level: Int) {
        guard indents else { return }
        raw("\n")
        for _ in 0..<level { raw("  ") }
    }

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func string(_ text: String) {
        raw("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case 0x0A: raw("\\n")
            case 0x0D: raw("\\r")
            case 0x09: raw("\\t")
            case 0..<0x20, 0x7F: raw("\\u00" + Hex.encode([byte]))
            default: bytes.append(byte)
            }
        }
        raw("\"")
    }
}
