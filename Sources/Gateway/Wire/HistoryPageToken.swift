import History
import TemporalCodec

/// Where a paged or waiting history call goes on. Bound to one run; versioned, and checked before use.
struct HistoryPageToken: Hashable, Sendable {
    var run: RunID
    var next: EventID
    /// A task's own history ends here; `.none` = the run's history.
    var last: EventID = .none

    private static let version: UInt8 = 1
    private static let checkBytes = 4

    var bytes: [UInt8] {
        var bytes: [UInt8] = [Self.version]
        for number in [next.value, last.value] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
            }
        }
        bytes += run.value.utf8
        return bytes + Self.check(bytes)
    }

    init(run: RunID, next: EventID, last: EventID = .none) {
        self.run = run
        self.next = next
        self.last = last
    }

    /// - Throws: INVALID_ARGUMENT for bytes that are no token of this server.
    init(_ bytes: [UInt8]) throws(Rejection) {
        let body = Array(bytes.dropLast(Self.checkBytes))
        guard body.count > 17, body[0] == Self.version, Self.check(body) == Array(bytes.suffix(Self.checkBytes)) else {
            throw .invalid("Invalid NextPageToken.")
        }
        func number(at offset: Int) -> Int64 { body[offset..<offset + 8].reduce(0) { $0 << 8 | Int64($1) } }
        run = RunID(String(decoding: body[17...], as: UTF8.self))
        next = EventID(number(at: 1))
        last = EventID(number(at: 9))
        guard next >= .first, last >= .none, UUIDs.isValid(run.value) else { throw .invalid("Invalid NextPageToken.") }
    }

    /// FNV-1a: catches damage and guesses; a token opens nothing that its run id does not open.
    private static func check(_ bytes: [UInt8]) -> [UInt8] {
        var hash: UInt32 = 2_166_136_261
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return [
            UInt8(truncatingIfNeeded: hash >> 24), UInt8(truncatingIfNeeded: hash >> 16),
            UInt8(truncatingIfNeeded: hash >> 8), UInt8(truncatingIfNeeded: hash),
        ]
    }
}
