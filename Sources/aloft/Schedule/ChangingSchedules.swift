import ArgumentParser
import Foundation
import Worker

struct CreateSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a schedule.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget
    @OptionGroup var when: ScheduleArguments
    @OptionGroup var start: StartOptionsArguments

    func run() async throws {
        let action = ScheduleAction.start(
            workflowType: start.type, arguments: try start.arguments, options: start.options)
        let schedule = Schedule(
            action: action, spec: try when.spec, policy: try when.policy(), state: when.state())
        let id = target.scheduleID
        _ = try await server.withSchedules { try await $0.createSchedule(id: id, schedule) }
        Terminal.line("created schedule \(id)")
    }
}

struct UpdateSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a schedule; what is not given stays as it is.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget
    @OptionGroup var when: ScheduleArguments
    @Option(name: .long, help: "Start this workflow type instead; needs --task-queue.")
    var type: String?
    @Option(name: [.customLong("workflow-id"), .customShort("w")], help: "Workflow id of the new action.")
    var workflowID: String?
    @Option(name: [.customLong("task-queue"), .customShort("t")], help: "Task queue of the new action.")
    var taskQueue: String?
    @Option(name: [.customLong("input"), .customShort("i")], help: "An argument as JSON; repeat for more.")
    var input: [String] = []

    func run() async throws {
        let (id, when) = (target.scheduleID, when)
        let spec = when.hasSpec ? try when.spec : nil
        let (type, workflowID, taskQueue) = (type, workflowID, taskQueue)
        let arguments = try input.map { try JSONValue.parse($0, argument: "--input") }
        try await server.withSchedules { client in
            try await client.schedule(id: id).update { schedule in
                if let spec { schedule.spec = spec }
                schedule.policy = try when.policy(from: schedule.policy)
                schedule.state = when.state(from: schedule.state)
                if let type {
                    let options = StartOptions(
                        id: workflowID ?? schedule.action.workflowID, taskQueue: taskQueue ?? schedule.action.taskQueue)
                    schedule.action = .start(workflowType: type, arguments: arguments, options: options)
                }
                return true
            }
        }
        Terminal.line("updated schedule \(id)")
    }
}

struct ToggleSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "toggle", abstract: "Pause or unpause a schedule.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget
    @Flag(name: .long, help: "Pause it.")
    var pause = false
    @Flag(name: .long, help: "Unpause it.")
    var unpause = false
    @Option(name: .long, help: "Why, as the schedule's note.")
    var reason: String = "(no reason provided)"

    func validate() throws {
        if pause == unpause { throw ValidationError("either --pause or --unpause") }
    }

    func run() async throws {
        let (id, pause, reason) = (target.scheduleID, pause, reason)
        try await server.withSchedules { client in
            let handle = client.schedule(id: id)
            if pause { try await handle.pause(note: reason) } else { try await handle.unpause(note: reason) }
        }
        Terminal.line("\(pause ? "paused" : "unpaused") schedule \(id)")
    }
}

struct TriggerSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "trigger", abstract: "Act now.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget
    @Option(name: .long, help: "Skip, BufferOne, BufferAll, CancelOther, TerminateOther or AllowAll.")
    var overlapPolicy: OverlapPolicyName?

    func run() async throws {
        let (id, overlap) = (target.scheduleID, overlapPolicy?.policy)
        try await server.withSchedules { try await $0.schedule(id: id).trigger(overlap: overlap) }
        Terminal.line("triggered schedule \(id)")
    }
}

struct BackfillSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill", abstract: "Act as if a stretch of time passed now.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget
    @Option(name: .long, help: "From this moment on (RFC 3339).")
    var startTime: String
    @Option(name: .long, help: "Up to this moment (RFC 3339).")
    var endTime: String
    @Option(name: .long, help: "Skip, BufferOne, BufferAll, CancelOther, TerminateOther or AllowAll.")
    var overlapPolicy: OverlapPolicyName?

    func run() async throws {
        let id = target.scheduleID
        let backfill = ScheduleBackfill(
            startAt: try ScheduleArguments.moment(startTime, "--start-time"),
            endAt: try ScheduleArguments.moment(endTime, "--end-time"), overlap: overlapPolicy?.policy)
        try await server.withSchedules { try await $0.schedule(id: id).backfill(backfill) }
        Terminal.line("backfill of schedule \(id) requested")
    }
}

struct DeleteSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a schedule; what it started goes on.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var target: ScheduleTarget

    func run() async throws {
        let id = target.scheduleID
        try await server.withSchedules { try await $0.schedule(id: id).delete() }
        Terminal.line("deleted schedule \(id)")
    }
}
