/// A calendar in text, one text a field: `*`, `8-18/2`, `MON-FRI`, `1,15`.
public struct CalendarText: Hashable, Sendable {
    public var second: String
    public var minute: String
    public var hour: String
    public var dayOfMonth: String
    public var month: String
    public var year: String
    public var dayOfWeek: String
    public var comment: String

    public init(
        second: String = "", minute: String = "", hour: String = "", dayOfMonth: String = "", month: String = "",
        year: String = "", dayOfWeek: String = "", comment: String = ""
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

    /// The same calendar in numbers.
    func structured() throws(ScheduleProblem) -> ScheduleCalendar {
        var problems: [String] = []
        let calendar = ScheduleCalendar(
            second: CalendarField.second.ranges(second, &problems),
            minute: CalendarField.minute.ranges(minute, &problems), hour: CalendarField.hour.ranges(hour, &problems),
            dayOfMonth: CalendarField.dayOfMonth.ranges(dayOfMonth, &problems),
            month: CalendarField.month.ranges(month, &problems), year: CalendarField.year.ranges(year, &problems),
            dayOfWeek: CalendarField.dayOfWeek.weekdays(dayOfWeek, &problems), comment: comment)
        guard problems.isEmpty else {
            throw ScheduleProblem("invalid calendar spec: " + problems.joined(separator: ", "))
        }
        return try calendar.canonical()
    }
}

extension CalendarField {
    /// The ranges that a field's text stands for; empty text is the field's default.
    fileprivate func ranges(_ text: String, _ problems: inout [String], high: Int32? = nil) -> [CalendarRange] {
        if text.isEmpty { return [] }
        var found: [CalendarRange] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = range(item, high: high ?? self.high) else {
                problems.append("\(name) is not in range [\(low)-\(high ?? self.high)]: \(item)")
                continue
            }
            found.append(range)
        }
        // Every year is no condition, and is kept as none.
        if low >= 2000, found.contains(CalendarRange(low, self.high)) { return [] }
        return found
    }

    /// Sunday may also be 7.
    fileprivate func weekdays(_ text: String, _ problems: inout [String]) -> [CalendarRange] {
        ranges(text, &problems, high: 7).flatMap { range -> [CalendarRange] in
            guard range.end == 7 else { return [range] }
            if range.start == 7 { return [CalendarRange(0)] }
            if range.start == 0 { return [CalendarRange(0, 6, step: range.step)] }
            let reachesSunday = (7 - range.start) % range.step == 0
            let rest = CalendarRange(range.start, 6, step: range.step)
            return reachesSunday ? [CalendarRange(0), rest] : [rest]
        }
    }

    /// `*`, `a`, `a-b`, each with `/step`; `a/s` goes on to the end.
    private func range(_ item: Substring, high: Int32) -> CalendarRange? {
        let parts = item.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let body = parts.first else { return nil }
        var step: Int32 = 1
        if parts.count == 2 {
            guard let number = Int32(parts[1]), number > 0 else { return nil }
            step = number
        }
        if body == "*" || body == "?" { return CalendarRange(low, self.high, step: step) }
        let ends = body.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let start = number(ends[0]) else { return nil }
        var end = parts.count == 2 ? self.high : start
        if ends.count == 2 {
            guard let last = number(ends[1]) else { return nil }
            end = last
        }
        guard start >= low, end <= high, start <= end else { return nil }
        return CalendarRange(start, end, step: step)
    }

    private func number(_ word: Substring) -> Int32? { Int32(word) ?? names[word.lowercased()] }
}
