import Foundation
import History
import Replay

extension WorkflowTaskProcessor {
    /// What came of the local activities of a workflow task.
    enum Attendance {
        /// None is open, or the run ends without them.
        case settled
        /// They take longer than the task may: it must be answered and asked for again.
        case mustKeepAlive
        /// The worker goes down among them.
        case abandoned
    }

    /// The share of a workflow task's time after which it is answered although local activities still run.
    private static let keepAliveShare = 0.8

    /// Runs the workflow on with the ends of its local activities, until it needs none any more or time is short.
    func attend(
        _ core: WorkflowCore, _ surroundings: any HistoryPages, began: ContinuousClock.Instant
    ) async throws(WorkflowTaskProblem) -> Attendance {
        while core.outcome == nil, core.problem == nil, core.hasOpenLocalActivities {
            for (future, activity) in core.takeNewLocalActivities() {
                guard surroundings.start(task(future, activity, core)) else {
                    throw WorkflowTaskProblem(
                        cause: .workflowWorkerUnhandledFailure,
                        error: WorkflowMisuse("this worker runs no local activities"))
                }
            }
            // Without a place in memory the run would begin anew with every task: then it is better to be late.
            let limit = keepsRuns ? max(.zero, Self.timeAllowed(core) - began.duration(to: .now)) : nil
            guard let (future, end) = await core.desk.nextEnd(within: limit, clock: clock) else {
                return _Concurrency.Task.isCancelled ? .abandoned : .mustKeepAlive
            }
            if case .abandoned = end.outcome { return .abandoned }
            core.end(future, end)
        }
        return .settled
    }

    private static func timeAllowed(_ core: WorkflowCore) -> Duration {
        let whole = core.runInfo.taskTimeout > .zero ? core.runInfo.taskTimeout : .seconds(10)
        return .seconds(whole.inSeconds * keepAliveShare)
    }

    private func task(_ future: FutureID, _ activity: OpenLocalActivity, _ core: WorkflowCore) -> LocalActivityTask {
        let options = activity.call.options
        let run = core.runInfo
        let info = ActivityInfo(
            namespace: run.namespace, workflowID: run.workflowID, runID: run.runID, workflowType: run.workflowType,
            activityID: activity.name.activityID.value, activityType: activity.name.activityType,
            taskQueue: run.taskQueue, attempt: activity.attempt, scheduledTime: activity.originalScheduleTime.date,
            attemptScheduledTime: activity.scheduledTime.date, startedTime: activity.scheduledTime.date,
            startToCloseTimeout: options.startToCloseTimeout, scheduleToCloseTimeout: options.scheduleToCloseTimeout,
            heartbeatTimeout: nil, taskToken: [], isLocal: true)
        return LocalActivityTask(
            desk: core.desk, future: future, info: info, input: activity.input, header: options.header, options: options
        )
    }
}
