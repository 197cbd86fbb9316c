import Crypto
import Foundation

/// The `Stripe-Signature` header: HMAC-SHA256 over `{t}.{raw body}`.
public enum WebhookSignature {
    /// The header for `body` at `timestamp` (unix seconds).
    public static func header(body: String, secret: String, timestamp: Int) -> String {
        "t=\(timestamp),v1=\(self.signature(body: body, secret: secret, timestamp: timestamp))"
    }

    static func signature(body: String, secret: String, timestamp: Int) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(timestamp).\(body)".utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return code.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
