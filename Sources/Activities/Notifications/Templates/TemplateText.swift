import Mustache

/// One part of a template, ready to be filled: Mustache with HTML escaping in HTML parts and none in text parts.
public struct TemplateText: Sendable {
    public enum Kind: String, Codable, Hashable, Sendable {
        case html, text
    }

    public let kind: Kind
    let tags: TemplateTags
    private let template: MustacheTemplate

    /// - Throws: ``TemplateFault`` when the text is no template of the allowed kind.
    public init(_ source: String, _ kind: Kind) throws(TemplateFault) {
        let tags = try TemplateTags(source)
        do {
            // The pragma is ours: a template that brings one is refused above.
            self.template = try MustacheTemplate(string: kind == .text ? "{{% CONTENT_TYPE:TEXT}}" + source : source)
        } catch {
            throw TemplateFault(.syntax, "the template cannot be read")
        }
        self.tags = tags
        self.kind = kind
    }

    /// The names of what must be given.
    public var variables: [String] { self.tags.variables }

    /// Fills the part. A value is always plain text: it is never read as a template, whatever it contains.
    ///
    /// - Throws: ``TemplateFault`` that names the first variable that is missing.
    public func render(_ values: [String: JSONScalar], optional: Set<String> = []) throws(TemplateFault) -> String {
        var walk = TemplateWalk(optional: optional)
        try walk.check(self.tags, values)
        if let name = walk.missing.first { throw TemplateFault(.missingVariable, name: name, "was not given") }
        let text = self.template.render(Self.plain(values))
        guard text.utf8.count <= TemplateLimits.renderedBytesMax else {
            throw TemplateFault(.tooLarge, "expected at most \(TemplateLimits.renderedBytesMax) rendered bytes")
        }
        return text
    }

    /// The variables that `values` lacks.
    public func missing(in values: [String: JSONScalar], optional: Set<String> = []) throws(TemplateFault) -> [String] {
        var walk = TemplateWalk(optional: optional)
        try walk.check(self.tags, values)
        return walk.missing
    }

    private static func plain(_ values: [String: JSONScalar]) -> [String: Any] {
        values.compactMapValues(self.plain)
    }

    private static func plain(_ value: JSONScalar) -> Any? {
        switch value {
        case .null: return nil
        case .bool(let flag): return flag
        case .integer(let number): return number
        case .number(let number): return number
        case .string(let text): return text
        case .array(let elements): return elements.map { self.plain($0) ?? "" } as [Any]
        case .object(let members): return self.plain(members)
        }
    }
}
