/// What a template is filled with: plain values only, within bounds.
public struct TemplateVariables: Hashable, Sendable {
    public let values: [String: JSONScalar]

    /// - Throws: ``TemplateFault`` `tooLarge` when they pass a bound of ``TemplateLimits``.
    public init(_ values: [String: JSONScalar]) throws(TemplateFault) {
        var left = TemplateLimits.variablesBytesMax
        try Self.measure(.object(values), depth: 0, left: &left)
        self.values = values
    }

    private static func measure(_ value: JSONScalar, depth: Int, left: inout Int) throws(TemplateFault) {
        guard depth <= TemplateLimits.depthMax else {
            throw TemplateFault(.tooLarge, name: "variables", "nested deeper than \(TemplateLimits.depthMax)")
        }
        switch value {
        case .null, .bool, .integer, .number: left -= 8
        case .string(let text): left -= text.utf8.count + 2
        case .array(let elements):
            left -= 2
            for element in elements { try self.measure(element, depth: depth + 1, left: &left) }
        case .object(let members):
            left -= 2
            for name in members.keys.sorted() {
                left -= name.utf8.count + 3
                try self.measure(members[name] ?? .null, depth: depth + 1, left: &left)
            }
        }
        guard left >= 0 else {
            throw TemplateFault(
                .tooLarge, name: "variables", "more than \(TemplateLimits.variablesBytesMax) bytes in total")
        }
    }

    /// These and a few more, which win.
    func adding(_ others: [String: String]) -> [String: JSONScalar] {
        self.values.merging(others.mapValues { .string($0) }) { $1 }
    }
}
