import Engine
import Foundation
import History
import RunTestKit
import Testing

/// What a spec says, with the zone files of this machine.
func times(
    seed: String = "ns-id", _ change: (inout ScheduleSpecRequest) -> Void
) throws -> ScheduleTimes {
    var request = ScheduleSpecRequest()
    change(&request)
    let spec = try ScheduleSpec(request)
    return ScheduleTimes(spec, zone: try zone(spec.zoneName), seed: seed)
}

func zone(_ name: String) throws -> ZoneRules {
    if name.isEmpty || name == "UTC" { return .utc }
    let bytes = try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)"))
    return try #require(ZoneRules(zoneFile: [UInt8](bytes)))
}

extension Timestamp {
    init(seconds: Int64) { self.init(nanoseconds: seconds * 1_000_000_000) }
    var seconds: Int64 { nanoseconds / 1_000_000_000 }

    /// From `2026-11-21T08:00:00Z`.
    init(_ text: String) throws { self.init(seconds: Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)) }
}

@Suite("Calendars say when")
struct CalendarTests {
    @Test("Calendars agree with an independent count over every second", arguments: CalendarFact.all)
    func facts(_ fact: CalendarFact) throws {
        let times = try EngineTests.times {
            $0.cronLines = [fact.cron]
            $0.zoneName = fact.zone
        }
        let found = times.times(
            after: Timestamp(seconds: fact.start), through: Timestamp(seconds: fact.end), limit: fact.limit)
        #expect(found.map(\.nominal.seconds) == fact.moments, "\(fact.name)")
    }

    @Test(
        "A zone's offset is what the system's C library says, over two hundred years",
        arguments: [
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Tehran",
            "Africa/Casablanca",
            "America/St_Johns", "Antarctica/Troll", "Europe/Dublin", "Asia/Gaza",
        ])
    func offsets(_ name: String) throws {
        let zone = try zone(name)
        let system = try #require(TimeZone(identifier: name))
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            let second = Int64(random.next() % 6_300_000_000) - 2_200_000_000
            let expected = system.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
            // Foundation rounds the odd offsets before standard time; what matters are the modern ones.
            if second > 0 { #expect(zone.offset(at: second) == Int64(expected), "\(name) at \(second)") }
        }
    }

    @Test("An interval counts from 1970, moved by its phase")
    func interval() throws {
        let times = try EngineTests.times {
            $0.intervals = [ScheduleInterval(every: .minutes(60), phase: .minutes(5))]
        }
        let first = try #require(times.next(after: try Timestamp("2026-11-21T08:04:59Z")))
        #expect(first.nominal == (try Timestamp("2026-11-21T08:05:00Z")))
        #expect(times.next(after: first.nominal)?.nominal == (try Timestamp("2026-11-21T09:05:00Z")))
        #expect(first.actual == first.nominal)
    }

    @Test("Parts of a spec are taken together, and what coincides counts once")
    func together() throws {
        let times = try EngineTests.times {
            $0.cronLines = ["0 * * * *", "*/30 * * * *"]
            $0.intervals = [ScheduleInterval(every: .minutes(20))]
        }
        let start = try Timestamp("2026-11-21T08:00:00Z")
        let found = times.times(after: start, through: start.advanced(by: .hours(1)), limit: 100)
        #expect(found.map { $0.nominal.since(start).nanoseconds / 60_000_000_000 } == [20, 30, 40, 60])
    }

    @Test("Excluded times are left out, whole days at once")
    func excluded() throws {
        let times = try EngineTests.times {
            $0.intervals = [ScheduleInterval(every: .seconds(1))]
            $0.excluded = [
                ScheduleCalendar(
                    second: [CalendarRange(0, 59)], minute: [CalendarRange(0, 59)], hour: [CalendarRange(0, 23)],
                    month: [CalendarRange(1, 11)])
            ]
        }
        let next = try #require(times.next(after: try Timestamp("2026-01-01T00:00:00Z")))
        #expect(next.nominal == (try Timestamp("2026-12-01T00:00:00Z")))
    }

    @Test("A spec that excludes everything has no next time, and says so soon")
    func nothing() throws {
        let times = try EngineTests.times {
            $0.intervals = [ScheduleInterval(every: .seconds(1))]
            $0.excluded = [
                ScheduleCalendar(
                    second: [CalendarRange(0, 59, step: 2)], minute: [CalendarRange(0, 59)],
                    hour: [CalendarRange(0, 23)]),
                ScheduleCalendar(
                    second: [CalendarRange(1, 59, step: 2)], minute: [CalendarRange(0, 59)],
                    hour: [CalendarRange(0, 23)]),
            ]
        }
        #expect(times.next(after: .zero) == nil)
        let never = try ScheduleTimes(ScheduleSpec(ScheduleSpecRequest()), zone: .utc, seed: "")
        #expect(never.next(after: .zero) == nil)
        let february30 = try EngineTests.times { $0.cronLines = ["0 0 30 2 *"] }
        #expect(february30.next(after: .zero) == nil)
    }

    @Test("Start and end belong to the schedule")
    func bounds() throws {
        let start = try Timestamp("2026-11-21T08:00:00Z")
        let times = try EngineTests.times {
            $0.intervals = [ScheduleInterval(every: .minutes(10))]
            $0.startTime = start
            $0.endTime = start.advanced(by: .minutes(20))
        }
        let found = times.times(after: .zero, through: .distantFuture, limit: 10)
        #expect(found.map(\.nominal) == [start, start.advanced(by: .minutes(10)), start.advanced(by: .minutes(20))])
    }

    @Test("Jitter is whole milliseconds below its bound and below the gap, and the same each time", arguments: 1...20)
    func jitter(seed: Int) throws {
        let request: (inout ScheduleSpecRequest) -> Void = {
            $0.intervals = [ScheduleInterval(every: .seconds(10))]
            $0.cronLines = ["0 * * * *"]
            $0.jitter = seed.isMultiple(of: 2) ? .seconds(60) : .milliseconds(Int64(seed) * 100)
        }
        let times = try EngineTests.times(seed: "schedule-\(seed)", request)
        let again = try EngineTests.times(seed: "schedule-\(seed)", request)
        let other = try EngineTests.times(seed: "other-\(seed)", request)
        var delays: Set<Int64> = []
        var differs = false
        for time in times.times(after: .zero, through: .distantFuture, limit: 200) {
            let before = Timestamp(nanoseconds: time.nominal.nanoseconds - 1)
            let delay = time.actual.since(time.nominal).nanoseconds
            let bound = min(10_000_000_000, seed.isMultiple(of: 2) ? 60_000_000_000 : Int64(seed) * 100_000_000)
            #expect(delay >= 0 && delay < bound && delay % 1_000_000 == 0, "seed \(seed): \(delay)")
            #expect(again.next(after: before) == time, "seed \(seed)")
            differs = differs || other.next(after: before) != time
            delays.insert(delay)
        }
        #expect(delays.count > 50, "seed \(seed)")
        #expect(differs, "seed \(seed)")
    }

    @Test("A thousand times of a dense schedule in a zone are found quickly")
    func bounded() throws {
        let times = try EngineTests.times {
            $0.cronLines = ["CRON_TZ=Europe/Berlin 0 3 29 2 MON"]
        }
        let found = times.times(after: .zero, through: .distantFuture, limit: 1000)
        #expect(found.count == 4)
    }
}
