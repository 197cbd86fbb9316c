public import TemporalCodec

/// The values a failure or a cancellation carries.
///
/// Made from values, they are encoded when the failure leaves the process; received, they are decoded when asked for.
public struct FailureDetails: Sendable {
    private enum Content: Sendable {
        case values([any Encodable & Sendable])
        case received([Payload], DataConverter)
    }
    private let content: Content

    /// No details.
    public static let none = FailureDetails([])

    public init(_ values: [any Encodable & Sendable]) { content = .values(values) }

    /// - Parameter wire: An encoded `temporal.api.common.v1.Payloads` as it travels.
    public init(wire: some Collection<UInt8>, converter: DataConverter) throws(MalformedMessage) {
        content = .received(try Payload.list(wire: wire), converter)
    }

    public var count: Int {
        switch content {
        case .values(let values): values.count
        case .received(let payloads, _): payloads.count
        }
    }
    public var isEmpty: Bool { count == 0 }

    /// The value at a position.
    /// - Throws: ``ConversionFailure`` when there is none or it is of another type.
    public func value<Value: Decodable>(_ type: Value.Type = Value.self, at position: Int = 0) throws -> Value {
        switch content {
        case .received(let payloads, let converter):
            guard payloads.indices.contains(position) else {
                throw ConversionFailure("expected detail \(position), got \(payloads.count) details")
            }
            return try converter.value(type, from: payloads[position])
        case .values(let values):
            guard values.indices.contains(position), let value = values[position] as? Value else {
                throw ConversionFailure("expected \(type) as detail \(position), got \(values.count) details")
            }
            return value
        }
    }

    /// The encoded `Payloads`; received details pass as they came.
    func wire(_ converter: DataConverter) throws -> [UInt8] {
        switch content {
        case .values(let values): Payload.wire(try converter.payloads(for: values))
        case .received(let payloads, _): Payload.wire(payloads)
        }
    }
}
