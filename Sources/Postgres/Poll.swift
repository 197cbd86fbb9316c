import Glibc

enum Poll {
    /// Waits until the descriptor is ready for any of `events` (or broken); false when the deadline passed first.
    static func wait(_ descriptor: Int32, _ events: Int16, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = (deadline - .now).milliseconds
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = poll(&entry, 1, Int32(clamping: max(0, left + 1)))
            if ready > 0 { return true }
            if ready == 0, left <= 0 { return false }
        }
    }

    /// Waits without limit until either descriptor can be read; says which.
    static func waitForEither(_ first: Int32, _ second: Int32) -> (first: Bool, second: Bool) {
        var entries = [
            pollfd(fd: first, events: Int16(POLLIN), revents: 0), pollfd(fd: second, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&entries, 2, -1) < 0 {}
        return (entries[0].revents != 0, entries[1].revents != 0)
    }
}

/// Wakes a thread that sleeps in `poll`. Writing to it never blocks; any number of wake-ups before a drain count as one.
final class WakePipe: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(PostgresError) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw PostgresError(.connectFailed, reason: "no free file descriptor")
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func wake() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    func drain() {
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(readEnd, &buffer, buffer.count) == buffer.count {}
    }
}

enum CStrings {
    /// Lends `strings` as a null-terminated array of C strings.
    static func withPointers<Result>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result)
        -> Result
    {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array holds at least its terminator") }
            return body(base)
        }
    }
}
