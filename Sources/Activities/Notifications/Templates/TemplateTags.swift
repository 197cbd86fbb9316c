/// The tags of a template: what it will ask of its variables, and in which nesting.
///
/// Only variables, sections, inverted sections and comments exist. Partials, inheritance, other delimiters, pragmas, transforms
/// and raw variables are refused when the template is stored, so that nothing but the template's own text is ever a template.
struct TemplateTags: Hashable, Sendable {
    indirect enum Node: Hashable, Sendable {
        /// Plain text of so many bytes.
        case text(Int)
        case variable([String])
        case section([String], [Node])
        case inverted([String], [Node])
    }

    let nodes: [Node]

    init(_ source: String) throws(TemplateFault) {
        guard source.utf8.count <= TemplateLimits.sourceBytesMax else {
            throw TemplateFault(
                .tooLarge, "expected at most \(TemplateLimits.sourceBytesMax) bytes, got \(source.utf8.count)")
        }
        var scanner = Scanner(Array(source.utf8))
        self.nodes = try scanner.nodes(until: nil, depth: 0)
    }

    /// The names that must be given, in order; those of sections too.
    var variables: [String] {
        var names: [String] = []
        Self.collect(self.nodes, into: &names)
        return Array(Set(names)).sorted()
    }

    private static func collect(_ nodes: [Node], into names: inout [String]) {
        for node in nodes {
            switch node {
            case .text: continue
            case .variable(let path): if path != ["."] { names.append(path.joined(separator: ".")) }
            case .section(let path, let inner):
                names.append(path.joined(separator: "."))
                self.collect(inner, into: &names)
            case .inverted(_, let inner): self.collect(inner, into: &names)
            }
        }
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        mutating func nodes(until section: [String]?, depth: Int) throws(TemplateFault) -> [Node] {
            guard depth <= TemplateLimits.depthMax else {
                throw TemplateFault(.syntax, "sections are nested deeper than \(TemplateLimits.depthMax)")
            }
            var nodes: [Node] = []
            while let tag = try self.tag(into: &nodes) {
                switch tag.sign {
                case UInt8(ascii: "!"): continue
                case UInt8(ascii: "#"):
                    let name = try self.name(tag.text)
                    nodes.append(.section(name, try self.nodes(until: name, depth: depth + 1)))
                case UInt8(ascii: "^"):
                    let name = try self.name(tag.text)
                    nodes.append(.inverted(name, try self.nodes(until: name, depth: depth + 1)))
                case UInt8(ascii: "/"):
                    guard let section, try self.name(tag.text) == section else {
                        throw TemplateFault(.syntax, name: tag.text, "closes a section that is not open")
                    }
                    return nodes
                case 0: nodes.append(.variable(try self.name(tag.text)))
                default:
                    let sign = String(decoding: [tag.sign], as: UTF8.self)
                    throw TemplateFault(
                        .syntax, name: "{{\(sign)\(tag.text)",
                        "only variables, sections and comments are allowed in a template")
                }
            }
            if let section {
                throw TemplateFault(.syntax, name: section.joined(separator: "."), "the section is not closed")
            }
            return nodes
        }

        /// The next tag; text before it becomes a node. nil at the end.
        private mutating func tag(into nodes: inout [Node]) throws(TemplateFault) -> (sign: UInt8, text: String)? {
            let start = self.position
            while self.position + 1 < self.bytes.count,
                self.bytes[self.position] != UInt8(ascii: "{") || self.bytes[self.position + 1] != UInt8(ascii: "{")
            {
                self.position += 1
            }
            guard self.position + 1 < self.bytes.count else {
                self.position = self.bytes.count
                nodes.append(.text(self.bytes.count - start))
                return nil
            }
            nodes.append(.text(self.position - start))
            self.position += 2
            let open = self.position
            while self.position + 1 < self.bytes.count,
                self.bytes[self.position] != UInt8(ascii: "}") || self.bytes[self.position + 1] != UInt8(ascii: "}")
            {
                self.position += 1
            }
            guard self.position + 1 < self.bytes.count else {
                throw TemplateFault(.syntax, "a tag is not closed")
            }
            var inner = self.bytes[open..<self.position]
            self.position += 2
            let sign = inner.first.flatMap { "!#^/>&{=%<$".utf8.contains($0) ? $0 : nil } ?? 0
            if sign != 0 { inner = inner.dropFirst() }
            return (sign, String(decoding: inner, as: UTF8.self))
        }

        private func name(_ text: String) throws(TemplateFault) -> [String] {
            let trimmed = text.drop { $0 == " " || $0 == "\t" }
            let name = String(trimmed.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
            if name == "." { return ["."] }
            let words = name.split(separator: ".", omittingEmptySubsequences: false)
            let isGood = words.allSatisfy { word in
                !word.isEmpty
                    && word.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                    }
            }
            guard isGood, name.utf8.count <= TemplateLimits.nameBytesMax else {
                throw TemplateFault(
                    .syntax, name: String(name.prefix(40)), "expected letters, digits, '_', '-' and '.' in a name")
            }
            return words.map(String.init)
        }
    }
}
