import Crypto
import Foundation

/// Signs mail for a domain (RFC 6376; Ed25519 by RFC 8463). Receivers find the public key at `{selector}._domainkey.{domain}`.
///
/// The signature covers the body and every header we write that a reader or a mailbox acts on, `List-Unsubscribe` and
/// `List-Unsubscribe-Post` among them (RFC 8058). The private key is in no description of it.
public struct DKIMSigner: Sendable, CustomStringConvertible, CustomReflectable {
    /// What cannot sign; names the part, never the key.
    public struct Unusable: Error, Hashable, Sendable, CustomStringConvertible {
        public var description: String
    }

    public let domain: String
    public let selector: String
    private let key: DKIMKey

    /// - Parameters:
    ///   - pem: An Ed25519 or RSA private key: PKCS#8 or PKCS#1, or the 32 bytes of an Ed25519 key in base64.
    public init(domain: String, selector: String, pem: String) throws(Unusable) {
        guard Self.isName(domain), domain.contains(".") else {
            throw Unusable(description: "the DKIM domain is no domain name")
        }
        guard Self.isName(selector) else {
            throw Unusable(description: "the DKIM selector is no label of a domain name")
        }
        self.domain = domain.lowercased()
        self.selector = selector.lowercased()
        self.key = try DKIMKey(pem)
    }

    /// The signer of this installation: `ALOFT_DKIM_DOMAIN`, `ALOFT_DKIM_SELECTOR`, `ALOFT_DKIM_KEY_FILE`; nil when none is named.
    public static func configured() throws(Unusable) -> DKIMSigner? {
        let environment = ProcessInfo.processInfo.environment
        guard let domain = environment["ALOFT_DKIM_DOMAIN"], !domain.isEmpty else { return nil }
        guard let selector = environment["ALOFT_DKIM_SELECTOR"], let file = environment["ALOFT_DKIM_KEY_FILE"] else {
            throw Unusable(description: "ALOFT_DKIM_DOMAIN needs ALOFT_DKIM_SELECTOR and ALOFT_DKIM_KEY_FILE")
        }
        guard let pem = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Unusable(description: "ALOFT_DKIM_KEY_FILE: \(file) cannot be read")
        }
        return try DKIMSigner(domain: domain, selector: selector, pem: pem)
    }

    public var description: String { "\(self.selector)._domainkey.\(self.domain)" }
    public var customMirror: Mirror { Mirror(self, children: ["name": self.description]) }

    private static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
            }
    }

    // MARK: Signing

    /// Headers that are signed where they are there, in this order.
    private static let signedHeaders = [
        "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
        "list-unsubscribe", "list-unsubscribe-post",
    ]
    /// Signed once more than they occur: one that is added later breaks the signature.
    private static let sealedHeaders: Set<String> = ["from", "subject", "list-unsubscribe", "list-unsubscribe-post"]

    /// - Parameter message: Header lines, an empty line, the body; every line ends in CR LF.
    /// - Returns: the message with its signature in front.
    func signed(_ message: [UInt8], at date: Date) throws(Unusable) -> [UInt8] {
        let parts = DKIMText(message)
        var names: [String] = []
        for name in Self.signedHeaders {
            let count = parts.headers.count { $0.name == name }
            names += Array(repeating: name, count: count + (Self.sealedHeaders.contains(name) ? 1 : 0))
        }
        let bodyHash = Data(SHA256.hash(data: parts.relaxedBody)).base64EncodedString()
        let fields = [
            "v=1; a=\(self.key.algorithm); c=relaxed/relaxed; d=\(self.domain);",
            "s=\(self.selector); t=\(Int(date.timeIntervalSince1970));",
            "h=\(Self.folded(names.joined(separator: ":"), ":"));",
            "bh=\(bodyHash);", "b=",
        ]
        let unsigned = fields.joined(separator: "\r\n ")
        var input = parts.relaxed(names)
        input += Array("dkim-signature:".utf8) + DKIMText.relaxed(Array(unsigned.utf8))
        let signature = try self.key.sign(input).base64EncodedString()
        return Array("DKIM-Signature: \(unsigned)\(Self.folded(signature, nil))\r\n".utf8) + message
    }

    private static let lineMax = 70

    /// Breaks a long value into lines; at a separator where there is one.
    private static func folded(_ text: String, _ separator: Character?) -> String {
        var lines: [String] = []
        var line = ""
        let words = separator.map { text.split(separator: $0).map(String.init) } ?? text.map(String.init)
        for (index, word) in words.enumerated() {
            let piece = word + (index < words.count - 1 ? separator.map(String.init) ?? "" : "")
            if line.count + piece.count > Self.lineMax {
                lines.append(line)
                line = ""
            }
            line += piece
        }
        return (lines + [line]).joined(separator: "\r\n ")
    }
}
