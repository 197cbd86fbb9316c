import Engine
import History
import Testing

@Suite("A schedule's spec is checked and kept in numbers")
struct SpecTests {
    private func spec(_ change: (inout ScheduleSpecRequest) -> Void) throws(ScheduleProblem) -> ScheduleSpec {
        var request = ScheduleSpecRequest()
        change(&request)
        return try ScheduleSpec(request)
    }

    @Test("A line of cron becomes a calendar with its comment")
    func cron() throws {
        let spec = try spec {
            $0.cronLines = ["0 12 * * MON-FRI # lunch", "5 4 1,15 * *", "*/15 * * * *", "30 1 2 3 4 * 2030"]
        }
        #expect(
            spec.calendars[0]
                == ScheduleCalendar(
                    second: [CalendarRange(0)], minute: [CalendarRange(0)], hour: [CalendarRange(12)],
                    dayOfMonth: [CalendarRange(1, 31)], month: [CalendarRange(1, 12)], dayOfWeek: [CalendarRange(1, 5)],
                    comment: "lunch"))
        #expect(spec.calendars[1].dayOfMonth == [CalendarRange(1), CalendarRange(15)])
        #expect(spec.calendars[2].minute == [CalendarRange(0, 59, step: 15)])
        #expect(spec.calendars[2].hour == [CalendarRange(0, 23)])
        #expect(spec.calendars[3].second == [CalendarRange(30)])
        #expect(spec.calendars[3].year == [CalendarRange(2030)])
    }

    @Test(
        "Names, Sundays and steps",
        arguments: [
            ("0 0 * JAN,dec 7", [CalendarRange(1), CalendarRange(12)], [CalendarRange(0)]),
            ("0 0 * 3-11/2 5-7", [CalendarRange(3, 11, step: 2)], [CalendarRange(0), CalendarRange(5, 6)]),
            ("0 0 ? 6/3 sun-sat", [CalendarRange(6, 12, step: 3)], [CalendarRange(0, 6)]),
            ("@weekly", [CalendarRange(1, 12)], [CalendarRange(0)]),
            ("@yearly", [CalendarRange(1)], [CalendarRange(0, 6)]),
        ])
    func names(_ line: String, _ months: [CalendarRange], _ weekdays: [CalendarRange]) throws {
        let calendar = try spec { $0.cronLines = [line] }.calendars[0]
        #expect(calendar.month == months)
        #expect(calendar.dayOfWeek == weekdays)
    }

    @Test("@every becomes an interval, behind those that are given as such")
    func every() throws {
        let spec = try spec {
            $0.cronLines = ["@every 10m/3m", "@every 1h30m"]
            $0.intervals = [ScheduleInterval(every: .hours(1), phase: .minutes(5))]
        }
        #expect(
            spec.intervals == [
                ScheduleInterval(every: .hours(1), phase: .minutes(5)),
                ScheduleInterval(every: .minutes(10), phase: .minutes(3)), ScheduleInterval(every: .minutes(90)),
            ])
    }

    @Test("The zone of the lines is the zone of the spec")
    func zone() throws {
        #expect(try spec { $0.cronLines = ["CRON_TZ=Europe/Berlin 5 4 * * *"] }.zoneName == "Europe/Berlin")
        #expect(
            try spec {
                $0.cronLines = ["5 4 * * *"]
                $0.zoneName = "Asia/Tokyo"
            }.zoneName == "Asia/Tokyo")
    }

    @Test(
        "What cannot be is refused in words",
        arguments: [
            ("x y", "CronString does not have 5-7 fields"), ("* * * *", "CronString does not have 5-7 fields"),
            ("@never", "CronString has unrecognized time descriptor: @never"),
            ("60 * * * *", "invalid calendar spec: Minute is not in range [0-59]: 60"),
            ("* * 5-2 * *", "invalid calendar spec: DayOfMonth is not in range [1-31]: 5-2"),
            ("@every x", "CronString does not have an interval after @every"), ("@every 5ms", "interval is too small"),
            ("@every 5m/6m", "phase cannot be greater than Interval"),
        ])
    func refused(_ line: String, _ message: String) {
        #expect(throws: ScheduleProblem(message)) { try spec { $0.cronLines = [line] } }
    }

    @Test("Numbers out of range are named one by one")
    func ranges() {
        #expect(
            throws: ScheduleProblem(
                "invalid calendar spec: Hour Start is not in range [0-23], Hour End is before Start or not in range [0-23]"
            )
        ) { try spec { $0.calendars = [ScheduleCalendar(hour: [CalendarRange(25)])] } }
        #expect(throws: ScheduleProblem("conflicting timezone names")) {
            try spec { $0.cronLines = ["CRON_TZ=Europe/Berlin 5 4 * * *", "1 * * * *"] }
        }
        #expect(throws: ScheduleProblem("interval is too small")) {
            try spec { $0.intervals = [ScheduleInterval(every: .milliseconds(5))] }
        }
    }

    @Test("A range without an end is one number, and a step of nothing is one")
    func canonical() throws {
        let spec = try spec { $0.calendars = [ScheduleCalendar(hour: [CalendarRange(7, 0, step: 0)])] }
        #expect(spec.calendars[0].hour == [CalendarRange(7)])
        #expect(spec.calendars[0].second == [CalendarRange(0)])
        #expect(spec.calendars[0].year == [])
    }

    @Test("Bytes that are no zone file make no zone")
    func zoneFile() {
        #expect(ZoneRules(zoneFile: []) == nil)
        #expect(ZoneRules(zoneFile: Array("TZif2".utf8) + [UInt8](repeating: 255, count: 60)) == nil)
    }
}
