import History
import Runtime
import TemporalCodec

/// Events as Temporal's protobuf messages.
struct CodecEventEncoder: EventEncoder {
    func encode(_ event: Event) -> [UInt8] { EventCodec.encode(event) }
    func encodePending(_ event: Event) -> [UInt8] { EventCodec.encodePending(event) }
    func decode(_ bytes: [UInt8]) throws -> Event { try EventCodec.decode(bytes) }
    func searchValues(_ attributes: Blob) -> [SearchValue] { SearchAttributeCodec.values(attributes) }
}
