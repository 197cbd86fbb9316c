/// Arguments or a result as they travel, read when they are needed.
///
/// As the input of a workflow, an activity or a handler it stands for all arguments, whatever their number and types; as an
/// output it passes on what it holds. Interceptors see calls and results in this form.
public struct EncodedValues: Codable, Sendable {
    let wire: [UInt8]
    let converter: DataConverter

    init(wire: [UInt8], converter: DataConverter) {
        self.wire = wire
        self.converter = converter
    }

    /// Values in the form in which they travel.
    public init(_ values: [any Encodable], converter: DataConverter) throws {
        self.init(wire: try converter.arguments(values), converter: converter)
    }

    /// The payloads, opened by the codec.
    public func payloads() throws -> [Payload] { try converter.openedPayloads(wire: wire) }

    /// How many values there are.
    public var count: Int { (try? Payload.list(wire: wire).count) ?? 0 }

    /// The value at a position. A missing one reads as ``NoValue`` or nil.
    public func value<Value: Decodable>(_ type: Value.Type = Value.self, at position: Int = 0) throws -> Value {
        if position == 0 { return try converter.value(type, fromWire: wire) }
        return try converter.value(type, at: position, of: try payloads())
    }

    /// Only the ``DataConverter`` makes these values.
    public init(from decoder: any Decoder) throws {
        throw ConversionFailure("encoded values have no encoding of their own")
    }

    public func encode(to encoder: any Encoder) throws {
        throw ConversionFailure("encoded values have no encoding of their own")
    }
}
