/// Goes through a template with its variables before it is rendered: names what is missing and refuses what would grow without end.
///
/// It looks names up as the renderer does: the first word in the innermost object that has it, the others below it.
struct TemplateWalk {
    private(set) var missing: [String] = []
    private var steps = 0
    private var bytes = 0
    private let optional: Set<String>

    /// - Parameter optional: names of sections that may be missing; they count as false then.
    init(optional: Set<String> = []) { self.optional = optional }

    mutating func check(_ tags: TemplateTags, _ values: [String: JSONScalar]) throws(TemplateFault) {
        try self.walk(tags.nodes, [.object(values)])
    }

    private mutating func walk(_ nodes: [TemplateTags.Node], _ stack: [JSONScalar]) throws(TemplateFault) {
        for node in nodes {
            self.steps += 1
            guard self.steps <= TemplateLimits.stepsMax, self.bytes <= TemplateLimits.renderedBytesMax else {
                throw TemplateFault(.tooLarge, "the rendered text is larger than allowed")
            }
            switch node {
            case .text(let count): self.bytes += count
            case .variable(let path):
                switch self.find(path, stack) {
                case .none, .null: self.note(path)
                case .array, .object:
                    throw TemplateFault(
                        .missingVariable, name: path.joined(separator: "."), "is no text but an array or an object")
                case .some(let value): self.bytes += Self.size(value)
                }
            case .section(let path, let inner): try self.section(path, inner, stack)
            case .inverted(let path, let inner):
                if Self.isFalse(self.find(path, stack)) { try self.walk(inner, stack) }
            }
        }
    }

    private mutating func section(
        _ path: [String], _ inner: [TemplateTags.Node], _ stack: [JSONScalar]
    ) throws(TemplateFault) {
        guard let value = self.find(path, stack) else {
            if !self.optional.contains(path.joined(separator: ".")) { self.note(path) }
            return
        }
        switch value {
        case .null, .bool(false): return
        case .bool(true): try self.walk(inner, stack)
        case .array(let elements): for element in elements { try self.walk(inner, stack + [element]) }
        case .integer, .number, .string, .object: try self.walk(inner, stack + [value])
        }
    }

    private mutating func note(_ path: [String]) {
        let name = path.joined(separator: ".")
        if !self.missing.contains(name) { self.missing.append(name) }
    }

    private func find(_ path: [String], _ stack: [JSONScalar]) -> JSONScalar? {
        if path == ["."] { return stack.last }
        for value in stack.reversed() {
            guard case .object(let members) = value, let first = members[path[0]] else { continue }
            var found = first
            for word in path.dropFirst() {
                guard case .object(let inner) = found, let next = inner[word] else { return nil }
                found = next
            }
            return found
        }
        return nil
    }

    private static func isFalse(_ value: JSONScalar?) -> Bool {
        switch value {
        case .none, .null, .bool(false): return true
        case .array(let elements): return elements.isEmpty
        case .bool(true), .integer, .number, .string, .object: return false
        }
    }

    private static func size(_ value: JSONScalar) -> Int {
        if case .string(let text) = value { return text.utf8.count }
        return 24
    }
}
