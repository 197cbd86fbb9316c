/// The minutes of a week that are open, as local clocks show them. Minute 0 is Monday, 00:00.
struct WeekPlan: Hashable, Sendable {
    static let minutesADay = 1440
    static let minutesAWeek = 7 * minutesADay

    private let isOpen: [Bool]

    var isNeverOpen: Bool { !self.isOpen.contains(true) }

    /// A stretch over midnight belongs to the day on which it begins.
    init(window: DeliveryWindow) {
        var minutes = [Bool](repeating: false, count: Self.minutesAWeek)
        for day in window.days.isEmpty ? Array(1...7) : window.days where (1...7).contains(day) {
            Self.mark(window.fromMinute, window.untilMinute, day - 1, true, &minutes)
        }
        self.isOpen = minutes
    }

    /// Quiet hours that begin when they end are none.
    init(quietHours: QuietHours) {
        var minutes = [Bool](repeating: true, count: Self.minutesAWeek)
        if quietHours.fromMinute != quietHours.untilMinute {
            for day in 0..<7 { Self.mark(quietHours.fromMinute, quietHours.untilMinute, day, false, &minutes) }
        }
        self.isOpen = minutes
    }

    private static func mark(_ from: Int, _ until: Int, _ day: Int, _ value: Bool, _ minutes: inout [Bool]) {
        let length = until > from ? until - from : until + self.minutesADay - from
        for offset in 0..<min(max(length, 0), self.minutesADay) {
            minutes[(day * self.minutesADay + max(from, 0) + offset) % self.minutesAWeek] = value
        }
    }

    /// Seconds from a local time to the next one that is open, by a clock that nobody sets; 0 when it is open, nil when none is.
    func secondsToOpening(fromLocal second: Int64) -> Int64? {
        let start = Self.minute(ofLocal: second)
        if self.isOpen[start] { return 0 }
        let intoMinute = Self.modulo(second, 60)
        for offset in 1...Self.minutesAWeek where self.isOpen[(start + offset) % Self.minutesAWeek] {
            return Int64(offset) * 60 - intoMinute
        }
        return nil
    }

    /// 1 January 1970 was a Thursday.
    private static func minute(ofLocal second: Int64) -> Int {
        Int(self.modulo(second + 3 * 86_400, Int64(self.minutesAWeek) * 60) / 60)
    }

    private static func modulo(_ number: Int64, _ divisor: Int64) -> Int64 {
        let rest = number % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
