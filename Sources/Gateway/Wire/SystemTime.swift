import Glibc
public import History

/// The machine's clock, as the shells read it.
public enum SystemTime {
    /// Nanoseconds since 1970.
    public static let now: @Sendable () -> Timestamp = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
