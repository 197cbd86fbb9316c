import Engine
import History

/// What waits in a task queue for a poller.
struct TaskOffer: Sendable {
    enum Work: Hashable, Sendable {
        case workflowTask(WorkflowTaskOffer)
        case activity(ActivityTaskOffer)
        /// A query of a run that has no workflow task to carry it.
        case query(QueryToken)
    }

    var run: RunKey
    var work: Work
    /// The queue it was made for; it may have moved from a sticky queue to the normal one.
    var queue: TaskQueue
    var offeredAt: Timestamp

    /// 0 (first) … 4 (last); "not set" is in the middle.
    var rank: Int {
        let priority: Int32
        switch work {
        case .workflowTask(let offer): priority = offer.priority
        case .activity(let offer): priority = offer.priority
        case .query: priority = 1
        }
        return priority == 0 ? 2 : Int(min(max(priority, 1), 5)) - 1
    }

    /// Two offers with the same name are the same task.
    var name: TaskOfferName { TaskOfferName(run: run.run, work: work) }
}

struct TaskOfferName: Hashable, Sendable {
    var run: RunID
    var work: TaskOffer.Work
}

/// What a poller gets.
enum Delivery: Sendable {
    case offer(TaskOffer)
    /// An activity that was started for a poller that went away before it had it: it is stored as started, so it goes to the
    /// next one as it is.
    case startedActivity(PolledActivityTask)
}
