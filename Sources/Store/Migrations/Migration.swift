/// One numbered step of the schema.
struct Migration: Sendable {
    var version: Int32
    var name: String
    var sql: String

    /// All steps, in order. `schema.sql` is what they make together.
    static let all: [Migration] = [first]

    /// Tells an edited migration from the one that was applied. Guards against mistakes, not against malice.
    var checksum: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in sql.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
