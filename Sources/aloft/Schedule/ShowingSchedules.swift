import ArgumentParser
import Foundation
import Worker

struct DescribeSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Show a schedule, what it did and what is next.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let id = target.scheduleID
        let description = try await server.withSchedules { try await $0.schedule(id: id).describe() }
        switch output.format {
        case .text: Self.show(description)
        case .json: Terminal.line(Self.fields(description).json)
        }
    }

    private static func show(_ description: ScheduleDescription) {
        let (schedule, info) = (description.schedule, description.info)
        Terminal.table([
            ["schedule", description.id], ["workflow type", schedule.action.workflowType],
            ["workflow id", schedule.action.workflowID], ["task queue", schedule.action.taskQueue],
            ["spec", SpecText.lines(schedule.spec).joined(separator: "; ")],
            ["overlap", OverlapPolicyName(schedule.policy.overlap).rawValue], ["paused", "\(schedule.state.paused)"],
            ["notes", schedule.state.note],
            ["actions", "\(info.actionCount) (\(info.skippedByOverlap) skipped, \(info.missedCatchupWindow) missed)"],
            ["running", info.running.map(\.workflowID).joined(separator: ", ")],
        ])
        if !info.recentActions.isEmpty {
            Terminal.line("")
            Terminal.table(
                [["SCHEDULED", "STARTED", "STATUS", "WORKFLOW"]]
                    + info.recentActions.map {
                        [SpecText.moment($0.scheduledAt), SpecText.moment($0.startedAt), "\($0.status)", $0.workflowID]
                    })
        }
        if !info.nextActionTimes.isEmpty {
            Terminal.line("")
            Terminal.line("next: " + info.nextActionTimes.map(SpecText.moment).joined(separator: ", "))
        }
    }

    private static func fields(_ description: ScheduleDescription) -> Printable {
        let (schedule, info) = (description.schedule, description.info)
        return .object([
            ("scheduleId", .string(description.id)), ("workflowType", .string(schedule.action.workflowType)),
            ("workflowId", .string(schedule.action.workflowID)), ("taskQueue", .string(schedule.action.taskQueue)),
            ("spec", .list(SpecText.lines(schedule.spec).map { .string($0) })),
            ("timeZone", .optional(schedule.spec.timeZoneName)),
            ("overlapPolicy", .string(OverlapPolicyName(schedule.policy.overlap).rawValue)),
            ("paused", .boolean(schedule.state.paused)), ("notes", .string(schedule.state.note)),
            ("remainingActions", schedule.state.remainingActions.map { .integer(Int64($0)) } ?? .null),
            ("actionCount", .integer(Int64(info.actionCount))),
            ("overlapSkipped", .integer(Int64(info.skippedByOverlap))),
            ("missedCatchupWindow", .integer(Int64(info.missedCatchupWindow))),
            ("runningWorkflows", .list(info.running.map { .string($0.workflowID) })),
            (
                "recentActions",
                .list(
                    info.recentActions.map {
                        .object([
                            ("scheduleTime", .string(SpecText.moment($0.scheduledAt))),
                            ("actualTime", .string(SpecText.moment($0.startedAt))),
                            ("workflowId", .string($0.workflowID)), ("runId", .string($0.firstRunID)),
                            ("status", .string("\($0.status)")),
                        ])
                    })
            ), ("futureActionTimes", .list(info.nextActionTimes.map { .string(SpecText.moment($0)) })),
        ])
    }
}

struct ListSchedules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List schedules.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions
    @Option(name: [.customLong("query"), .customShort("q")], help: "Which ones, in the list language.")
    var query: String = ""

    func run() async throws {
        let query = query
        let entries = try await server.withSchedules { try await $0.listSchedules(query: query) }
        switch output.format {
        case .text:
            Terminal.table(
                [["SCHEDULE", "WORKFLOW TYPE", "PAUSED", "NEXT", "SPEC"]]
                    + entries.map {
                        [
                            $0.id, $0.workflowType, "\($0.paused)", $0.nextActionTimes.first.map(SpecText.moment) ?? "",
                            SpecText.lines($0.spec).joined(separator: "; "),
                        ]
                    })
        case .json:
            Terminal.line(
                Printable.list(
                    entries.map {
                        .object([
                            ("scheduleId", .string($0.id)), ("workflowType", .string($0.workflowType)),
                            ("paused", .boolean($0.paused)), ("notes", .string($0.note)),
                            ("spec", .list(SpecText.lines($0.spec).map { .string($0) })),
                            ("futureActionTimes", .list($0.nextActionTimes.map { .string(SpecText.moment($0)) })),
                        ])
                    }
                ).json)
        }
    }
}

/// A spec in a few words.
enum SpecText {
    static func moment(_ date: Date) -> String {
        date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
    }

    static func lines(_ spec: ScheduleSpec) -> [String] {
        let intervals = spec.intervals.map { interval in
            "every \(interval.every)" + (interval.offset == .zero ? "" : " at \(interval.offset)")
        }
        return intervals + spec.calendars.map(line) + spec.skip.map { "not \(line($0))" }
            + (spec.timeZoneName.map { ["in \($0)"] } ?? [])
    }

    /// In the order of cron, with seconds and years.
    private static func line(_ calendar: ScheduleCalendarSpec) -> String {
        let fields = [
            field(calendar.second, 0, 59), field(calendar.minute, 0, 59), field(calendar.hour, 0, 23),
            field(calendar.dayOfMonth, 1, 31), field(calendar.month, 1, 12), field(calendar.dayOfWeek, 0, 6),
            calendar.year.isEmpty ? "*" : field(calendar.year, 0, 0),
        ]
        return fields.joined(separator: " ") + (calendar.comment.isEmpty ? "" : " # \(calendar.comment)")
    }

    private static func field(_ ranges: [ScheduleRange], _ low: Int, _ high: Int) -> String {
        ranges.map { range in
            let step = range.step > 1 ? "/\(range.step)" : ""
            if range.start == low, range.end == high { return "*\(step)" }
            return range.start == range.end ? "\(range.start)" : "\(range.start)-\(range.end)\(step)"
        }.joined(separator: ",")
    }
}
