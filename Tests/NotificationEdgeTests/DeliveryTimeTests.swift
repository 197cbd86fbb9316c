import Engine
import Testing

@testable import Activities

private let zones = DeliveryZones()

private func second(_ text: String) -> Int64 {
    // yyyy-mm-dd hh:mm, UTC
    let parts = text.split(whereSeparator: { !$0.isNumber }).compactMap { Int64($0) }
    let (year, month, day) = (parts[1] <= 2 ? parts[0] - 1 : parts[0], (parts[1] + 9) % 12, parts[2])
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468
    return days * 86_400 + parts[3] * 3600 + parts[4] * 60
}

private func minutes(_ text: String) -> Int {
    let parts = text.split(separator: ":").compactMap { Int($0) }
    return parts[0] * 60 + parts[1]
}

@Suite("Delivery time")
struct DeliveryTimeTests {
    struct Row: Sendable, CustomStringConvertible {
        var zone: String
        var notBefore: String
        var quiet: (String, String)?
        var window: (String, String)?
        var days: [Int] = []
        var expected: String
        var description: String { "\(zone) \(notBefore)" }
    }

    @Test(
        "The table: moments in UTC",
        arguments: [
            // 23:10 in Shanghai waits for 08:00.
            Row(
                zone: "Asia/Shanghai", notBefore: "2026-11-21 15:10", quiet: ("22:00", "08:00"),
                expected: "2026-11-22 00:00"),
            Row(
                zone: "Asia/Shanghai", notBefore: "2026-11-22 00:00", quiet: ("22:00", "08:00"),
                expected: "2026-11-22 00:00"),
            Row(
                zone: "Asia/Shanghai", notBefore: "2026-11-21 13:59", quiet: ("22:00", "08:00"),
                expected: "2026-11-21 13:59"),
            // The clocks skip 02:30: 03:00 it is.
            Row(
                zone: "Europe/Berlin", notBefore: "2026-03-29 00:10", window: ("02:30", "06:00"),
                expected: "2026-03-29 01:00"),
            // 02:30 comes twice: the first one.
            Row(
                zone: "Europe/Berlin", notBefore: "2026-10-24 23:00", window: ("02:30", "06:00"),
                expected: "2026-10-25 00:30"),
            // Asked in the second 02:10: the second 02:30.
            Row(
                zone: "Europe/Berlin", notBefore: "2026-10-25 01:10", window: ("02:30", "06:00"),
                expected: "2026-10-25 01:30"),
            Row(
                zone: "Asia/Kolkata", notBefore: "2026-06-01 00:00", window: ("09:00", "18:00"),
                expected: "2026-06-01 03:30"),
            Row(
                zone: "Asia/Kathmandu", notBefore: "2026-06-01 00:00", window: ("09:00", "18:00"),
                expected: "2026-06-01 03:15"),
            // Half an hour forward at 02:00.
            Row(
                zone: "Australia/Lord_Howe", notBefore: "2026-10-03 15:00", window: ("02:15", "03:00"),
                expected: "2026-10-03 15:30"),
            // Friday evening, working days only: Monday.
            Row(
                zone: "Europe/Berlin", notBefore: "2026-11-20 18:00", window: ("09:00", "17:00"),
                days: [1, 2, 3, 4, 5],
                expected: "2026-11-23 08:00"),
            // A window over midnight belongs to the day on which it begins: Saturday 01:00 is still Friday's.
            Row(
                zone: "UTC", notBefore: "2026-11-21 01:00", window: ("22:00", "02:00"), days: [5],
                expected: "2026-11-21 01:00"),
            Row(
                zone: "UTC", notBefore: "2026-11-21 02:00", window: ("22:00", "02:00"), days: [5],
                expected: "2026-11-27 22:00"),
            // A window and quiet hours together.
            Row(
                zone: "UTC", notBefore: "2026-11-21 05:00", quiet: ("22:00", "08:00"), window: ("06:00", "24:00"),
                expected: "2026-11-21 08:00"),
        ])
    func table(row: Row) throws {
        let window = row.window.map {
            DeliveryWindow(days: row.days, fromMinute: minutes($0.0), untilMinute: minutes($0.1))
        }
        let quiet = row.quiet.map { QuietHours(fromMinute: minutes($0.0), untilMinute: minutes($0.1)) }
        let found = DeliveryTime().nextOpening(
            notBefore: Double(second(row.notBefore)), window: window, quietHours: quiet, timeZone: row.zone)
        #expect(found == Double(second(row.expected)), "expected \(second(row.expected))")
    }

