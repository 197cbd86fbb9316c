public import Foundation

/// Names a search attribute and says what it holds: `SearchAttributeKey.keyword("CustomerId")`.
public struct SearchAttributeKey<Value: Sendable>: Hashable, Sendable {
    public let name: String
    let wrap: @Sendable (Value) -> SearchAttributeValue
    let unwrap: @Sendable (SearchAttributeValue) -> Value?

    private init(
        _ name: String, wrap: @escaping @Sendable (Value) -> SearchAttributeValue,
        unwrap: @escaping @Sendable (SearchAttributeValue) -> Value?
    ) {
        self.name = name
        self.wrap = wrap
        self.unwrap = unwrap
    }

    public static func == (left: SearchAttributeKey, right: SearchAttributeKey) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// Sets this attribute, in an upsert.
    public func set(_ value: Value) -> SearchAttributeUpdate { SearchAttributeUpdate(name: name, value: wrap(value)) }

    /// Takes this attribute away, in an upsert.
    public var unset: SearchAttributeUpdate { SearchAttributeUpdate(name: name, value: nil) }
}

extension SearchAttributeKey where Value == String {
    /// Searched word by word.
    public static func text(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .text($0) }, unwrap: { $0.string })
    }
    /// Searched as a whole.
    public static func keyword(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .keyword($0) }, unwrap: { $0.string })
    }
}

extension SearchAttributeKey where Value == [String] {
    public static func keywordList(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .keywordList($0) }) {
            if case .keywordList(let list) = $0 { return list }
            return $0.string.map { [$0] }
        }
    }
}

extension SearchAttributeKey where Value == Int64 {
    public static func int(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .int($0) }) { if case .int(let value) = $0 { value } else { nil } }
    }
}

extension SearchAttributeKey where Value == Double {
    public static func double(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .double($0) }) {
            switch $0 {
            case .double(let value): value
            case .int(let value): Double(value)
            case .text, .keyword, .keywordList, .bool, .datetime: nil
            }
        }
    }
}

extension SearchAttributeKey where Value == Bool {
    public static func bool(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .bool($0) }) { if case .bool(let value) = $0 { value } else { nil } }
    }
}

extension SearchAttributeKey where Value == Date {
    public static func datetime(_ name: String) -> SearchAttributeKey {
        SearchAttributeKey(name, wrap: { .datetime($0.timeIntervalSince1970) }) {
            if case .datetime(let seconds) = $0 { Date(timeIntervalSince1970: seconds) } else { nil }
        }
    }
}

/// One change in an upsert; see ``SearchAttributeKey/set(_:)`` and ``SearchAttributeKey/unset``.
public struct SearchAttributeUpdate: Hashable, Sendable {
    public let name: String
    /// nil takes the attribute away.
    public let value: SearchAttributeValue?
}

/// The search attributes of a workflow, read by their keys.
public struct SearchAttributes: Hashable, Sendable {
    /// By name.
    public private(set) var values: [String: SearchAttributeValue]

    public init() { values = [:] }

    /// `SearchAttributes(customer.set("c1"), amount.set(12))`
    public init(_ updates: SearchAttributeUpdate...) {
        values = [:]
        for update in updates { values[update.name] = update.value }
    }

    init(payloads: [String: Payload]) { values = payloads.compactMapValues(SearchAttributeValue.init(payload:)) }

    /// nil when it is not set, or holds something else.
    public subscript<Value>(key: SearchAttributeKey<Value>) -> Value? {
        get { values[key.name].flatMap(key.unwrap) }
        set { values[key.name] = newValue.map(key.wrap) }
    }

    public var isEmpty: Bool { values.isEmpty }

    func payloads() throws -> [String: Payload] { try values.mapValues { try $0.payload() } }
}

extension SearchAttributeValue {
    fileprivate var string: String? {
        switch self {
        case .text(let text), .keyword(let text): text
        case .keywordList(let list): list.count == 1 ? list[0] : nil
        case .int, .double, .bool, .datetime: nil
        }
    }

    /// Reads what the server or another SDK wrote; the type in the metadata counts, else the JSON tells.
    init?(payload: Payload) {
        let json = JSONPayloadConverter()
        func read<Value: Decodable>(_ type: Value.Type) -> Value? { try? json.value(type, from: payload) }
        let found: SearchAttributeValue? =
            switch String(decoding: payload.metadata["type"] ?? [], as: UTF8.self) {
            case "Text": read(String.self).map(SearchAttributeValue.text)
            case "Keyword": read(String.self).map(SearchAttributeValue.keyword)
            case "KeywordList": (read([String].self) ?? read(String.self).map { [$0] }).map(Self.keywordList)
            case "Int": read(Int64.self).map(SearchAttributeValue.int)
            case "Double": read(Double.self).map(SearchAttributeValue.double)
            case "Bool": read(Bool.self).map(SearchAttributeValue.bool)
            case "Datetime": read(Date.self).map { .datetime($0.timeIntervalSince1970) }
            default:
                read(Bool.self).map(Self.bool) ?? read(Int64.self).map(Self.int) ?? read(Double.self).map(Self.double)
                    ?? read(String.self).map(Self.keyword) ?? read([String].self).map(Self.keywordList)
            }
        guard let found else { return nil }
        self = found
    }
}
