import Crypto
import Foundation

/// What is personal in a notification's request, as histories, tables and the feed hold it: ciphertext and the key's name.
public struct SealedPerson: Codable, Hashable, Sendable {
    public var keyID: String
    /// Who it is about: never an address.
    public var subject: String
    /// AES-256-GCM of the JSON text: nonce, ciphertext, tag; base64.
    public var box: String

    enum CodingKeys: String, CodingKey {
        case subject, box
        case keyID = "key_id"
    }

    public init(keyID: String, subject: String, box: String) {
        self.keyID = keyID
        self.subject = subject
        self.box = box
    }

    /// What is sealed together.
    struct Content: Codable, Sendable {
        var recipient: Recipient
        var variables: [String: JSONScalar]
    }

    /// Seals; the key's name and the subject are authenticated with it.
    static func seal(_ content: Content, keyID: String, key: SymmetricKey) throws -> SealedPerson {
        let subject = content.recipient.subject
        let plain = Data(try PaymentJSON.text(content).utf8)
        let box = try AES.GCM.seal(plain, using: key, authenticating: Self.bound(keyID, subject))
        guard let combined = box.combined else { throw EffectFailure(.invalid, "cannot be sealed") }
        return SealedPerson(keyID: keyID, subject: subject, box: combined.base64EncodedString())
    }

    /// - Throws: ``EffectFailure`` `permanent(code: "Unreadable")` for bytes that were changed.
    func open(_ key: SymmetricKey) throws(EffectFailure) -> Content {
        do {
            guard let bytes = Data(base64Encoded: self.box) else { throw CryptoKitError.incorrectParameterSize }
            let plain = try AES.GCM.open(
                AES.GCM.SealedBox(combined: bytes), using: key, authenticating: Self.bound(self.keyID, self.subject))
            return try JSONDecoder().decode(Content.self, from: plain)
        } catch {
            throw EffectFailure(.permanent(code: "Unreadable"), "the sealed request does not open")
        }
    }

    private static func bound(_ keyID: String, _ subject: String) -> Data { Data("\(keyID)\u{0}\(subject)".utf8) }
}
