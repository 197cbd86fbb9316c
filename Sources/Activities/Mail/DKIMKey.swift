import Crypto
import Foundation
import _CryptoExtras

/// A private key that signs mail.
enum DKIMKey: Sendable {
    case ed25519(Curve25519.Signing.PrivateKey)
    case rsa(_RSA.Signing.PrivateKey)

    private static let bitsMin = 1024
    /// What stands before the 32 bytes of an Ed25519 key in PKCS#8.
    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    init(_ pem: String) throws(DKIMSigner.Unusable) {
        let text = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }.joined()
        guard let data = Data(base64Encoded: text) else {
            throw DKIMSigner.Unusable(description: "the DKIM key is no PEM and no base64")
        }
        let bytes = [UInt8](data)
        let seed: [UInt8]? =
            if bytes.count == 32 {
                bytes
            } else if bytes.count == Self.ed25519Prefix.count + 32, bytes.starts(with: Self.ed25519Prefix) {
                Array(bytes.suffix(32))
            } else {
                nil
            }
        if let seed, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) {
            self = .ed25519(key)
        } else if let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem),
            key.keySizeInBits >= Self.bitsMin
        {
            self = .rsa(key)
        } else {
            throw DKIMSigner.Unusable(
                description: "the DKIM key is neither Ed25519 nor RSA of at least \(Self.bitsMin) bits")
        }
    }

    var algorithm: String {
        switch self {
        case .ed25519: return "ed25519-sha256"
        case .rsa: return "rsa-sha256"
        }
    }

    func sign(_ input: [UInt8]) throws(DKIMSigner.Unusable) -> Data {
        let hash = SHA256.hash(data: input)
        do {
            switch self {
            case .ed25519(let key): return try key.signature(for: Data(hash))
            case .rsa(let key): return try key.signature(for: hash, padding: .insecurePKCS1v1_5).rawRepresentation
            }
        } catch {
            throw DKIMSigner.Unusable(description: "the DKIM key does not sign")
        }
    }
}
