/// What one check says.
public enum Verdict: Hashable, Sendable, Codable {
    case pass
    /// A limit was exceeded; the reason names it with both numbers.
    case fail(reason: String)
    /// Too little was seen to say anything.
    case inconclusive(reason: String)
    /// So bad that no second check is waited for.
    case abort(reason: String)
}
