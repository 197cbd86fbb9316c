import Crypto
import History
import Runtime
import Synchronization

/// The header that makes a POST safe to repeat.
enum IdempotencyKey {
    static let lengthMax = 255

    /// The key, quoted or bare.
    ///
    /// - Throws: a 400 problem when it is missing or not 1 to 255 printable characters.
    static func read(_ question: HTTPQuestion) throws(Problem) -> String {
        guard var key = question.header("idempotency-key") else {
            throw Problem(
                .keyMissing, status: 400, "Idempotency-Key is missing",
                detail: "this request needs the header Idempotency-Key")
        }
        if key.utf8.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        guard (1...lengthMax).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Problem(
                .validation, status: 400, "Idempotency-Key is not valid",
                detail: "expected 1 to \(lengthMax) printable ASCII characters")
        }
        return key
    }

    /// What must be equal for a repetition to be one: method, path and the body in canonical form.
    static func fingerprint(_ question: HTTPQuestion, _ body: JSONValue) -> [UInt8] {
        var hash = Crypto.SHA256()
        hash.update(data: Array("\(question.method)\n\(question.path)\n".utf8))
        hash.update(data: JSONWriter.write(body, canonical: true))
        return Array(hash.finalize())
    }
}

/// Keys that are being worked on by this process now.
final class KeysInFlight: Sendable {
    private let keys = Mutex<Set<String>>([])

    /// - Returns: `false` when somebody else has the key.
    func enter(_ key: String) -> Bool { keys.withLock { $0.insert(key).inserted } }

    func leave(_ key: String) { keys.withLock { _ = $0.remove(key) } }
}
