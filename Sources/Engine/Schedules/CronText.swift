/// A line of cron as schedules understand it: five fields, six with a year, seven with seconds; `@every`, `@daily` and the
/// like; a zone before it (`CRON_TZ=Europe/Berlin 5 4 * * *`) and a comment behind it (`# lunch`).
struct CronText {
    enum Meaning {
        case calendar(ScheduleCalendar)
        case interval(ScheduleInterval)
    }

    var meaning: Meaning
    /// Empty when the line names none.
    var zone = ""

    init(_ line: String) throws(ScheduleProblem) {
        var text = Substring(line)
        var comment = ""
        if let hash = text.firstIndex(of: "#") {
            comment = String(Self.trimmed(text[text.index(after: hash)...]))
            text = text[..<hash]
        }
        var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        for prefix in ["CRON_TZ=", "TZ="] {
            guard let first = words.first, first.hasPrefix(prefix) else { continue }
            zone = String(first.dropFirst(prefix.count))
            words.removeFirst()
            break
        }
        if words.first == "@every" {
            meaning = .interval(try Self.every(words.dropFirst().joined(separator: " ")))
            return
        }
        if let first = words.first, first.hasPrefix("@") {
            guard words.count == 1, let spelled = Self.names[first.lowercased()] else {
                throw ScheduleProblem("CronString has unrecognized time descriptor: \(first)")
            }
            words = spelled.split(separator: " ").map(String.init)
        }
        meaning = .calendar(try Self.calendar(words, comment: comment))
    }

    private static let names = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    private static func calendar(_ words: [String], comment: String) throws(ScheduleProblem) -> ScheduleCalendar {
        var fields = words
        var text = CalendarText(comment: comment)
        switch fields.count {
        case 5: break
        case 6: text.year = fields.removeLast()
        case 7:
            text.second = fields.removeFirst()
            text.year = fields.removeLast()
        default: throw ScheduleProblem("CronString does not have 5-7 fields")
        }
        text.minute = fields[0]
        text.hour = fields[1]
        text.dayOfMonth = fields[2]
        text.month = fields[3]
        text.dayOfWeek = fields[4]
        return try text.structured()
    }

    /// `90s`, or with a phase `1h/5m`.
    private static func every(_ text: String) throws(ScheduleProblem) -> ScheduleInterval {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let every = DurationText.span(parts[0]) else {
            throw ScheduleProblem("CronString does not have an interval after @every")
        }
        var interval = ScheduleInterval(every: every)
        if parts.count == 2 {
            guard let phase = DurationText.span(parts[1]) else {
                throw ScheduleProblem("CronString does not have a phase after the interval")
            }
            interval.phase = phase
        }
        return interval
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var rest = text.drop { $0.isWhitespace }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return rest
    }
}
