public import Crypto
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// The secret behind list cursors. All gateways of one installation share it.
public struct SigningKey: Sendable {
    let key: SymmetricKey

    public init(_ key: SymmetricKey) { self.key = key }

    /// A fresh key; cursors made with it die with the process.
    public static func random() -> SigningKey { SigningKey(SymmetricKey(size: .bits256)) }

    /// Reads the key, or makes one and stores it readable by the owner alone.
    ///
    /// - Throws: when the file can neither be read nor made.
    public static func stored(at path: String) throws -> SigningKey {
        if let text = try? String(contentsOf: URL(filePath: path), encoding: .utf8),
            let bytes = Hex.decode(text.filter { !$0.isWhitespace }), bytes.count >= 32
        {
            return SigningKey(SymmetricKey(data: bytes))
        }
        let key = SymmetricKey(size: .bits256)
        let text = key.withUnsafeBytes { Hex.encode($0) }
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw SigningKeyError(path: path, code: errno) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count else { throw SigningKeyError(path: path, code: errno) }
        return SigningKey(key)
    }

    func signature(_ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<Crypto.SHA256>.authenticationCode(for: bytes, using: key).prefix(Self.signatureBytes))
    }

    static let signatureBytes = 16

    /// Compares in constant time.
    func isValid(_ signature: [UInt8], for bytes: [UInt8]) -> Bool { Self.areEqual(self.signature(bytes), signature) }

    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }
}

public struct SigningKeyError: Error, Hashable, Sendable {
    public var path: String
    public var code: Int32
}
