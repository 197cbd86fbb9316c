public import History

/// One moment of a schedule.
public struct ScheduleTime: Hashable, Sendable {
    /// What the calendar or interval says.
    public var nominal: Timestamp
    /// With the jitter: when it is acted on.
    public var actual: Timestamp
    public init(nominal: Timestamp, actual: Timestamp) {
        self.nominal = nominal
        self.actual = actual
    }
}

/// A spec made ready for asking when it acts next; pure, and the same in every process.
public struct ScheduleTimes: Sendable {
    private let calendars: [CalendarMatcher]
    private let excluded: [CalendarMatcher]
    /// In whole seconds.
    private let intervals: [(every: Int64, phase: Int64)]
    private let zone: ZoneRules
    private let startSecond: Int64?
    private let endSecond: Int64?
    private let jitterMilliseconds: Int64
    private let seed: String

    /// Excluded moments that are passed over in a row before a spec counts as having no more.
    private static let excludedMax = 100_000
    /// A schedule's time is a Timestamp: the last whole second that it can say.
    private static let secondMax = Int64.max / 1_000_000_000 - 1

    /// - Parameter seed: tells schedules of one spec apart, so that their jitter differs.
    public init(_ spec: ScheduleSpec, zone: ZoneRules, seed: String) {
        calendars = spec.calendars.map { CalendarMatcher($0) }
        excluded = spec.excluded.map { CalendarMatcher($0) }
        intervals = spec.intervals.map {
            ($0.every.nanoseconds / 1_000_000_000, $0.phase.nanoseconds / 1_000_000_000)
        }
        self.zone = zone
        startSecond = spec.startTime.map { floorDivide($0.nanoseconds + 999_999_999, 1_000_000_000) }
        endSecond = spec.endTime.map { floorDivide($0.nanoseconds, 1_000_000_000) }
        jitterMilliseconds = (spec.jitter ?? .zero).nanoseconds / 1_000_000
        self.seed = seed
    }

    /// The first moment whose nominal time lies after `time`.
    public func next(after time: Timestamp) -> ScheduleTime? {
        guard let nominal = nextSecond(after: floorDivide(time.nanoseconds, 1_000_000_000)) else { return nil }
        return withJitter(nominal)
    }

    /// Moments whose nominal times lie after `time` and not after `last`, at most `limit`.
    public func times(after time: Timestamp, through last: Timestamp, limit: Int) -> [ScheduleTime] {
        var found: [ScheduleTime] = []
        var second = floorDivide(time.nanoseconds, 1_000_000_000)
        let end = floorDivide(last.nanoseconds, 1_000_000_000)
        while found.count < limit, let next = nextSecond(after: second), next <= end {
            found.append(withJitter(next))
            second = next
        }
        return found
    }

    // MARK: Nominal times

    func nextSecond(after given: Int64) -> Int64? {
        var second = given
        if let startSecond { second = max(second, startSecond - 1) }
        for _ in 0..<Self.excludedMax {
            guard let next = nextAny(after: second), next <= Self.secondMax else { return nil }
            if let endSecond, next > endSecond { return nil }
            guard !excluded.isEmpty else { return next }
            let local = zone.local(next)
            guard let exclusion = excluded.first(where: { $0.matches(local) }) else { return next }
            // Nothing before the end of what is excluded in one piece, as long as the clocks are not set meanwhile.
            let through = next + (exclusion.matchesThrough(local) - local)
            second = min(through, zone.segment(at: next).end - 1)
        }
        return nil
    }

    private func nextAny(after second: Int64) -> Int64? {
        var earliest: Int64?
        for interval in intervals {
            let next =
                (floorDivide(second - interval.phase, interval.every) + 1) * interval.every + interval.phase
            if earliest.map({ next < $0 }) ?? true { earliest = next }
        }
        for calendar in calendars {
            guard let next = next(of: calendar, after: second) else { continue }
            if earliest.map({ next < $0 }) ?? true { earliest = next }
        }
        return earliest
    }

    /// A local time that the clocks skip is skipped; one that they show twice counts the first time.
    private func next(of calendar: CalendarMatcher, after second: Int64) -> Int64? {
        var local = zone.latestLocal(second)
        while let next = calendar.next(after: local) {
            if let moment = zone.moment(ofLocal: next) { return moment }
            local = next
        }
        return nil
    }

    // MARK: Jitter

    /// Whole milliseconds, by a hash of the schedule and the nominal time: less than the jitter, and than the gap to the next.
    private func withJitter(_ second: Int64) -> ScheduleTime {
        let nominal = Timestamp(nanoseconds: second * 1_000_000_000)
        guard jitterMilliseconds > 0 else { return ScheduleTime(nominal: nominal, actual: nominal) }
        var most = jitterMilliseconds
        // The gap matters only when it may be the smaller one.
        if let next = nextSecond(after: second), next - second < (jitterMilliseconds + 999) / 1000 {
            most = (next - second) * 1000
        }
        let delay = Int64(hash(second).multipliedFullWidth(by: UInt64(most)).high)
        return ScheduleTime(nominal: nominal, actual: nominal.advanced(by: .milliseconds(delay)))
    }

    /// FNV-1a over the seed and the nominal second, finished so that neighbours differ in their high bits.
    private func hash(_ second: Int64) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) {
            value ^= UInt64(byte)
            value = value &* 0x0000_0100_0000_01B3
        }
        for byte in seed.utf8 { add(byte) }
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            add(UInt8(truncatingIfNeeded: UInt64(bitPattern: second) >> shift))
        }
        value ^= value >> 33
        value = value &* 0xFF51_AFD7_ED55_8CCD
        value ^= value >> 33
        value = value &* 0xC4CE_B9FE_1A85_EC53
        return value ^ (value >> 33)
    }
}

extension ScheduleTimes {
    /// No time at all.
    public static let none = ScheduleTimes(ScheduleSpec(), zone: .utc, seed: "")
}
