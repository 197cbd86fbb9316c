import History

/// The time zones that cron schedules name, as whoever asks the run has found them: the core reads no files.
public struct CronZones: Hashable, Sendable {
    private var rules: [String: ZoneRules] = [:]
    private var unknown: ZoneRules?

    public static let none = CronZones()

    private init() {}

    /// - Parameter find: the rules of a zone; nil for a name that is none.
    public init(_ names: [String], find: (String) -> ZoneRules?) {
        for name in names { rules[name] = find(name) }
    }

    subscript(name: String) -> ZoneRules? {
        ["UTC", "Etc/UTC", "GMT"].contains(name) ? .utc : rules[name] ?? unknown
    }

    /// For a schedule that was accepted once: should its zone be gone, the runs go on in UTC.
    var orUTC: CronZones {
        var copy = self
        copy.unknown = .utc
        return copy
    }

    /// Why a command may not ask for this schedule; nil when it may, or asks for none.
    func problem(of schedule: String) -> CronProblem? {
        guard !schedule.isEmpty else { return nil }
        do { _ = try CronSchedule(schedule, self) } catch { return error }
        return nil
    }
}

extension Run {
    /// The zones that deciding about `command` may need.
    public func cronZones(for command: RunCommand) -> [String] {
        var schedules = [started?.cronSchedule ?? ""]
        switch command {
        case .start(let request): schedules.append(request.attributes.cronSchedule)
        case .completeWorkflowTask(let request):
            for command in request.commands {
                switch command.kind {
                case .startChildWorkflow(let wish): schedules.append(wish.cronSchedule)
                case .continueAsNewWorkflowExecution(let wish): schedules.append(wish.cronSchedule)
                case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer,
                    .completeWorkflowExecution, .failWorkflowExecution, .cancelWorkflowExecution, .recordMarker,
                    .upsertWorkflowSearchAttributes, .modifyWorkflowProperties, .requestCancelExternalWorkflow,
                    .signalExternalWorkflow, .protocolMessage, .unsupported, .refused:
                    break
                }
            }
        case .reset, .signal, .requestCancel, .terminate, .update, .startWorkflowTask, .failWorkflowTask,
            .startActivity, .completeActivity, .failActivity, .cancelActivity, .heartbeatActivity, .operateActivities,
            .wake, .updateOptions, .resetSticky, .delete, .receive, .settleMessage:
            break
        }
        return schedules.compactMap { $0.isEmpty ? nil : CronSchedule.zone($0) }
    }
}

/// Why a text is no cron schedule.
struct CronProblem: Error, Hashable, Sendable {
    let message: String

    init() { message = "invalid CronSchedule." }

    init(unknownZone name: String) { message = "invalid CronSchedule: unknown time zone \(name)." }
}
