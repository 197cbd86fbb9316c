/// Numbers `start … end` in steps.
public struct CalendarRange: Hashable, Sendable {
    public var start: Int32
    public var end: Int32
    public var step: Int32
    public init(_ start: Int32, _ end: Int32? = nil, step: Int32 = 1) {
        self.start = start
        self.end = end ?? start
        self.step = step
    }
}

/// Moments by their calendar fields, all of which must match. An empty list of years means every year.
public struct ScheduleCalendar: Hashable, Sendable {
    public var second: [CalendarRange]
    public var minute: [CalendarRange]
    public var hour: [CalendarRange]
    public var dayOfMonth: [CalendarRange]
    public var month: [CalendarRange]
    public var year: [CalendarRange]
    /// 0 = Sunday.
    public var dayOfWeek: [CalendarRange]
    public var comment: String

    public init(
        second: [CalendarRange] = [], minute: [CalendarRange] = [], hour: [CalendarRange] = [],
        dayOfMonth: [CalendarRange] = [], month: [CalendarRange] = [], year: [CalendarRange] = [],
        dayOfWeek: [CalendarRange] = [], comment: String = ""
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

/// One field of a calendar: its name in errors, its numbers, and what it is when nobody says.
struct CalendarField: Sendable {
    let name: String
    let low: Int32
    let high: Int32
    let names: [String: Int32]
    /// Matches only its lowest number by default; otherwise all of them.
    let isLowestByDefault: Bool

    init(_ name: String, _ low: Int32, _ high: Int32, names: [String] = [], isLowestByDefault: Bool = false) {
        self.name = name
        self.low = low
        self.high = high
        self.isLowestByDefault = isLowestByDefault
        var numbers: [String: Int32] = [:]
        for (index, name) in names.enumerated() {
            numbers[name] = low + Int32(index)
            numbers[String(name.prefix(3))] = low + Int32(index)
        }
        self.names = numbers
    }

    static let second = CalendarField("Second", 0, 59, isLowestByDefault: true)
    static let minute = CalendarField("Minute", 0, 59, isLowestByDefault: true)
    static let hour = CalendarField("Hour", 0, 23, isLowestByDefault: true)
    static let dayOfMonth = CalendarField("DayOfMonth", 1, 31)
    static let month = CalendarField(
        "Month", 1, 12,
        names: [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ])
    static let year = CalendarField("Year", 2000, 2100)
    static let dayOfWeek = CalendarField(
        "DayOfWeek", 0, 6,
        names: ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"])

    private var defaults: [CalendarRange] {
        // All years: no range at all.
        if low >= 2000 { return [] }
        return [isLowestByDefault ? CalendarRange(low) : CalendarRange(low, high)]
    }

    /// The ranges as they are kept: defaults filled in, `end` not before `start`, a step of at least 1.
    ///
    /// - Parameter problems: gets a sentence for each number that is out of range.
    func canonical(_ ranges: [CalendarRange], problems: inout [String]) -> [CalendarRange] {
        if ranges.isEmpty { return defaults }
        return ranges.map { given in
            var range = given
            if range.end < range.start { range.end = range.start }
            if range.step == 0 { range.step = 1 }
            if range.start < low || range.start > high {
                problems.append("\(name) Start is not in range [\(low)-\(high)]")
            }
            if range.end < low || range.end > high {
                problems.append("\(name) End is before Start or not in range [\(low)-\(high)]")
            }
            if range.step < 0 { problems.append("\(name) has invalid Step") }
            return range
        }
    }
}

extension ScheduleCalendar {
    /// The calendar as it is kept and shown.
    ///
    /// - Throws: ``ScheduleProblem`` that names every field out of range.
    func canonical() throws(ScheduleProblem) -> ScheduleCalendar {
        var problems: [String] = []
        var result = self
        result.second = CalendarField.second.canonical(second, problems: &problems)
        result.minute = CalendarField.minute.canonical(minute, problems: &problems)
        result.hour = CalendarField.hour.canonical(hour, problems: &problems)
        result.dayOfMonth = CalendarField.dayOfMonth.canonical(dayOfMonth, problems: &problems)
        result.month = CalendarField.month.canonical(month, problems: &problems)
        result.year = CalendarField.year.canonical(year, problems: &problems)
        result.dayOfWeek = CalendarField.dayOfWeek.canonical(dayOfWeek, problems: &problems)
        guard problems.isEmpty else {
            throw ScheduleProblem("invalid calendar spec: " + problems.joined(separator: ", "))
        }
        return result
    }
}

/// What is wrong with a schedule's spec; the caller sees `Invalid schedule spec: <message>`.
public struct ScheduleProblem: Error, Hashable, Sendable {
    public var message: String
    public init(_ message: String) { self.message = message }
}
