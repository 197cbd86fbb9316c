/// What a template's placeholders stood for.
typealias PathValues = [String: String]

/// Finds the handler of a path. Templates are literal segments and `{placeholders}`; the first that fits wins.
struct RouteTable<Handler: Sendable>: Sendable {
    private struct Entry: Sendable {
        let method: String
        let template: [Substring]
        let handler: Handler
    }

    enum Match {
        case found(Handler, PathValues)
        /// The path exists, but not with this method.
        case otherMethods([String])
        case nothing
    }

    private var entries: [Entry] = []

    mutating func add(_ method: String, _ template: String, _ handler: Handler) {
        entries.append(Entry(method: method, template: Self.segments(template), handler: handler))
    }

    func match(method: String, path: String) -> Match {
        let segments = Self.segments(path)
        var others: [String] = []
        for entry in entries {
            guard let values = Self.values(entry.template, segments) else { continue }
            if entry.method == method { return .found(entry.handler, values) }
            if !others.contains(entry.method) { others.append(entry.method) }
        }
        return others.isEmpty ? .nothing : .otherMethods(others)
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { $0 }
    }

    /// Segments are split before they are decoded, so that an id may hold an encoded slash.
    private static func values(_ template: [Substring], _ segments: [Substring]) -> PathValues? {
        guard template.count == segments.count else { return nil }
        var values: PathValues = [:]
        for (pattern, segment) in zip(template, segments) {
            guard let decoded = PercentEncoding.decode(segment) else { return nil }
            if pattern.hasPrefix("{") {
                if decoded.isEmpty { return nil }
                values[String(pattern.dropFirst().dropLast())] = decoded
            } else if pattern != decoded {
                return nil
            }
        }
        return values
    }
}
