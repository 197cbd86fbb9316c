/// Turns typed values into the bytes that travel, and back: converters make payloads, then a codec seals them.
///
/// A value type; client, worker and workflows each hold a copy. Order of work outwards: the first converter that knows the
/// value, then the codec; inwards the codec, then the converter of the payload's encoding.
public struct DataConverter: Sendable {
    /// Asked in order; the last one should take everything.
    public var converters: [any PayloadConverter]
    /// Applied to every payload; nil leaves them as they are.
    public var codec: (any PayloadCodec)?
    /// Whether the message and the stack trace of failures travel through the codec too; off by default, because a server can
    /// then not show them.
    public var encodesFailureText: Bool
    /// What the codec is told about the payloads.
    public var context: PayloadContext

    public init(
        converters: [any PayloadConverter] = [NullPayloadConverter(), BytesPayloadConverter(), JSONPayloadConverter()],
        codec: (any PayloadCodec)? = nil, encodesFailureText: Bool = false, context: PayloadContext = PayloadContext()
    ) {
        self.converters = converters
        self.codec = codec
        self.encodesFailureText = encodesFailureText
        self.context = context
    }

    /// JSON, null and plain bytes, without a codec.
    public static let `default` = DataConverter()

    /// The same converter for payloads of one workflow.
    public func scoped(namespace: String, workflowID: String) -> DataConverter {
        var copy = self
        copy.context = PayloadContext(namespace: namespace, workflowID: workflowID)
        return copy
    }
}

extension DataConverter {
    /// The payloads for a list of values, through the codec.
    public func payloads(for values: [any Encodable]) throws -> [Payload] {
        try sealed(values.map(plainPayload))
    }

    /// The payload for one value, through the codec.
    public func payload(for value: any Encodable) throws -> Payload {
        let payloads = try self.payloads(for: [value])
        guard payloads.count == 1, let payload = payloads.first else {
            throw ConversionFailure("expected 1 payload from the codec, got \(payloads.count)")
        }
        return payload
    }

    /// The encoded `Payloads` for the arguments of a call. ``NoValue`` means "no arguments" and gives no payloads.
    public func arguments(_ values: [any Encodable]) throws -> [UInt8] {
        if values.count == 1, values[0] is NoValue { return [] }
        if values.count == 1, let encoded = values[0] as? EncodedValues { return encoded.wire }
        return Payload.wire(try payloads(for: values))
    }

    /// The encoded `Payloads` for a result: always exactly one payload, null for ``NoValue``.
    public func result(_ value: any Encodable) throws -> [UInt8] {
        if let encoded = value as? EncodedValues { return encoded.wire }
        return Payload.wire([try payload(for: value)])
    }

    /// The value in a payload, through the codec.
    public func value<Value: Decodable>(_ type: Value.Type = Value.self, from payload: Payload) throws -> Value {
        let opened = try self.opened([payload])
        guard opened.count == 1 else {
            throw ConversionFailure("expected 1 payload from the codec, got \(opened.count)")
        }
        return try plainValue(type, from: opened[0])
    }

    /// The value in an encoded `Payloads` of a call with one argument, or of a result.
    ///
    /// No payloads at all read as ``NoValue`` or nil; more payloads than one are ignored, as a newer caller may send more.
    public func value<Value: Decodable>(_ type: Value.Type = Value.self, fromWire wire: some Collection<UInt8>) throws
        -> Value
    {
        if type == EncodedValues.self, let all = EncodedValues(wire: Array(wire), converter: self) as? Value {
            return all
        }
        return try value(type, at: 0, of: try opened(Payload.list(wire: wire)))
    }

    /// The payloads of an encoded `Payloads`, through the codec; read them with ``value(_:at:of:)``.
    public func openedPayloads(wire: some Collection<UInt8>) throws -> [Payload] {
        try opened(Payload.list(wire: wire))
    }

    /// The value at a position of payloads that the codec has already opened. A missing one reads as ``NoValue`` or nil.
    public func value<Value: Decodable>(_ type: Value.Type, at position: Int, of opened: [Payload]) throws -> Value {
        guard opened.indices.contains(position) else {
            do {
                return try NullPayloadConverter().value(type, from: Payload(encoding: "binary/null", data: []))
            } catch {
                throw ConversionFailure("expected \(type) as payload \(position), got \(opened.count) payloads")
            }
        }
        return try plainValue(type, from: opened[position])
    }

    /// Payloads as they travel.
    public func sealed(_ payloads: [Payload]) throws -> [Payload] {
        guard let codec, !payloads.isEmpty else { return payloads }
        return try codec.encode(payloads, in: context)
    }

    /// Payloads as they were made.
    public func opened(_ payloads: [Payload]) throws -> [Payload] {
        guard let codec, !payloads.isEmpty else { return payloads }
        return try codec.decode(payloads, in: context)
    }

    /// The payload for a value before the codec.
    func plainPayload(_ value: any Encodable) throws -> Payload {
        for converter in converters {
            if let payload = try converter.payload(for: value) { return payload }
        }
        throw ConversionFailure("no converter takes \(Swift.type(of: value))")
    }

    /// The value in a payload that the codec has opened.
    func plainValue<Value: Decodable>(_ type: Value.Type, from payload: Payload) throws -> Value {
        if let none = NoValue() as? Value { return none }
        let encoding = payload.encoding
        guard let converter = converters.first(where: { $0.encoding == encoding }) else {
            throw ConversionFailure("no converter reads encoding \(encoding.isEmpty ? "(none)" : encoding)")
        }
        return try converter.value(type, from: payload)
    }
}
