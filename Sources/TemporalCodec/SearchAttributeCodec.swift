public import History

/// One entry of a `SearchAttributes` message.
public struct SearchAttributeEntry: Hashable, Sendable {
    public var name: String
    /// By name.
    public var metadata: [NamedBlob]
    public var data: [UInt8]

    public init(name: String, metadata: [NamedBlob], data: [UInt8]) {
        self.name = name
        self.metadata = metadata
        self.data = data
    }

    /// The value of a metadata entry, if it is text.
    public func metadata(_ name: String) -> String? {
        guard let value = metadata.last(where: { $0.name == name })?.value else { return nil }
        return String(validating: value.bytes, as: UTF8.self)
    }

    /// Does it take the attribute away instead of setting it?
    public var isRemoval: Bool {
        metadata("encoding") == "binary/null" || data.isEmpty || data.elementsEqual("null".utf8)
            || data.elementsEqual("[]".utf8)
    }
}

/// Search attributes between their message, which the server forwards, and the typed values that runs are found by.
public enum SearchAttributeCodec {
    /// The entries by name; nil for bytes that are no `SearchAttributes`.
    public static func entries(_ bytes: [UInt8]) -> [SearchAttributeEntry]? {
        var found: [String: SearchAttributeEntry] = [:]
        do {
            var reader = ProtobufReader(bytes)
            while let (field, value) = try reader.next() {
                guard field == 1 else { continue }
                let entry = try entry(value.message())
                found[entry.name] = entry
            }
        } catch {
            return nil
        }
        return found.values.sorted { $0.name < $1.name }
    }

    private static func entry(_ bytes: ArraySlice<UInt8>) throws(MalformedMessage) -> SearchAttributeEntry {
        var entry = SearchAttributeEntry(name: "", metadata: [], data: [])
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: entry.name = try value.text()
            case 2: try read(payload: value.message(), into: &entry)
            default: continue
            }
        }
        entry.metadata.sort { $0.name < $1.name }
        return entry
    }

    private static func read(
        payload bytes: ArraySlice<UInt8>, into entry: inout SearchAttributeEntry
    ) throws(MalformedMessage) {
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1:
                var (name, content): (String, [UInt8]) = ("", [])
                var pair = ProtobufReader(try value.message())
                while let (part, value) = try pair.next() {
                    if part == 1 { name = try value.text() }
                    if part == 2 { content = Array(try value.message()) }
                }
                entry.metadata.removeAll { $0.name == name }
                entry.metadata.append(NamedBlob(name, Blob(content)))
            case 2: entry.data = Array(try value.message())
            default: continue
            }
        }
    }

    /// The message again, each entry with its type in the metadata, in the order of the names.
    public static func encode(_ entries: [(entry: SearchAttributeEntry, type: SearchAttributeType)]) -> Blob {
        var writer = ProtobufWriter()
        for (entry, type) in entries.sorted(by: { $0.entry.name < $1.entry.name }) {
            let metadata =
                (entry.metadata.filter { $0.name != "type" } + [NamedBlob("type", Blob(Array(type.name.utf8)))])
                .sorted { $0.name < $1.name }
            writer.message(1) { writer in
                writer.text(1, entry.name)
                writer.message(2) { writer in
                    for pair in metadata {
                        writer.message(1) { writer in
                            writer.text(1, pair.name)
                            writer.encoded(2, pair.value.bytes)
                        }
                    }
                    if !entry.data.isEmpty { writer.encoded(2, entry.data) }
                }
            }
        }
        return Blob(writer.bytes)
    }

    /// What runs are found by, of a message whose entries say their types; entries that cannot be read are left out.
    public static func values(_ attributes: Blob) -> [SearchValue] {
        (entries(attributes.bytes) ?? []).compactMap { entry in
            guard !entry.isRemoval, let type = entry.metadata("type").flatMap(SearchAttributeType.init(name:)),
                let content = content(entry.data, as: type)
            else { return nil }
            return SearchValue(name: entry.name, type: type, content: content)
        }
    }

    /// A value from its JSON; nil when it is not of the type. A list with one element stands for the element.
    public static func content(_ json: [UInt8], as type: SearchAttributeType) -> SearchValue.Content? {
        guard let value = try? JSONValue(parsing: json) else { return nil }
        let elements: [JSONValue]
        if case .array(let all) = value { elements = all } else { elements = [value] }
        guard let first = elements.first else { return nil }
        switch type {
        case .keyword, .keywordList, .text: return words(elements, as: type)
        case .int:
            guard case .number(let digits) = first, let number = Int64(digits) else { return nil }
            return .number(number)
        case .double:
            guard case .number(let digits) = first, let number = Double(digits), number.isFinite else { return nil }
            return .real(number)
        case .bool:
            guard case .bool(let flag) = first else { return nil }
            return .number(flag ? 1 : 0)
        case .datetime:
            guard case .string(let text) = first, let time = Timestamp(rfc3339: text) else { return nil }
            return .number(time.nanoseconds)
        }
    }

    private static func words(_ elements: [JSONValue], as type: SearchAttributeType) -> SearchValue.Content? {
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element, !text.utf8.contains(0) else { return nil }
            if !texts.contains(text) { texts.append(text) }
        }
        switch type {
        case .keyword: return .words(Array(texts.prefix(1)))
        case .text: return .words(SearchValue.words(of: texts.joined(separator: " ")))
        case .keywordList, .int, .double, .bool, .datetime: return .words(texts)
        }
    }

    /// A JSON value as people read it, for messages about it.
    public static func shown(_ json: [UInt8]) -> String? {
        guard let value = try? JSONValue(parsing: json) else { return nil }
        return shown(value)
    }

    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .number(let digits): digits
        case .bool(let flag): flag ? "true" : "false"
        case .null: "<nil>"
        case .array(let elements): "[" + elements.map(shown).joined(separator: " ") + "]"
        case .object(let members):
            "map[" + members.map { "\($0.name):\(shown($0.value))" }.joined(separator: " ") + "]"
        }
    }
}
