import History

/// When a cron workflow runs next: five fields (`*/5 8-18 * * MON-FRI`), `@hourly` and its like, `@every 90s`; in UTC, or in the
/// zone that stands before it (`CRON_TZ=Europe/Berlin 0 9 * * *`).
struct CronSchedule: Hashable, Sendable {
    private enum Rule: Hashable, Sendable {
        case fields(CronFields, ZoneRules)
        /// Every so many seconds, counted from the last run.
        case every(Int64)
    }

    private let rule: Rule

    /// - Throws: ``CronProblem`` for text that is not a schedule, or that names a zone which `zones` does not have.
    init(_ text: String, _ zones: CronZones) throws(CronProblem) {
        var words = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        var zone = ZoneRules.utc
        if let first = words.first, let name = Self.zone(first) {
            guard let rules = zones[name] else { throw CronProblem(unknownZone: name) }
            zone = rules
            words.removeFirst()
        }
        guard let first = words.first else { throw CronProblem() }
        if first == "@every" {
            guard words.count == 2, let seconds = Self.seconds(words[1]) else { throw CronProblem() }
            rule = .every(max(seconds, 1))
            return
        }
        if first.hasPrefix("@") {
            guard words.count == 1, let spelled = Self.names[first] else { throw CronProblem() }
            words = spelled.split(separator: " ").map(String.init)
        }
        guard let fields = CronFields(words) else { throw CronProblem() }
        rule = .fields(fields, zone)
    }

    /// The zone that `text` names before its fields.
    static func zone(_ text: String) -> String? {
        for prefix in ["CRON_TZ=", "TZ="] where text.hasPrefix(prefix) {
            return String(text.dropFirst(prefix.count).prefix { $0 != " " && $0 != "\t" })
        }
        return nil
    }

    private static let names = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// The wait from `now` to the next run after `last`, rounded up to whole seconds; `nil` when there is none in five years.
    func backoff(after last: Timestamp, now: Timestamp) -> TimeSpan? {
        let billion: Int64 = 1_000_000_000
        let lastSecond = last.nanoseconds / billion
        let nowSecond = (now.nanoseconds + billion - 1) / billion
        let next: Int64
        switch rule {
        case .every(let period):
            let missed = max(nowSecond - lastSecond, 1)
            next = lastSecond + (missed + period - 1) / period * period
        case .fields(let fields, let zone):
            guard let found = fields.next(after: max(lastSecond, nowSecond - 1), in: zone) else { return nil }
            next = found
        }
        let wait = max(next * billion - now.nanoseconds, 0)
        return .seconds((wait + billion - 1) / billion)
    }

    /// Whole seconds of a duration such as `1h30m`, `90s`, `1.5h`.
    private static func seconds(_ text: String) -> Int64? {
        let units: [(String, Double)] = [("ms", 0.001), ("us", 1e-6), ("ns", 1e-9), ("h", 3600), ("m", 60), ("s", 1)]
        var rest = Substring(text)
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber && $0.isASCII || $0 == "." }
            guard let number = Double(String(digits)) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard let (name, factor) = units.first(where: { rest.hasPrefix($0.0) }) else { return nil }
            rest = rest.dropFirst(name.count)
            total += number * factor
        }
        guard total > 0, total < 1e9 else { return nil }
        return Int64(total)
    }
}

/// The five fields of a cron line as sets of numbers.
struct CronFields: Hashable, Sendable {
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    private let anyDay: Bool
    private let anyWeekday: Bool

    init?(_ words: [String]) {
        guard words.count == 5, let minutes = Self.set(words[0], 0...59), let hours = Self.set(words[1], 0...23),
            let days = Self.set(words[2], 1...31), let months = Self.set(words[3], 1...12, names: Self.monthNames),
            let weekdays = Self.set(words[4], 0...6, names: Self.weekdayNames)
        else { return nil }
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.weekdays = weekdays
        anyDay = words[2].hasPrefix("*") || words[2].hasPrefix("?")
        anyWeekday = words[4].hasPrefix("*") || words[4].hasPrefix("?")
    }

    private static let monthNames = [
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
        "dec": 12,
    ]
    private static let weekdayNames = ["sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6]

    /// The numbers that `text` (`1,5-10/2,*/3`) stands for.
    private static func set(_ text: String, _ range: ClosedRange<Int>, names: [String: Int] = [:]) -> UInt64? {
        var result: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let body = pieces.first else { return nil }
            var step = 1
            if pieces.count == 2 {
                guard let number = Int(pieces[1]), number > 0 else { return nil }
                step = number
            }
            var (low, high) = (range.lowerBound, range.upperBound)
            if body != "*", body != "?" {
                let ends = body.split(separator: "-", omittingEmptySubsequences: false).map { word in
                    Int(word) ?? names[word.lowercased()]
                }
                guard ends.count <= 2, let first = ends[0] else { return nil }
                low = first
                if ends.count == 2 {
                    guard let last = ends[1] else { return nil }
                    high = last
                } else if pieces.count == 1 {
                    high = first
                }
            }
            guard low >= range.lowerBound, high <= range.upperBound, low <= high else { return nil }
            for number in stride(from: low, through: high, by: step) { result |= 1 << UInt64(number) }
        }
        return result
    }

    /// The first minute after `last` at which the zone's clocks show what the fields allow, within five years: nothing in an hour
    /// that the clocks skip, and again in one that they show twice.
    func next(after last: Int64, in zone: ZoneRules) -> Int64? {
        var first = last + 1
        while first <= last + Self.horizon {
            let segment = zone.segment(at: first)
            guard let local = next(after: first - 1 + segment.offset) else { return nil }
            let moment = local - segment.offset
            if moment < segment.end { return moment }
            first = segment.end
        }
        return nil
    }

    private static let horizon: Int64 = 5 * 366 * 24 * 3600

    /// The first second after `last` (local seconds since 1970) that all fields allow, within five years.
    private func next(after last: Int64) -> Int64? {
        var minute = last / 60 + 1
        let limit = minute + Self.horizon / 60
        while minute < limit {
            let day = minute / 1440
            guard allows(day: day) else {
                minute = (day + 1) * 1440
                continue
            }
            let hour = minute / 60
            guard hours >> UInt64(hour % 24) & 1 == 1 else {
                minute = (hour + 1) * 60
                continue
            }
            if minutes >> UInt64(minute % 60) & 1 == 1 { return minute * 60 }
            minute += 1
        }
        return nil
    }

    private func allows(day: Int64) -> Bool {
        let (month, dayOfMonth) = Self.date(day)
        guard months >> UInt64(month) & 1 == 1 else { return false }
        let dayMatches = days >> UInt64(dayOfMonth) & 1 == 1
        let weekdayMatches = weekdays >> UInt64((day + 4) % 7) & 1 == 1
        // With both restricted, either one is enough.
        return anyDay || anyWeekday ? dayMatches && weekdayMatches : dayMatches || weekdayMatches
    }

    /// Month and day of the month, from days since 1970 (civil-from-days over 400-year eras that begin in March).
    private static func date(_ day: Int64) -> (month: Int64, day: Int64) {
        let shifted = day + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        return (marchMonth < 10 ? marchMonth + 3 : marchMonth - 9, dayOfMonth)
    }
}
