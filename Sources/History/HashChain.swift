/// Ties every event of a run to all events before it: h(n) = SHA-256(h(n−1) ‖ stored bytes of event n).
///
/// It stands over the bytes as they are stored, encrypted or not. A changed, removed or inserted event breaks it.
public enum HashChain {
    /// h(0): whose history this is. Each part goes in with its length, so that no two keys read the same.
    public static func seed(for key: RunKey) -> SHA256.Digest {
        var hasher = SHA256()
        for part in [key.namespace.value, key.workflow.value, key.run.value] {
            let bytes = Array(part.utf8)
            let length = UInt32(truncatingIfNeeded: bytes.count)
            hasher.update([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) })
            hasher.update(bytes)
        }
        return hasher.finish()
    }

    /// h(n) from h(n−1) and the stored bytes of event n.
    public static func next(after previous: SHA256.Digest, _ bytes: [UInt8]) -> SHA256.Digest {
        var hasher = SHA256()
        hasher.update(previous.bytes)
        hasher.update(bytes)
        return hasher.finish()
    }
}
