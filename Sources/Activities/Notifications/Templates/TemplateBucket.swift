import Crypto

/// Which of several versions a recipient gets: always the same one, and about equally many recipients each.
public enum TemplateBucket {
    /// - Parameters:
    ///   - versions: the versions to choose from; their order does not matter.
    ///   - recipient: a user id or an address; it is hashed, together with the template's name so that tests do not overlap.
    public static func version(of template: String, for recipient: String, among versions: [Int]) -> Int? {
        let sorted = versions.sorted()
        guard !sorted.isEmpty else { return nil }
        let digest = SHA256.hash(data: Array("\(template)\u{0}\(recipient)".utf8))
        let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return sorted[Int(number % UInt64(sorted.count))]
    }
}
