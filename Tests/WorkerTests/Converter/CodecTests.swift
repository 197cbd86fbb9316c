import Crypto
import Synchronization
import Testing

@testable import Worker

/// A key for each workflow; erasing one makes its payloads unreadable.
private final class KeyPerWorkflow: EncryptionKeyProvider {
    private let keys = Mutex<[String: SymmetricKey]>([:])
    func sealingKey(for context: PayloadContext) -> EncryptionKey {
        keys.withLock { keys in
            let key = keys[context.workflowID] ?? SymmetricKey(size: .bits256)
            keys[context.workflowID] = key
            return EncryptionKey(id: context.workflowID, key: key)
        }
    }
    func openingKey(id: String) -> SymmetricKey? { keys.withLock { $0[id] } }
    func erase(_ id: String) { keys.withLock { _ = $0.removeValue(forKey: id) } }
}

@Suite("Payload codecs")
struct CodecTests {
    private let key = EncryptionKey(id: "k1", key: SymmetricKey(data: (0..<32).map { UInt8($0) }))
    private var converter: DataConverter {
        DataConverter(codec: AES256GCMCodec(keys: FixedEncryptionKeys(current: key)))
    }

    @Test("A sealed value names its key, hides its content and opens again")
    func roundTrip() throws {
        let payload = try converter.payload(for: "secret card")
        #expect(payload.encoding == "binary/encrypted")
        #expect(payload.metadata["encryption-key-id"] == Array("k1".utf8))
        #expect(!String(decoding: payload.data, as: UTF8.self).contains("secret"))
        #expect(try converter.value(String.self, from: payload) == "secret card")
    }

    @Test("Sealing twice gives different bytes")
    func freshNonce() throws {
        #expect(try converter.payload(for: 1).data != converter.payload(for: 1).data)
    }

    @Test("Any changed byte keeps the payload closed")
    func tampered() throws {
        let payload = try converter.payload(for: 42)
        for position in payload.data.indices {
            var changed = payload
            changed.data[position] ^= 1
            #expect(throws: EncryptionFailure.doesNotAuthenticate(keyID: "k1"), "byte \(position)") {
                try converter.value(Int.self, from: changed)
            }
        }
        var short = payload
        short.data = Array(short.data.prefix(5))
        #expect(throws: EncryptionFailure.doesNotAuthenticate(keyID: "k1")) {
            try converter.value(Int.self, from: short)
        }
    }

    @Test("A payload without a codec's mark passes unchanged")
    func plainPasses() throws {
        #expect(try converter.value(Int.self, from: DataConverter.default.payload(for: 5)) == 5)
    }

    @Test("An older key still opens what it sealed")
    func rotation() throws {
        let payload = try converter.payload(for: "old")
        let newer = EncryptionKey(id: "k2", key: SymmetricKey(size: .bits256))
        let rotated = DataConverter(codec: AES256GCMCodec(keys: FixedEncryptionKeys(current: newer, older: [key])))
        #expect(try rotated.value(String.self, from: payload) == "old")
        #expect(try rotated.payload(for: 1).metadata["encryption-key-id"] == Array("k2".utf8))
    }

    @Test("An erased subject's payloads stay closed, the others open")
    func erasure() throws {
        let keys = KeyPerWorkflow()
        let base = DataConverter(codec: AES256GCMCodec(keys: keys))
        let ann = base.scoped(namespace: "n", workflowID: "ann")
        let bob = base.scoped(namespace: "n", workflowID: "bob")
        let (first, second) = (try ann.payload(for: 1), try bob.payload(for: 2))
        keys.erase("ann")
        #expect(throws: EncryptionFailure.keyUnknown(id: "ann")) { try ann.value(Int.self, from: first) }
        #expect(try bob.value(Int.self, from: second) == 2)
    }

    @Test("A key of another length and a missing key id are refused")
    func badKeys() throws {
        let short = EncryptionKey(id: "s", key: SymmetricKey(size: .bits128))
        let weak = DataConverter(codec: AES256GCMCodec(keys: FixedEncryptionKeys(current: short)))
        #expect(throws: EncryptionFailure.keyIsNot256Bits(id: "s")) { try weak.payload(for: 1) }
        var payload = try converter.payload(for: 1)
        payload.metadata["encryption-key-id"] = nil
        #expect(throws: EncryptionFailure.keyIDMissing) { try converter.value(Int.self, from: payload) }
    }

    @Test("A chain decodes in the opposite order")
    func chain() throws {
        struct Mark: PayloadCodec {
            let name: UInt8
            func encode(_ payloads: [Payload], in context: PayloadContext) -> [Payload] {
                payloads.map { Payload(metadata: $0.metadata, data: $0.data + [name]) }
            }
            func decode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload] {
                try payloads.map { payload in
                    guard payload.data.last == name else { throw ConversionFailure("wrong order") }
                    return Payload(metadata: payload.metadata, data: payload.data.dropLast())
                }
            }
        }
        let converter = DataConverter(codec: CodecChain([Mark(name: 1), Mark(name: 2)]))
        let payload = try converter.payload(for: 7)
        #expect(payload.data.suffix(2) == [1, 2])
        #expect(try converter.value(Int.self, from: payload) == 7)
    }
}
