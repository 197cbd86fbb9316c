import Crypto
import FoundationEssentials

/// Where a desk's list goes on: a few sort values, bound to their list and filter by a signature; base64url.
struct PlaceCursor: Sendable {
    let key: SigningKey
    private static let version: UInt8 = 2

    func encode(_ values: [String], filter: String) -> String {
        let body = [Self.version] + JSONWriter.write(.array(values.map { .string($0) }))
        return ListCursor.base64URL(key.signature(Self.signed(body, filter)) + body)
    }

    /// - Throws: a 400 problem for a cursor that was forged, damaged, or made for another list.
    func decode(_ text: String, filter: String) throws(Problem) -> [String] {
        let refused = Problem.malformed("the cursor is not valid for this list", pointer: "/after")
        guard let bytes = ListCursor.fromBase64URL(text), bytes.count > SigningKey.signatureBytes + 1 else {
            throw refused
        }
        let body = Array(bytes.dropFirst(SigningKey.signatureBytes))
        guard key.isValid(Array(bytes.prefix(SigningKey.signatureBytes)), for: Self.signed(body, filter)),
            body[0] == Self.version, let values = try? JSONParser.parse(Array(body.dropFirst())).elements
        else { throw refused }
        return values.compactMap(\.text)
    }

    private static func signed(_ body: [UInt8], _ filter: String) -> [UInt8] {
        Array(Crypto.SHA256.hash(data: Array(filter.utf8))) + body
    }
}
