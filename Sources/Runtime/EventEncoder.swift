public import History

/// Turns an event into the bytes that are stored and served, and back. Implemented on `TemporalCodec` and injected, because the
/// runtime knows no protobuf.
public protocol EventEncoder: Sendable {
    func encode(_ event: Event) -> [UInt8]
    /// An event that readers see although it is not stored (and may never be).
    func encodePending(_ event: Event) -> [UInt8]
    func decode(_ bytes: [UInt8]) throws -> Event
    /// What a run with these search attributes is found by.
    func searchValues(_ attributes: Blob) -> [SearchValue]
}

extension EventEncoder {
    public func encodePending(_ event: Event) -> [UInt8] { encode(event) }
    public func searchValues(_ attributes: Blob) -> [SearchValue] { [] }
}
