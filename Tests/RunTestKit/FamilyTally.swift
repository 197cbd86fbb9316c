import Engine
import History

/// How often what happened in families of runs: shows that the random commands are worth something.
public struct FamilyTally: Sendable, CustomStringConvertible {
    public enum Happening: String, CaseIterable, Sendable {
        case message, answerLost, crash, crashWithoutSnapshot, refusal, duplicate, badAnswer, signalWithStart,
            eagerStart
        case terminatedForStart, reset, resetRefused, signalReapplied, cancelReapplied, updateReapplied, childReapplied
        case continuedAsNew, retriedRun, cronRun, childAdopted, activityRetried, activityPaused, activityUnpaused
        case activityReset, optionsChanged, optionsRestored, eagerActivity, taskForgotten, updateRejected
        case updateUnprocessed, updateAborted, stickyCleared, unhandledCommand, forcedEnd, activityByID
    }

    public private(set) var happenings: [Happening: Int] = [:]
    /// By the number of the event's type.
    public private(set) var events: [Int32: Int] = [:]

    public init() {}

    public var description: String {
        let named = happenings.map { "\($0.key.rawValue) \($0.value)" }.sorted()
        let typed = events.sorted { $0.key < $1.key }.map { "event \($0.key) \($0.value)" }
        return (named + typed).joined(separator: ", ")
    }

    public mutating func add(_ other: FamilyTally) {
        happenings.merge(other.happenings) { $0 + $1 }
        events.merge(other.events) { $0 + $1 }
    }

    mutating func count(_ happening: Happening, _ times: Int = 1) {
        if times > 0 { happenings[happening, default: 0] += times }
    }

    mutating func count(_ recorded: [Event]) {
        for event in recorded {
            events[event.kind.typeNumber, default: 0] += 1
            guard case .workflowTaskFailed(let failed) = event.kind else { continue }
            if failed.cause == .unhandledCommand { count(.unhandledCommand) }
            if failed.cause == .forceCloseCommand { count(.forcedEnd) }
        }
    }

    mutating func count(successor: StartRun) {
        switch successor.attributes.initiator {
        case .retry: count(.retriedRun)
        case .cronSchedule: count(.cronRun)
        case .workflow, nil: count(.continuedAsNew)
        }
    }

    mutating func count(_ fact: ReappliedFact) {
        switch fact {
        case .signal: count(.signalReapplied)
        case .cancelRequest: count(.cancelReapplied)
        case .update: count(.updateReapplied)
        case .child: break
        }
    }

    mutating func count(_ command: RunCommand, _ transition: Transition) {
        count(.activityRetried, transition.attempts.count)
        for effect in transition.effects {
            guard case .updateMoved(_, let standing) = effect else { continue }
            switch standing {
            case .completed(.rejected): count(.updateRejected)
            case .completed(.unprocessed): count(.updateUnprocessed)
            case .aborted: count(.updateAborted)
            case .admitted, .accepted, .completed: break
            }
        }
        switch transition.reply {
        case .duplicate: count(.duplicate)
        case .rejected: count(.badAnswer)
        case .workflowTaskCompleted(_, let eager, let forgotten):
            count(.eagerActivity, eager.count)
            if forgotten != nil { count(.taskForgotten) }
        case .done, .started, .workflowTask, .update, .activity, .heartbeat, .received, .activityOptions, .runOptions:
            break
        }
        switch command {
        case .resetSticky: count(.stickyCleared)
        case .completeActivity(let request):
            if case .id = request.activity { count(.activityByID) }
        case .operateActivities(let request):
            switch request.operation {
            case .pause: count(.activityPaused)
            case .unpause: count(.activityUnpaused)
            case .reset: count(.activityReset)
            case .change: count(.optionsChanged)
            case .restoreOptions: count(.optionsRestored)
            }
        case .start, .reset, .signal, .requestCancel, .terminate, .update, .startWorkflowTask, .completeWorkflowTask,
            .failWorkflowTask, .startActivity, .failActivity, .cancelActivity, .heartbeatActivity, .wake,
            .updateOptions, .delete,
            .receive, .settleMessage:
            break
        }
    }
}
