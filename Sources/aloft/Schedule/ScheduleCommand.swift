import ArgumentParser
import Foundation
import Worker

/// `aloft schedule …`: names and flags as in Temporal's command line.
struct ScheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "Start workflows by the clock.",
        subcommands: [
            CreateSchedule.self, DescribeSchedule.self, ListSchedules.self, ToggleSchedule.self, TriggerSchedule.self,
            BackfillSchedule.self, UpdateSchedule.self, DeleteSchedule.self,
        ])
}

/// Which schedule a command means.
struct ScheduleTarget: ParsableArguments {
    @Option(name: [.customLong("schedule-id"), .customShort("s")], help: "Schedule id.")
    var scheduleID: String
}

enum OverlapPolicyName: String, ExpressibleByArgument, CaseIterable {
    case skip = "Skip"
    case bufferOne = "BufferOne"
    case bufferAll = "BufferAll"
    case cancelOther = "CancelOther"
    case terminateOther = "TerminateOther"
    case allowAll = "AllowAll"

    var policy: ScheduleOverlapPolicy {
        switch self {
        case .skip: .skip
        case .bufferOne: .bufferOne
        case .bufferAll: .bufferAll
        case .cancelOther: .cancelOther
        case .terminateOther: .terminateOther
        case .allowAll: .allowAll
        }
    }

    init(_ policy: ScheduleOverlapPolicy) {
        switch policy {
        case .skip: self = .skip
        case .bufferOne: self = .bufferOne
        case .bufferAll: self = .bufferAll
        case .cancelOther: self = .cancelOther
        case .terminateOther: self = .terminateOther
        case .allowAll: self = .allowAll
        }
    }
}

/// When it acts and how, for `create` and `update`.
struct ScheduleArguments: ParsableArguments {
    @Option(name: .long, help: "Every so often, as 90m or 1h/15m with a phase; repeat for more.")
    var interval: [String] = []
    @Option(name: .long, help: "A line of cron, such as '0 12 * * MON-FRI'; repeat for more.")
    var cron: [String] = []
    @Option(name: .long, help: #"Fields as JSON, such as {"dayOfWeek":"5","hour":"17"}; repeat for more."#)
    var calendar: [String] = []
    @Option(name: .long, help: "Time zone, such as Europe/Berlin; UTC if not given.")
    var timeZone: String?
    @Option(name: .long, help: "Not before this moment (RFC 3339).")
    var startTime: String?
    @Option(name: .long, help: "Not after this moment (RFC 3339).")
    var endTime: String?
    @Option(name: .long, help: "Up to so much later, such as 30s.")
    var jitter: String?
    @Option(name: .long, help: "Skip, BufferOne, BufferAll, CancelOther, TerminateOther or AllowAll.")
    var overlapPolicy: OverlapPolicyName?
    @Option(name: .long, help: "Missed actions are caught up with for so long, such as 1h.")
    var catchupWindow: String?
    @Flag(name: .long, help: "Pause when a workflow fails.")
    var pauseOnFailure = false
    @Option(name: .long, help: "How many actions it may take.")
    var remainingActions: Int?
    @Option(name: .long, help: "A note.")
    var notes: String?
    @Flag(name: .long, help: "Begin paused.")
    var paused = false

    var spec: ScheduleSpec {
        get throws {
            // Calendars in text are lines of cron with seven fields.
            let lines = try calendar.map { try Self.cronLine($0) }
            return ScheduleSpec(
                intervals: try interval.map { try Self.interval($0) }, cronExpressions: cron + lines,
                startAt: try startTime.map { try Self.moment($0, "--start-time") },
                endAt: try endTime.map { try Self.moment($0, "--end-time") },
                jitter: try jitter.map { try Self.duration($0, "--jitter") }, timeZoneName: timeZone)
        }
    }

    var hasSpec: Bool { !interval.isEmpty || !cron.isEmpty || !calendar.isEmpty }

    func policy(from old: SchedulePolicy = SchedulePolicy()) throws -> SchedulePolicy {
        var policy = old
        if let overlapPolicy { policy.overlap = overlapPolicy.policy }
        if let catchupWindow { policy.catchupWindow = try Self.duration(catchupWindow, "--catchup-window") }
        if pauseOnFailure { policy.pauseOnFailure = true }
        return policy
    }

    func state(from old: ScheduleState = ScheduleState()) -> ScheduleState {
        var state = old
        if let notes { state.note = notes }
        if paused { state.paused = true }
        if let remainingActions { state.remainingActions = remainingActions }
        return state
    }

    private static func cronLine(_ text: String) throws -> String {
        let fields = try JSONValue.parse(text, argument: "--calendar")
        func field(_ name: String, _ usual: String) throws -> String {
            switch fields[name] {
            case .string(let text)?: text
            case .integer(let number)?: String(number)
            case nil: usual
            default: throw CommandFailure("--calendar: \(name) is neither a text nor a number")
            }
        }
        let parts = [
            try field("second", "0"), try field("minute", "0"), try field("hour", "0"), try field("dayOfMonth", "*"),
            try field("month", "*"), try field("dayOfWeek", "*"), try field("year", "*"),
        ]
        return parts.joined(separator: " ")
    }

    private static func interval(_ text: String) throws -> ScheduleIntervalSpec {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard let every = parts.first else { throw CommandFailure("--interval: '\(text)' is not a duration") }
        return ScheduleIntervalSpec(
            every: try duration(every, "--interval"),
            offset: parts.count == 2 ? try duration(parts[1], "--interval") : .zero)
    }

    static func moment(_ text: String, _ argument: String) throws -> Date {
        guard let date = try? Date(text, strategy: .iso8601) else {
            throw CommandFailure("\(argument): '\(text)' is not a moment such as 2026-11-21T08:00:00Z")
        }
        return date
    }

    /// `90s`, `1h30m`, `2d`.
    static func duration(_ text: String, _ argument: String) throws -> Duration {
        let units: [Character: Double] = ["d": 86_400, "h": 3600, "m": 60, "s": 1]
        var rest = Substring(text)
        var seconds = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            guard let number = Double(digits), let unit = rest.first.flatMap({ units[$0] }) else {
                throw CommandFailure("\(argument): '\(text)' is not a duration such as 90s or 1h30m")
            }
            seconds += number * unit
            rest = rest.dropFirst()
        }
        return .seconds(seconds)
    }
}

extension ServerAddress {
    /// As ``withClient(_:)``, with the failures that only schedules have.
    func withSchedules<Result: Sendable>(
        _ body: @Sendable @escaping (WorkflowClient) async throws -> Result
    ) async throws -> Result {
        do {
            return try await withClient(body)
        } catch let failure as ScheduleNotFound {
            throw CommandFailure(failure.message)
        } catch let failure as ScheduleAlreadyExists {
            throw CommandFailure("schedule \(failure.id) exists already")
        }
    }
}
