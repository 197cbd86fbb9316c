/// The kinds of values that a search attribute may have, by their number in `temporal.api.enums.v1.IndexedValueType`.
public enum SearchAttributeType: Int32, Hashable, Sendable, CaseIterable {
    case text = 1
    case keyword = 2
    case int = 3
    case double = 4
    case bool = 5
    case datetime = 6
    case keywordList = 7

    /// As a payload's metadata says it.
    public var name: String {
        switch self {
        case .text: "Text"
        case .keyword: "Keyword"
        case .int: "Int"
        case .double: "Double"
        case .bool: "Bool"
        case .datetime: "Datetime"
        case .keywordList: "KeywordList"
        }
    }

    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// May a run have several entries under one name: the elements of a list, the words of a text?
    public var hasManyEntries: Bool {
        switch self {
        case .text, .keywordList: true
        case .keyword, .int, .double, .bool, .datetime: false
        }
    }
}

/// A search attribute of a run in the form it is found by.
public struct SearchValue: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// A keyword by itself, the elements of a list, or the words of a text in lower case; each of them once.
        case words([String])
        /// An integer, a flag as 0 or 1, or a moment in nanoseconds.
        case number(Int64)
        case real(Double)
    }

    public var name: String
    public var type: SearchAttributeType
    public var content: Content

    public init(name: String, type: SearchAttributeType, content: Content) {
        self.name = name
        self.type = type
        self.content = content
    }

    /// The words of a text, as they are searched for.
    public static func words(of text: String) -> [String] {
        var seen: Set<String> = []
        return text.lowercased().split { !$0.isLetter && !$0.isNumber }.prefix(wordsMax)
            .map { String($0.utf8.count > wordBytesMax ? $0.prefix(wordBytesMax / 4) : $0) }
            .filter { seen.insert($0).inserted }
    }

    /// So many words of one text are found again.
    public static let wordsMax = 400
    /// Longer words are found by their beginning.
    public static let wordBytesMax = 1024
}
