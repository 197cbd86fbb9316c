import Engine
import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

// A schedule's spec to and from its message. What comes in may be text; what goes out is always in numbers.

extension ScheduleSpecRequest {
    init(_ wire: Temporal_Api_Schedule_V1_ScheduleSpec) {
        self.init()
        calendars = wire.structuredCalendar.map { ScheduleCalendar($0) }
        cronLines = wire.cronString
        texts = wire.calendar.map { CalendarText($0) }
        intervals = wire.interval.map {
            ScheduleInterval(every: TimeSpan($0.interval), phase: TimeSpan($0.phase))
        }
        excluded = wire.excludeStructuredCalendar.map { ScheduleCalendar($0) }
        excludedTexts = wire.excludeCalendar.map { CalendarText($0) }
        startTime = wire.hasStartTime ? Timestamp(wire.startTime) : nil
        endTime = wire.hasEndTime ? Timestamp(wire.endTime) : nil
        jitter = wire.hasJitter ? TimeSpan(wire.jitter) : nil
        zoneName = wire.timezoneName
        zoneData = [UInt8](wire.timezoneData)
    }
}

extension ScheduleCalendar {
    fileprivate init(_ wire: Temporal_Api_Schedule_V1_StructuredCalendarSpec) {
        func ranges(_ wire: [Temporal_Api_Schedule_V1_Range]) -> [CalendarRange] {
            wire.map { CalendarRange($0.start, $0.end, step: $0.step) }
        }
        self.init(
            second: ranges(wire.second), minute: ranges(wire.minute), hour: ranges(wire.hour),
            dayOfMonth: ranges(wire.dayOfMonth), month: ranges(wire.month), year: ranges(wire.year),
            dayOfWeek: ranges(wire.dayOfWeek), comment: wire.comment)
    }
}

extension CalendarText {
    fileprivate init(_ wire: Temporal_Api_Schedule_V1_CalendarSpec) {
        self.init(
            second: wire.second, minute: wire.minute, hour: wire.hour, dayOfMonth: wire.dayOfMonth, month: wire.month,
            year: wire.year, dayOfWeek: wire.dayOfWeek, comment: wire.comment)
    }
}

extension Temporal_Api_Schedule_V1_ScheduleSpec {
    init(_ spec: ScheduleSpec) {
        self.init()
        structuredCalendar = spec.calendars.map { .init($0) }
        excludeStructuredCalendar = spec.excluded.map { .init($0) }
        interval = spec.intervals.map { interval in
            .with {
                $0.interval = Google_Protobuf_Duration(interval.every)
                if interval.phase.isPositive { $0.phase = Google_Protobuf_Duration(interval.phase) }
            }
        }
        if let start = spec.startTime { startTime = Google_Protobuf_Timestamp(start) }
        if let end = spec.endTime { endTime = Google_Protobuf_Timestamp(end) }
        if let given = spec.jitter { jitter = Google_Protobuf_Duration(given) }
        timezoneName = spec.zoneName
        timezoneData = Data(spec.zoneData)
    }
}

extension Temporal_Api_Schedule_V1_StructuredCalendarSpec {
    fileprivate init(_ calendar: ScheduleCalendar) {
        func ranges(_ ranges: [CalendarRange]) -> [Temporal_Api_Schedule_V1_Range] {
            ranges.map { range in
                .with {
                    $0.start = range.start
                    $0.end = range.end
                    $0.step = range.step
                }
            }
        }
        self.init()
        second = ranges(calendar.second)
        minute = ranges(calendar.minute)
        hour = ranges(calendar.hour)
        dayOfMonth = ranges(calendar.dayOfMonth)
        month = ranges(calendar.month)
        year = ranges(calendar.year)
        dayOfWeek = ranges(calendar.dayOfWeek)
        comment = calendar.comment
    }
}
