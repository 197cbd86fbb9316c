/// A calendar made ready for asking: a bit for every number that a field allows.
struct CalendarMatcher: Hashable, Sendable {
    private let seconds: UInt64
    private let minutes: UInt64
    private let hours: UInt64
    private let daysOfMonth: UInt64
    private let months: UInt64
    private let daysOfWeek: UInt64
    private let years: [CalendarRange]

    /// The last year that is looked at.
    static let yearMax = 2100

    init(_ calendar: ScheduleCalendar) {
        seconds = Self.bits(calendar.second)
        minutes = Self.bits(calendar.minute)
        hours = Self.bits(calendar.hour)
        daysOfMonth = Self.bits(calendar.dayOfMonth)
        months = Self.bits(calendar.month)
        daysOfWeek = Self.bits(calendar.dayOfWeek)
        years = calendar.year
    }

    private static func bits(_ ranges: [CalendarRange]) -> UInt64 {
        var bits: UInt64 = 0
        for range in ranges {
            for number in stride(from: range.start, through: range.end, by: Int(max(range.step, 1))) {
                bits |= 1 << UInt64(number)
            }
        }
        return bits
    }

    private func allows(year: Int) -> Bool {
        years.isEmpty
            || years.contains { range in
                let (start, end) = (Int(range.start), Int(range.end))
                return year >= start && year <= end && (year - start) % Int(max(range.step, 1)) == 0
            }
    }

    private func allows(day: Int, _ date: CivilDate) -> Bool {
        daysOfMonth >> UInt64(date.day) & 1 == 1
            && daysOfWeek >> UInt64(CivilDate.weekday(daysSince1970: day)) & 1 == 1
    }

    private func allows(month: Int) -> Bool { months >> UInt64(month) & 1 == 1 }

    /// Does it match a local time, in seconds since 1970-01-01 by the zone's clocks?
    func matches(_ local: Int64) -> Bool {
        let day = floorDivide(Int(local), 86_400)
        let second = Int(local) - day * 86_400
        guard hours >> UInt64(second / 3600) & 1 == 1, minutes >> UInt64(second / 60 % 60) & 1 == 1,
            seconds >> UInt64(second % 60) & 1 == 1
        else { return false }
        let date = CivilDate(daysSince1970: day)
        return allows(month: date.month) && allows(day: day, date) && allows(year: date.year)
    }

    /// The first local time after `local` that it matches.
    func next(after local: Int64) -> Int64? {
        var day = floorDivide(Int(local) + 1, 86_400)
        var second = Int(local) + 1 - day * 86_400
        while true {
            let date = CivilDate(daysSince1970: day)
            guard date.year <= Self.yearMax else { return nil }
            if !allows(year: date.year) {
                day = CivilDate(year: date.year + 1, month: 1, day: 1).daysSince1970
            } else if !allows(month: date.month) {
                day += CivilDate.days(inMonth: date.month, of: date.year) - date.day + 1
            } else {
                if allows(day: day, date), let found = secondOfDay(from: second) {
                    return Int64(day * 86_400 + found)
                }
                day += 1
            }
            second = 0
        }
    }

    private func secondOfDay(from start: Int) -> Int? {
        var hour = start / 3600
        var minute = start / 60 % 60
        var second = start % 60
        while let foundHour = Self.next(hours, from: hour) {
            if foundHour > hour { (minute, second) = (0, 0) }
            while let foundMinute = Self.next(minutes, from: minute) {
                if foundMinute > minute { second = 0 }
                if let foundSecond = Self.next(seconds, from: second) {
                    return foundHour * 3600 + foundMinute * 60 + foundSecond
                }
                minute = foundMinute + 1
                second = 0
            }
            hour = foundHour + 1
            (minute, second) = (0, 0)
        }
        return nil
    }

    /// The lowest number of the set from `start` on.
    private static func next(_ bits: UInt64, from start: Int) -> Int? {
        guard start < 64 else { return nil }
        let rest = bits >> UInt64(start)
        return rest == 0 ? nil : start + rest.trailingZeroBitCount
    }

    /// The last local time up to which it surely matches without a gap from `local` on, which it matches: to the end of the
    /// second, minute, hour or day.
    func matchesThrough(_ local: Int64) -> Int64 {
        let all60: UInt64 = (1 << 60) - 1
        guard seconds == all60 else { return local }
        guard minutes == all60 else { return floorDivide(local, 60) * 60 + 59 }
        guard hours == (1 << 24) - 1 else { return floorDivide(local, 3600) * 3600 + 3599 }
        return floorDivide(local, 86_400) * 86_400 + 86_399
    }
}
