public import Crypto
import Foundation

/// A key and the name under which it can be found again.
public struct EncryptionKey: Sendable {
    public let id: String
    public let key: SymmetricKey

    public init(id: String, key: SymmetricKey) {
        self.id = id
        self.key = key
    }
}

/// Says which key seals and which key opens.
///
/// Give every subject (a customer, a tenant) its own key, and erasing that key makes all that was sealed with it unreadable
/// for ever, while the stored bytes and the proofs over them stay as they are. Both calls happen inside workflow code, so
/// they answer from memory.
public protocol EncryptionKeyProvider: Sendable {
    /// The key for new payloads of this workflow.
    func sealingKey(for context: PayloadContext) throws -> EncryptionKey

    /// The key with this id, or nil when it was erased or never existed.
    func openingKey(id: String) throws -> SymmetricKey?
}

/// One key for everything, and older ones that still open what they sealed.
public struct FixedEncryptionKeys: EncryptionKeyProvider {
    private let current: EncryptionKey
    private let keys: [String: SymmetricKey]

    public init(current: EncryptionKey, older: [EncryptionKey] = []) {
        self.current = current
        self.keys = Dictionary((older + [current]).map { ($0.id, $0.key) }, uniquingKeysWith: { $1 })
    }

    public func sealingKey(for context: PayloadContext) -> EncryptionKey { current }
    public func openingKey(id: String) -> SymmetricKey? { keys[id] }
}

/// Why a sealed payload stayed closed.
public enum EncryptionFailure: Error, Hashable, Sendable {
    /// The key has another length than 256 bits.
    case keyIsNot256Bits(id: String)
    /// The payload does not say which key sealed it.
    case keyIDMissing
    /// The provider has no such key (any more).
    case keyUnknown(id: String)
    /// The bytes or their key id were changed, or another key of the same name sealed them.
    case doesNotAuthenticate(keyID: String)
}

/// Seals whole payloads, metadata included, with AES-256 in Galois/counter mode.
///
/// A sealed payload has the encoding `binary/encrypted`, the key's name in `encryption-key-id`, and as data a fresh
/// 12-byte nonce, the ciphertext and a 16-byte tag: the layout that Temporal's samples use, so that their codec servers read it.
public struct AES256GCMCodec: PayloadCodec {
    /// The encoding of a sealed payload.
    public static let encoding = "binary/encrypted"
    private let keys: any EncryptionKeyProvider

    public init(keys: any EncryptionKeyProvider) { self.keys = keys }

    public func encode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload] {
        guard !payloads.isEmpty else { return [] }
        let sealing = try keys.sealingKey(for: context)
        try check(sealing.key, id: sealing.id)
        return try payloads.map { payload in
            let box = try AES.GCM.seal(payload.wire, using: sealing.key)
            var data: [UInt8] = []
            data.reserveCapacity(box.ciphertext.count + 28)
            data.append(contentsOf: box.nonce)
            data.append(contentsOf: box.ciphertext)
            data.append(contentsOf: box.tag)
            return Payload(
                metadata: [
                    Payload.Key.encoding: Array(Self.encoding.utf8),
                    Payload.Key.encryptionKeyID: Array(sealing.id.utf8),
                ], data: data)
        }
    }

    public func decode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload] {
        try payloads.map { payload in
            payload.encoding == Self.encoding ? try open(payload) : payload
        }
    }

    private func open(_ payload: Payload) throws -> Payload {
        guard let idBytes = payload.metadata[Payload.Key.encryptionKeyID] else { throw EncryptionFailure.keyIDMissing }
        let id = String(decoding: idBytes, as: UTF8.self)
        guard let key = try keys.openingKey(id: id) else { throw EncryptionFailure.keyUnknown(id: id) }
        try check(key, id: id)
        do {
            let plain = try AES.GCM.open(AES.GCM.SealedBox(combined: payload.data), using: key)
            return try Payload(wire: plain)
        } catch {
            throw EncryptionFailure.doesNotAuthenticate(keyID: id)
        }
    }

    private func check(_ key: SymmetricKey, id: String) throws {
        guard key.bitCount == 256 else { throw EncryptionFailure.keyIsNot256Bits(id: id) }
    }
}
