public import History

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// Where the shells take the time from. The core never asks; tests move a clock of their own.
public protocol RuntimeClock: Sendable {
    /// The time of day, as events carry it.
    func now() -> Timestamp
    /// Never goes back; only differences mean something.
    func monotonic() -> Timestamp
    /// Returns once ``now()`` has reached `moment`, or early when the task is cancelled.
    func sleep(until moment: Timestamp) async
}

/// The machine's own clocks.
public struct SystemClock: RuntimeClock {
    /// The time of day may be set while a sleep lasts: look again at least this often.
    private static let sleepMax = TimeSpan.seconds(60)

    public init() {}

    public func now() -> Timestamp { Self.read(CLOCK_REALTIME) }
    public func monotonic() -> Timestamp { Self.read(CLOCK_MONOTONIC) }

    public func sleep(until moment: Timestamp) async {
        while !Task.isCancelled {
            let left = moment.since(now())
            guard left.isPositive else { return }
            try? await Task.sleep(for: .nanoseconds(min(left, Self.sleepMax).nanoseconds))
        }
    }

    private static func read(_ id: clockid_t) -> Timestamp {
        var time = timespec()
        clock_gettime(id, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
