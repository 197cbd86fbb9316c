public import Foundation
import SwiftProtobuf
import TemporalAPI

/// Numbers `start … end` in steps, in one field of a calendar.
public struct ScheduleRange: Hashable, Sendable, ExpressibleByIntegerLiteral {
    public var start: Int
    public var end: Int
    public var step: Int

    public init(_ start: Int, _ end: Int? = nil, step: Int = 1) {
        self.start = start
        self.end = max(end ?? start, start)
        self.step = step
    }

    public init(integerLiteral value: Int) { self.init(value) }
}

/// Moments by their fields on the clock and in the calendar; all fields must match.
///
/// Without anything said it is every midnight.
public struct ScheduleCalendarSpec: Hashable, Sendable {
    public var second: [ScheduleRange]
    public var minute: [ScheduleRange]
    public var hour: [ScheduleRange]
    public var dayOfMonth: [ScheduleRange]
    public var month: [ScheduleRange]
    /// Empty is every year.
    public var year: [ScheduleRange]
    /// 0 is Sunday.
    public var dayOfWeek: [ScheduleRange]
    public var comment: String

    public init(
        second: [ScheduleRange] = [0], minute: [ScheduleRange] = [0], hour: [ScheduleRange] = [0],
        dayOfMonth: [ScheduleRange] = [ScheduleRange(1, 31)], month: [ScheduleRange] = [ScheduleRange(1, 12)],
        year: [ScheduleRange] = [], dayOfWeek: [ScheduleRange] = [ScheduleRange(0, 6)], comment: String = ""
    ) {
        self.second = second
        self.minute = minute
        self.hour = hour
        self.dayOfMonth = dayOfMonth
        self.month = month
        self.year = year
        self.dayOfWeek = dayOfWeek
        self.comment = comment
    }
}

/// Moments at equal distances, counted from 1970 and moved by `offset`.
public struct ScheduleIntervalSpec: Hashable, Sendable {
    public var every: Duration
    public var offset: Duration
    public init(every: Duration, offset: Duration = .zero) {
        self.every = every
        self.offset = offset
    }
}

/// When a schedule acts: everything that its calendars, intervals and cron lines say, without what is skipped.
public struct ScheduleSpec: Hashable, Sendable {
    public var calendars: [ScheduleCalendarSpec]
    public var intervals: [ScheduleIntervalSpec]
    /// Five fields, six with a year, seven with seconds; `@every 90s`, `@daily`; a zone before (`CRON_TZ=`) and a comment
    /// behind (`#`). The server answers them as calendars and intervals.
    public var cronExpressions: [String]
    public var skip: [ScheduleCalendarSpec]
    public var startAt: Date?
    public var endAt: Date?
    /// Each action comes later by up to this much, always by the same for the same moment.
    public var jitter: Duration?
    /// A name such as `Europe/Berlin`; nil is UTC.
    public var timeZoneName: String?

    public init(
        calendars: [ScheduleCalendarSpec] = [], intervals: [ScheduleIntervalSpec] = [], cronExpressions: [String] = [],
        skip: [ScheduleCalendarSpec] = [], startAt: Date? = nil, endAt: Date? = nil, jitter: Duration? = nil,
        timeZoneName: String? = nil
    ) {
        self.calendars = calendars
        self.intervals = intervals
        self.cronExpressions = cronExpressions
        self.skip = skip
        self.startAt = startAt
        self.endAt = endAt
        self.jitter = jitter
        self.timeZoneName = timeZoneName
    }
}

extension ScheduleSpec {
    init(_ wire: Temporal_Api_Schedule_V1_ScheduleSpec) {
        self.init(
            calendars: wire.structuredCalendar.map { ScheduleCalendarSpec($0) },
            intervals: wire.interval.map {
                ScheduleIntervalSpec(every: $0.interval.duration, offset: $0.phase.duration)
            },
            cronExpressions: wire.cronString,
            skip: wire.excludeStructuredCalendar.map { ScheduleCalendarSpec($0) },
            startAt: wire.hasStartTime ? wire.startTime.date : nil, endAt: wire.hasEndTime ? wire.endTime.date : nil,
            jitter: wire.hasJitter ? wire.jitter.duration : nil,
            timeZoneName: wire.timezoneName.isEmpty ? nil : wire.timezoneName)
    }

    var message: Temporal_Api_Schedule_V1_ScheduleSpec {
        .with { wire in
            wire.structuredCalendar = calendars.map(\.message)
            wire.excludeStructuredCalendar = skip.map(\.message)
            wire.interval = intervals.map { interval in
                .with {
                    $0.interval = interval.every.message
                    $0.phase = interval.offset.message
                }
            }
            wire.cronString = cronExpressions
            if let startAt { wire.startTime = Google_Protobuf_Timestamp(date: startAt) }
            if let endAt { wire.endTime = Google_Protobuf_Timestamp(date: endAt) }
            if let jitter { wire.jitter = jitter.message }
            wire.timezoneName = timeZoneName ?? ""
        }
    }
}

extension ScheduleCalendarSpec {
    fileprivate init(_ wire: Temporal_Api_Schedule_V1_StructuredCalendarSpec) {
        func ranges(_ wire: [Temporal_Api_Schedule_V1_Range]) -> [ScheduleRange] {
            wire.map { ScheduleRange(Int($0.start), Int($0.end), step: max(Int($0.step), 1)) }
        }
        self.init(
            second: ranges(wire.second), minute: ranges(wire.minute), hour: ranges(wire.hour),
            dayOfMonth: ranges(wire.dayOfMonth), month: ranges(wire.month), year: ranges(wire.year),
            dayOfWeek: ranges(wire.dayOfWeek), comment: wire.comment)
    }

    fileprivate var message: Temporal_Api_Schedule_V1_StructuredCalendarSpec {
        func wire(_ ranges: [ScheduleRange]) -> [Temporal_Api_Schedule_V1_Range] {
            ranges.map { range in
                .with {
                    $0.start = Int32(clamping: range.start)
                    $0.end = Int32(clamping: range.end)
                    $0.step = Int32(clamping: range.step)
                }
            }
        }
        return .with {
            $0.second = wire(second)
            $0.minute = wire(minute)
            $0.hour = wire(hour)
            $0.dayOfMonth = wire(dayOfMonth)
            $0.month = wire(month)
            $0.year = wire(year)
            $0.dayOfWeek = wire(dayOfWeek)
            $0.comment = comment
        }
    }
}

extension Google_Protobuf_Duration {
    var duration: Duration { .seconds(seconds) + .nanoseconds(Int64(nanos)) }
}