    @Test("A window without an open minute never opens")
    func neverOpens() {
        let schedule = DeliveryTime()
        let early = DeliveryWindow(fromMinute: 60, untilMinute: 120)
        let night = QuietHours(fromMinute: 0, untilMinute: 300)
        #expect(schedule.nextOpening(notBefore: 0, window: early, quietHours: night, timeZone: "UTC") == nil)
        #expect(
            schedule.nextOpening(
                notBefore: 0, window: DeliveryWindow(days: [9], fromMinute: 0, untilMinute: 60), quietHours: nil,
                timeZone: "UTC") == nil)
        // The whole day: open at once.
        #expect(
            schedule.nextOpening(
                notBefore: 5.5, window: DeliveryWindow(fromMinute: 60, untilMinute: 60), quietHours: nil,
                timeZone: "UTC") == 5.5)
    }

    @Test("A window in a zone of its own and quiet hours in the recipient's hold together")
    func twoZones() {
        // 09:00 to 18:00 in Berlin is 16:00 to 01:00 in Shanghai in winter; quiet there from 22:00 to 08:00.
        let window = DeliveryWindow(fromMinute: 9 * 60, untilMinute: 18 * 60, timeZone: "Europe/Berlin")
        let quiet = QuietHours(fromMinute: 22 * 60, untilMinute: 8 * 60)
        let found = DeliveryTime().nextOpening(
            notBefore: Double(second("2026-11-21 14:30")), window: window, quietHours: quiet, timeZone: "Asia/Shanghai")
        #expect(found == Double(second("2026-11-22 08:00")))
    }

    @Test("Without a zone that is known, recipients have the default")
    func missingZone() throws {
        let window = DeliveryWindow(fromMinute: 9 * 60, untilMinute: 10 * 60)
        let found = DeliveryTime(standardZone: "Asia/Kolkata").nextOpening(
            notBefore: 0, window: nil, quietHours: QuietHours(fromMinute: 0, untilMinute: 9 * 60), timeZone: "")
        #expect(found == 3.5 * 3600)
        #expect(
            DeliveryTime().nextOpening(notBefore: 0, window: window, quietHours: nil, timeZone: "../../etc/passwd")
                == 32_400.0)
    }

    /// Goal: the answer is open, and every whole minute before it is not.
    ///
    /// Method: random windows and quiet hours near changes of the clocks; walk minute by minute with nothing but the offset.
    @Test("The answer is never inside quiet hours and never later than necessary", arguments: UInt64(0)..<120)
    func bruteForce(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let names = [
            "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC",
            "Pacific/Apia", "Africa/Casablanca",
        ]
        let name = names[Int.random(in: 0..<names.count, using: &random)]
        let zone = try #require(zones.zone(named: name))
        var start = Int64.random(in: 1_700_000_000...1_900_000_000, using: &random) / 60 * 60
        if let change = zone.nextChange(after: start) {
            start = (change - Int64.random(in: -180...600, using: &random) * 60) / 60 * 60
        }
        func minute(_ random: inout SplitMix) -> Int { Int.random(in: 0..<96, using: &random) * 15 }
        let (quietFrom, quietUntil) = (minute(&random), minute(&random))
        let quiet = Bool.random(using: &random) ? QuietHours(fromMinute: quietFrom, untilMinute: quietUntil) : nil
        let days = (1...7).filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
        let (from, until) = (minute(&random), minute(&random))
        let window =
            Bool.random(using: &random) ? DeliveryWindow(days: days, fromMinute: from, untilMinute: until) : nil
        func lies(_ minute: Int, _ from: Int, _ until: Int) -> (today: Bool, yesterday: Bool) {
            from < until ? (minute >= from && minute < until, false) : (minute >= from, minute < until)
        }
        func isOpen(_ second: Int64) -> Bool {
            let local = second + zone.offset(at: second)
            let (minute, day) = (Int(local / 60 % 1440), Int((local / 86_400 + 3) % 7) + 1)
            if let quiet, quiet.fromMinute != quiet.untilMinute {
                let place = lies(minute, quiet.fromMinute, quiet.untilMinute)
                if place.today || place.yesterday { return false }
            }
            guard let window else { return true }
            let allowed = window.days.isEmpty ? Array(1...7) : window.days
            let place = lies(minute, window.fromMinute, window.untilMinute)
            return (place.today && allowed.contains(day)) || (place.yesterday && allowed.contains((day + 5) % 7 + 1))
        }
        var expected: Int64?
        for minute in 0..<Int64(15 * 1440) where isOpen(start + minute * 60) {
            expected = start + minute * 60
            break
        }
        let found = DeliveryTime().nextOpening(
            notBefore: Double(start), window: window, quietHours: quiet, timeZone: name)
        #expect(found == expected.map { Double($0) }, "seed \(seed) in \(name)")
    }
}

/// A small seeded generator.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0xABCD }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
