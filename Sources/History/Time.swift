/// A moment: nanoseconds since 1970-01-01T00:00:00Z. The core is told the time and never asks for it.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = Timestamp(nanoseconds: 0)
    public static let distantFuture = Timestamp(nanoseconds: .max)

    /// The moment `span` later; saturates instead of overflowing.
    public func advanced(by span: TimeSpan) -> Timestamp {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? (span.nanoseconds > 0 ? .distantFuture : .zero) : Timestamp(nanoseconds: sum)
    }

    /// How long after `earlier` this moment is (negative when it is before).
    public func since(_ earlier: Timestamp) -> TimeSpan {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return TimeSpan(nanoseconds: overflow ? .max : difference)
    }

    public var description: String { "\(nanoseconds)ns" }
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// A length of time in nanoseconds.
public struct TimeSpan: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = TimeSpan(nanoseconds: 0)
    public static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count &* 1_000_000) }
    public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count &* 1_000_000_000) }
    public static func minutes(_ count: Int64) -> TimeSpan { .seconds(count &* 60) }
    public static func hours(_ count: Int64) -> TimeSpan { .seconds(count &* 3600) }
    public static func days(_ count: Int64) -> TimeSpan { .seconds(count &* 86_400) }

    public var isPositive: Bool { nanoseconds > 0 }
    public var secondsAsDouble: Double { Double(nanoseconds) / 1e9 }
    public var description: String { "\(secondsAsDouble)s" }
    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.nanoseconds < right.nanoseconds }
}
