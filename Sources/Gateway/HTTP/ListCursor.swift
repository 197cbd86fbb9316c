import Crypto
import FoundationEssentials
import History
import Runtime

/// Where a list goes on: version, hash of the filter, place, signature; base64url. A cursor works for its own list only.
struct ListCursor: Sendable {
    let key: SigningKey
    private static let version: UInt8 = 1
    private static let filterBytes = 8

    func encode(_ run: RunSummary, filter: String) -> String {
        let body = [Self.version] + Self.hash(filter) + [UInt8](RunPosition.encode(run))
        return Self.base64URL(body + key.signature(body))
    }

    /// - Throws: a 400 problem for a cursor that was forged, damaged, or made for another list.
    func decode(_ text: String, filter: String, namespace: NamespaceID) throws(Problem) -> RunSummary {
        let refused = Problem.malformed("the cursor is not valid for this list", pointer: "/after")
        guard let bytes = Self.fromBase64URL(text), bytes.count > 1 + Self.filterBytes + SigningKey.signatureBytes
        else {
            throw refused
        }
        let body = Array(bytes.dropLast(SigningKey.signatureBytes))
        guard key.isValid(Array(bytes.suffix(SigningKey.signatureBytes)), for: body), body[0] == Self.version,
            Array(body[1..<1 + Self.filterBytes]) == Self.hash(filter),
            let run = try? RunPosition.decode(Data(body[(1 + Self.filterBytes)...]), namespace: namespace)
        else { throw refused }
        return run
    }

    private static func hash(_ filter: String) -> [UInt8] {
        Array(Crypto.SHA256.hash(data: Array(filter.utf8)).prefix(filterBytes))
    }

    static func base64URL(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    static func fromBase64URL(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= 4096 else { return nil }
        var plain = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        while plain.count % 4 != 0 { plain += "=" }
        return Data(base64Encoded: plain).map { [UInt8]($0) }
    }
}
