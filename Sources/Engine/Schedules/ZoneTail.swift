/// The rule for a zone's future, as zone files end with: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX's `TZ`).
struct ZoneTail: Hashable, Sendable {
    /// When in a year the clocks change.
    enum Day: Hashable, Sendable {
        /// The `week`th (5 = last) `weekday` of a month.
        case weekday(month: Int, week: Int, weekday: Int)
        /// Day 1 … 365; 29 February is never counted.
        case leaplessDay(Int)
        /// Day 0 … 365, leap days included.
        case day(Int)

        func daysSince1970(in year: Int) -> Int {
            let newYear = CivilDate(year: year, month: 1, day: 1).daysSince1970
            switch self {
            case .weekday(let month, let week, let weekday):
                let first = CivilDate(year: year, month: month, day: 1).daysSince1970
                var day = 1 + (weekday - CivilDate.weekday(daysSince1970: first) + 7) % 7 + (week - 1) * 7
                if day > CivilDate.days(inMonth: month, of: year) { day -= 7 }
                return first + day - 1
            case .leaplessDay(let number):
                return newYear + number - 1 + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
            case .day(let number): return newYear + number
            }
        }
    }

    struct Change: Hashable, Sendable {
        var day: Day
        /// Seconds after midnight by the clocks before the change; may be negative or more than a day.
        var time: Int64
    }

    struct Summer: Hashable, Sendable {
        var offset: Int64
        var begins: Change
        var ends: Change
    }

    var offset: Int64
    var summer: Summer?

    func segment(at second: Int64) -> ZoneRules.Segment {
        guard let summer else { return ZoneRules.Segment(start: .min, end: .max, offset: offset) }
        let year = CivilDate(daysSince1970: floorDivide(Int(second), 86_400)).year
        var changes: [(moment: Int64, offset: Int64)] = []
        for near in (year - 1)...(year + 1) {
            changes.append((moment(summer.begins, in: near, before: offset), summer.offset))
            changes.append((moment(summer.ends, in: near, before: summer.offset), offset))
        }
        changes.sort { $0.moment < $1.moment }
        var segment = ZoneRules.Segment(start: .min, end: .max, offset: offset)
        for change in changes {
            if change.moment > second {
                segment.end = change.moment
                break
            }
            segment.start = change.moment
            segment.offset = change.offset
        }
        return segment
    }

    private func moment(_ change: Change, in year: Int, before offset: Int64) -> Int64 {
        Int64(change.day.daysSince1970(in: year)) * 86_400 + change.time - offset
    }
}

extension ZoneTail {
    /// - Returns: nil for text that is not such a rule.
    init?(_ text: String) {
        var reader = Reader(rest: Substring(text))
        guard reader.name(), let standard = reader.offset() else { return nil }
        offset = -standard
        guard !reader.rest.isEmpty else { return }
        guard reader.name() else { return nil }
        var summerOffset = offset + 3600
        if reader.rest.first != "," {
            guard let given = reader.offset() else { return nil }
            summerOffset = -given
        }
        guard let begins = reader.change(), let ends = reader.change(), reader.rest.isEmpty else { return nil }
        summer = Summer(offset: summerOffset, begins: begins, ends: ends)
    }

    private struct Reader {
        var rest: Substring

        /// `CET`, or `<+03>`.
        mutating func name() -> Bool {
            if rest.first == "<" {
                guard let end = rest.firstIndex(of: ">") else { return false }
                rest = rest[rest.index(after: end)...]
                return true
            }
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        mutating func takes(_ sign: Character) -> Bool {
            guard rest.first == sign else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func number() -> Int? {
            let digits = rest.prefix { $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return digits.count <= 3 ? Int(digits) : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func offset() -> Int64? {
            let isNegative = takes("-")
            if !isNegative { _ = takes("+") }
            guard let hours = number() else { return nil }
            var seconds = hours * 3600
            if takes(":") {
                guard let minutes = number() else { return nil }
                seconds += minutes * 60
                if takes(":") {
                    guard let more = number() else { return nil }
                    seconds += more
                }
            }
            return Int64(isNegative ? -seconds : seconds)
        }

        mutating func change() -> Change? {
            guard takes(","), let day = day() else { return nil }
            guard takes("/") else { return Change(day: day, time: 7200) }
            return offset().map { Change(day: day, time: $0) }
        }

        private mutating func day() -> Day? {
            if takes("M") {
                guard let month = number(), takes("."), let week = number(), takes("."), let weekday = number(),
                    (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
                else { return nil }
                return .weekday(month: month, week: week, weekday: weekday)
            }
            if takes("J") { return number().flatMap { (1...365).contains($0) ? .leaplessDay($0) : nil } }
            return number().flatMap { (0...365).contains($0) ? .day($0) : nil }
        }
    }
}
