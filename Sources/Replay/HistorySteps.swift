public import History

/// The events that one workflow task brought, and whether a worker has answered it.
public struct HistoryStep: Hashable, Sendable {
    /// From the event after the last completed task's start to this task's start; first the previous answer's own events.
    public var events: ArraySlice<Event>
    public var startedEvent: EventID
    public var now: Timestamp
    public var started: WorkflowTaskStarted
    /// A `WorkflowTaskCompleted` follows.
    public var isCompleted: Bool
}

/// A stretch of history, cut at the workflow tasks that counted.
///
/// Tasks that failed or timed out brought nothing: their events belong to the next one that did.
public struct HistorySteps: Sendable {
    public var steps: [HistoryStep]
    /// What follows the last step's start: the answer to it, and what came after.
    public var rest: ArraySlice<Event>

    /// - Parameter ignored: Events that a worker may pass over and that were left out.
    /// - Throws: ``Corruption`` if the ids have a hole or a completion names a task that is not there.
    public init(_ events: [Event], ignored: Set<EventID> = []) throws(Corruption) {
        steps = []
        rest = []
        var begin = events.startIndex
        var open: Int?
        for index in events.indices {
            let event = events[index]
            if index > 0 {
                let next = events[index - 1].id.next(passing: ignored)
                guard event.id == next else { throw Corruption("expected event \(next), got \(event.id)") }
            }
            switch event.kind {
            case .workflowTaskStarted: open = index
            case .workflowTaskCompleted(let completed):
                guard let start = open, events[start].id == completed.startedEventID else {
                    // A sticky history begins with the completion of the task that is already known.
                    guard open == nil, steps.isEmpty, index == begin else {
                        throw Corruption(
                            "event \(event.id) completes task \(completed.startedEventID), which is not open")
                    }
                    continue
                }
                try append(events[begin...start], isCompleted: true)
                begin = start + 1
                open = nil
            case .workflowTaskFailed, .workflowTaskTimedOut: open = nil
            case .workflowExecutionStarted, .workflowExecutionCompleted, .workflowExecutionFailed,
                .workflowExecutionTimedOut,
                .workflowExecutionCancelRequested, .workflowExecutionCanceled, .workflowExecutionTerminated,
                .workflowExecutionContinuedAsNew, .workflowExecutionSignaled, .workflowTaskScheduled,
                .activityTaskScheduled,
                .activityTaskStarted, .activityTaskCompleted, .activityTaskFailed, .activityTaskTimedOut,
                .activityTaskCancelRequested, .activityTaskCanceled, .timerStarted, .timerFired, .timerCanceled,
                .markerRecorded, .upsertWorkflowSearchAttributes, .workflowPropertiesModified, .childWorkflow,
                .externalWorkflow, .workflowExecutionUpdateAdmitted, .workflowExecutionUpdateAccepted,
                .workflowExecutionUpdateCompleted, .workflowExecutionOptionsUpdated:
                continue
            }
        }
        if let start = open, start == events.index(before: events.endIndex) {
            try append(events[begin...start], isCompleted: false)
            begin = start + 1
        }
        rest = events[begin...]
    }

    private mutating func append(_ events: ArraySlice<Event>, isCompleted: Bool) throws(Corruption) {
        guard let last = events.last, case .workflowTaskStarted(let started) = last.kind else {
            throw Corruption("a step must end with the start of a task")
        }
        steps.append(
            HistoryStep(
                events: events, startedEvent: last.id, now: last.time, started: started, isCompleted: isCompleted))
    }
}

extension EventID {
    /// The id after this one, passing over events that were left out.
    func next(passing ignored: Set<EventID>) -> EventID {
        var next = self.next
        while ignored.contains(next) { next = next.next }
        return next
    }
}
