import Crypto
import Foundation

/// The `X-Twilio-Signature` header: HMAC-SHA1, in base64, over the address and the sorted fields, each name followed by its value.
public enum SmsCallbackSignature {
    public static func header(url: String, fields: [(name: String, value: String)], token: String) -> String {
        let sorted = fields.sorted { $0.name < $1.name }.map { $0.name + $0.value }.joined()
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Data((url + sorted).utf8), using: SymmetricKey(data: Data(token.utf8)))
        return Data(code).base64EncodedString()
    }
}
