import History
import TemporalCodec

/// Moments as text: `2026-11-21T08:00:00.123Z`.
enum RFC3339 {
    static func text(_ time: Timestamp) -> String {
        let milliseconds = (time.nanoseconds / 1_000_000) % 1000
        let seconds = time.nanoseconds / 1_000_000_000
        let (year, month, day) = date(daysSince1970: seconds / 86_400)
        let ofDay = seconds % 86_400
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(ofDay / 3600, 2)):\(pad(ofDay / 60 % 60, 2)):"
            + "\(pad(ofDay % 60, 2)).\(pad(milliseconds, 3))Z"
    }

    /// Reads a date with a time and an offset, with up to nine decimals; nil for anything else.
    static func time(_ text: String) -> Timestamp? { Timestamp(rfc3339: text) }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
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
