import Crypto
import Foundation

/// The addresses by which a person leaves a list with one click; only we can make them.
///
/// The token is `{tenant}.{subject}.{list}.{mac}`, each part base64url: nothing has to be stored for it, and it stays good.
public struct UnsubscribeLinks: Sendable {
    /// What a genuine token says.
    public struct Claim: Hashable, Sendable {
        public var tenant: String
        public var subject: String
        /// A category, or `*`.
        public var list: String
    }

    private let baseURL: String
    private let secret: String
    /// Where mail to leave goes, as `List-Unsubscribe` also names it.
    public let mailbox: String?

    public init(baseURL: String, secret: String, mailbox: String? = nil) {
        self.baseURL = baseURL
        self.secret = secret
        self.mailbox = mailbox
    }

    public func url(tenant: String, subject: String, list: String) -> String {
        "\(self.baseURL)/u/\(self.token(tenant: tenant, subject: subject, list: list))"
    }

    public func token(tenant: String, subject: String, list: String) -> String {
        let parts = [tenant, subject, list].map { Self.encode(Data($0.utf8)) }
        return (parts + [Self.encode(Data(self.mac(parts)))]).joined(separator: ".")
    }

    /// - Returns: nil for a token we did not make.
    public func claim(_ token: String) -> Claim? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, token.utf8.count <= 2000, let mac = Self.decode(parts[3]) else { return nil }
        let message = parts[0..<3].joined(separator: ".")
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                mac, authenticating: Data(message.utf8), using: SymmetricKey(data: Data(self.secret.utf8))),
            let texts = Self.texts(parts[0..<3])
        else { return nil }
        return Claim(tenant: texts[0], subject: texts[1], list: texts[2])
    }

    private static func texts(_ parts: ArraySlice<String>) -> [String]? {
        var texts: [String] = []
        for part in parts {
            guard let data = self.decode(part), let text = String(data: data, encoding: .utf8) else { return nil }
            texts.append(text)
        }
        return texts
    }

    private func mac(_ parts: [String]) -> [UInt8] {
        Array(
            HMAC<SHA256>.authenticationCode(
                for: Data(parts.joined(separator: ".").utf8), using: SymmetricKey(data: Data(self.secret.utf8))))
    }

    private static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decode(_ text: String) -> Data? {
        let padded = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: padded + String(repeating: "=", count: (4 - padded.count % 4) % 4))
    }
}
