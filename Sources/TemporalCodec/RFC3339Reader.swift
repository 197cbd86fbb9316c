public import History

extension Timestamp {
    /// Reads a date with a time and an offset, with up to nine decimals (RFC 3339); nil for anything else.
    public init?(rfc3339 text: String) {
        guard let time = RFC3339Reader.time(text) else { return nil }
        self = time
    }
}

private enum RFC3339Reader {
    static func time(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        func has(_ mark: Character, _ index: Int) -> Bool { index < bytes.count && bytes[index] == mark.asciiValue }
        guard let year = number(0..<4), has("-", 4), let month = number(5..<7), has("-", 7), let day = number(8..<10),
            has("T", 10) || has("t", 10), let hour = number(11..<13), has(":", 13), let minute = number(14..<16),
            has(":", 16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second < 60
        else { return nil }
        let days = daysSince1970(year, month, day)
        guard date(daysSince1970: days) == (year, month, day) else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if has(".", index) {
            let end = bytes[(index + 1)...].firstIndex { !(48...57).contains($0) } ?? bytes.count
            guard (1...9).contains(end - index - 1), let digits = number((index + 1)..<end) else { return nil }
            fraction = digits
            for _ in (end - index - 1)..<9 { fraction *= 10 }
            index = end
        }
        var offset: Int64 = 0
        if has("+", index) || has("-", index) {
            guard bytes.count == index + 6, let hours = number((index + 1)..<(index + 3)), has(":", index + 3),
                let minutes = number((index + 4)..<(index + 6)), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (has("-", index) ? -60 : 60)
        } else {
            guard bytes.count == index + 1, has("Z", index) || has("z", index) else { return nil }
        }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Beyond what a moment can hold, its end.
        if overflow { return Timestamp(nanoseconds: seconds < 0 ? .min : .max) }
        let (sum, tooMuch) = whole.addingReportingOverflow(fraction)
        return Timestamp(nanoseconds: tooMuch ? .max : sum)
    }

    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    /// Counts in eras of 400 years that begin on 1 March, so that leap days come last.
    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let ofEra = shifted % 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * ofYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
