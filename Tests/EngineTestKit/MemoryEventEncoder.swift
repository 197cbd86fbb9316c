public import History
public import Runtime
import Synchronization

/// Encodes events as their own description and remembers what they meant: enough for one process of tests.
public final class MemoryEventEncoder: EventEncoder {
    public struct UnknownBytes: Error {}
    private let known = Mutex<[[UInt8]: Event]>([:])

    public init() {}

    public func encode(_ event: Event) -> [UInt8] {
        let bytes = Array("\(event)".utf8)
        known.withLock { $0[bytes] = event }
        return bytes
    }

    public func decode(_ bytes: [UInt8]) throws -> Event {
        guard let event = known.withLock({ $0[bytes] }) else { throw UnknownBytes() }
        return event
    }
}
