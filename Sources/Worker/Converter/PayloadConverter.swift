public import Foundation

/// Turns values of some kind into payloads and back. A ``DataConverter`` asks its converters in order.
public protocol PayloadConverter: Sendable {
    /// The encoding this converter writes and reads, for example `json/plain`.
    var encoding: String { get }

    /// The payload for a value, or nil when the value is not of this converter's kind.
    func payload(for value: any Encodable) throws -> Payload?

    /// The value in a payload of this converter's encoding.
    func value<Value: Decodable>(_ type: Value.Type, from payload: Payload) throws -> Value
}

/// A value or a payload that cannot be converted. The payload's bytes stay out of the text.
public struct ConversionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { "conversion failed: \(reason)" }
}

/// `binary/null`: nil and ``NoValue``.
public struct NullPayloadConverter: PayloadConverter {
    public init() {}
    public var encoding: String { "binary/null" }

    public func payload(for value: any Encodable) -> Payload? {
        if value is NoValue { return Payload(encoding: encoding, data: []) }
        guard let optional = value as? any OptionalValue, optional.isNil else { return nil }
        return Payload(encoding: encoding, data: [])
    }

    public func value<Value: Decodable>(_ type: Value.Type, from payload: Payload) throws -> Value {
        if let none = NoValue() as? Value { return none }
        guard let optional = type as? any OptionalValue.Type, let none = optional.none as? Value else {
            throw ConversionFailure("expected \(type), got null")
        }
        return none
    }
}

/// `binary/plain`: byte arrays and `Data` travel as they are.
public struct BytesPayloadConverter: PayloadConverter {
    public init() {}
    public var encoding: String { "binary/plain" }

    public func payload(for value: any Encodable) -> Payload? {
        // The type is asked for first: every empty array can be cast to an array of bytes.
        if Swift.type(of: value) == [UInt8].self, let bytes = value as? [UInt8] {
            return Payload(encoding: encoding, data: bytes)
        }
        if let data = value as? Data { return Payload(encoding: encoding, data: [UInt8](data)) }
        return nil
    }

    public func value<Value: Decodable>(_ type: Value.Type, from payload: Payload) throws -> Value {
        if let bytes = payload.data as? Value { return bytes }
        if let data = Data(payload.data) as? Value { return data }
        throw ConversionFailure("expected \(type), got plain bytes")
    }
}

/// `json/plain`: everything else that is `Codable`.
///
/// Keys are sorted, so equal values give equal bytes; dates are ISO 8601 with milliseconds.
public struct JSONPayloadConverter: PayloadConverter {
    private let encoder: JSONEncoder
    private let decoder: JSONDecoder

    /// - Parameter configure: Last changes to the coders, for example another strategy for dates.
    public init(configure: (JSONEncoder, JSONDecoder) -> Void = { _, _ in }) {
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(Self.milliseconds))
        }
        decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            if let date = (try? Self.milliseconds.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text)) {
                return date
            }
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected an ISO 8601 date")
        }
        configure(encoder, decoder)
    }

    public var encoding: String { "json/plain" }

    public func payload(for value: any Encodable) throws -> Payload? {
        do {
            return Payload(encoding: encoding, data: [UInt8](try encoder.encode(value)))
        } catch {
            throw ConversionFailure("\(Swift.type(of: value)) does not encode as JSON: \(Self.explain(error))")
        }
    }

    public func value<Value: Decodable>(_ type: Value.Type, from payload: Payload) throws -> Value {
        do {
            return try decoder.decode(type, from: Data(payload.data))
        } catch {
            throw ConversionFailure("expected \(type) as JSON: \(Self.explain(error))")
        }
    }

    private static let milliseconds = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Names the place in the document, never its content.
    private static func explain(_ error: any Error) -> String {
        func path(_ keys: [any CodingKey]) -> String {
            keys.isEmpty ? "the top" : keys.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "key \(key.stringValue) is missing at \(path(context.codingPath))"
        case DecodingError.typeMismatch(let type, let context):
            return "\(type) was wanted at \(path(context.codingPath))"
        case DecodingError.valueNotFound(let type, let context): return "\(type) is null at \(path(context.codingPath))"
        case DecodingError.dataCorrupted(let context): return "corrupt at \(path(context.codingPath))"
        case EncodingError.invalidValue(_, let context): return "invalid value at \(path(context.codingPath))"
        default: return "\(Swift.type(of: error))"
        }
    }
}

/// What the null converter must know of `Optional` without knowing what it wraps.
private protocol OptionalValue {
    var isNil: Bool { get }
    static var none: Self { get }
}

extension Optional: OptionalValue {
    fileprivate var isNil: Bool { self == nil }
}
