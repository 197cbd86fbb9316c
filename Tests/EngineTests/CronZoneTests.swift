import Engine
import History
import RunTestKit
import Testing

@Suite("Cron workflows in a time zone")
struct CronZoneTests {
    /// When the first runs of `schedule` do their first tasks, in UTC.
    private func moments(_ schedule: String, from start: String, count: Int) throws -> [Timestamp] {
        var driver = RunDriver(at: try Timestamp(start))
        driver.zones = CronZones(["Europe/Berlin", "America/New_York"]) { try? zone($0) }
        try driver.start { $0.cronSchedule = schedule }
        var found: [Timestamp] = []
        while found.count < count {
            try driver.passToDeadline()
            found.append(driver.now)
            try driver.work(.completeWorkflowExecution(result: nil))
            guard let next = driver.successors.last else { break }
            var follower = RunDriver(at: driver.now)
            follower.zones = driver.zones
            try follower.handle(.start(next))
            driver = follower
        }
        return found
    }

    private func check(_ schedule: String, from start: String, _ expected: [String]) throws {
        let expected = try expected.map { try Timestamp($0) }
        #expect(try moments(schedule, from: start, count: expected.count) == expected, "\(schedule)")
    }

    @Test("The zone's clocks say when, in summer and in winter")
    func summerAndWinter() throws {
        for prefix in ["CRON_TZ=", "TZ="] {
            try check(
                "\(prefix)Europe/Berlin 0 9 * * *", from: "2026-03-27T12:00:00Z",
                ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"])
        }
        try check("CRON_TZ=UTC 0 9 * * *", from: "2026-03-27T12:00:00Z", ["2026-03-28T09:00:00Z"])
        try check("CRON_TZ=America/New_York @daily", from: "2026-01-01T00:00:00Z", ["2026-01-01T05:00:00Z"])
    }

    @Test("Nothing happens at a time that the clocks skip")
    func gap() throws {
        try check(
            "CRON_TZ=America/New_York 30 2 * * *", from: "2026-03-07T12:00:00Z",
            ["2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"])
        try check(
            "CRON_TZ=America/New_York 0 * * * *", from: "2026-03-08T06:30:00Z",
            ["2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"])
    }

    @Test("A time that the clocks show twice counts twice")
    func overlap() throws {
        try check(
            "CRON_TZ=America/New_York 0 1 * * *", from: "2026-11-01T04:00:00Z",
            ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-02T06:00:00Z"])
        try check(
            "CRON_TZ=America/New_York */30 1 * * *", from: "2026-11-01T04:50:00Z",
            ["2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z"])
    }

    @Test("A zone that there is not is named in the refusal")
    func unknownZone() throws {
        #expect(throws: Rejection.invalid("invalid CronSchedule: unknown time zone Nope/No.")) {
            var driver = RunDriver()
            try driver.start { $0.cronSchedule = "CRON_TZ=Nope/No 0 9 * * *" }
        }
        #expect(throws: Rejection.invalid("invalid CronSchedule.")) {
            var driver = RunDriver()
            try driver.start { $0.cronSchedule = "CRON_TZ=UTC" }
        }
        var parent = RunDriver()
        try parent.start()
        var wish = StartChildWorkflow(workflowID: "child", workflowType: "Child")
        wish.cronSchedule = "TZ=Nope/No @daily"
        let transition = try parent.work(.startChildWorkflow(wish))
        guard case .rejected(let rejection) = transition.reply else {
            Issue.record("a child in no zone was asked for")
            return
        }
        #expect(rejection.message.hasSuffix("unknown time zone Nope/No."))
    }

    @Test("A command says which zones it needs")
    func zonesOfACommand() throws {
        var attributes = RunDriver.attributes()
        attributes.cronSchedule = "CRON_TZ=Europe/Berlin 0 9 * * *"
        let start = RunCommand.start(StartRun(key: RunDriver.key(), attributes: attributes))
        #expect(Run().cronZones(for: start) == ["Europe/Berlin"])
        var driver = RunDriver()
        driver.zones = CronZones(["Europe/Berlin"]) { try? zone($0) }
        try driver.handle(start)
        #expect(driver.run.cronZones(for: .wake) == ["Europe/Berlin"])
    }
}
