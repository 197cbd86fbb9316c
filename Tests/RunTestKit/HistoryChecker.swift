public import History

/// Says what is wrong with a history on its own, without the engine's fold.
public struct HistoryChecker: Sendable {
    private var last = EventID.none
    private var lastTaskID = EventID.none
    private var closedBy: EventID?
    private var workflowTask: EventID?
    private var workflowTaskStarted: EventID?
    private var completions: Set<EventID> = []
    private var activities: [EventID: EventID] = [:]
    private var timers: [EventID: TimerID] = [:]
    /// Children, with the event that recorded their start.
    private var children: [EventID: EventID] = [:]
    private var externals: Set<EventID> = []
    /// The last event of each update.
    private var updates: [UpdateID: EventID] = [:]
    public private(set) var faults: [String] = []

    public init() {}

    /// Everything that is wrong with `events`, in order.
    public static func faults(in events: [Event]) -> [String] {
        var checker = HistoryChecker()
        for event in events { checker.check(event) }
        return checker.faults
    }

    public mutating func check(_ event: Event) {
        if event.id != last.next { note(event, "expected id \(last.next)") }
        last = event.id
        if let closedBy { note(event, "follows the close event \(closedBy)") }
        switch event.kind {
        case .workflowExecutionStarted: expect(event.id == .first, event, "is not the first event")
        case .workflowTaskScheduled:
            expect(workflowTask == nil, event, "while a workflow task is pending")
            workflowTask = event.id
        case .workflowTaskStarted(let attributes):
            expect(attributes.scheduledEventID == workflowTask && workflowTaskStarted == nil, event, "without its task")
            workflowTaskStarted = event.id
        case .workflowTaskCompleted(let attributes):
            endTask(event, attributes.scheduledEventID, attributes.startedEventID)
            completions.insert(event.id)
        case .workflowTaskFailed(let attributes): endTask(event, attributes.scheduledEventID, attributes.startedEventID)
        case .workflowTaskTimedOut(let attributes):
            endTask(event, attributes.scheduledEventID, attributes.startedEventID)
        case .timerStarted(let attributes):
            expect(!timers.values.contains(attributes.timerID), event, "while the same timer is pending")
            timers[event.id] = attributes.timerID
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .timerFired(let attributes):
            expect(
                timers.removeValue(forKey: attributes.startedEventID) == attributes.timerID, event, "without its timer")
        case .timerCanceled(let attributes):
            expect(
                timers.removeValue(forKey: attributes.startedEventID) == attributes.timerID, event, "without its timer")
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .markerRecorded(let attributes): fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .upsertWorkflowSearchAttributes(let attributes):
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .workflowPropertiesModified(let attributes): fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .workflowExecutionCompleted(let attributes): fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .workflowExecutionFailed(let attributes): fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .workflowExecutionCanceled(let attributes): fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .workflowExecutionContinuedAsNew(let attributes):
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .workflowExecutionTimedOut, .workflowExecutionTerminated, .workflowExecutionSignaled,
            .workflowExecutionCancelRequested, .workflowExecutionOptionsUpdated:
            break
        case .workflowExecutionUpdateAdmitted(let attributes):
            expect(updates[attributes.update] == nil, event, "is known already")
            updates[attributes.update] = EventID.none
        case .workflowExecutionUpdateAccepted(let attributes):
            expect((updates[attributes.update] ?? EventID.none) == EventID.none, event, "is accepted already")
            expect(completions.contains { $0 < event.id }, event, "without a completed workflow task")
            updates[attributes.update] = event.id
        case .workflowExecutionUpdateCompleted(let attributes):
            expect(updates[attributes.update] == attributes.acceptedEventID, event, "without its acceptance")
            updates[attributes.update] = event.id
        case .activityTaskScheduled, .activityTaskStarted, .activityTaskCompleted, .activityTaskFailed,
            .activityTaskTimedOut, .activityTaskCancelRequested, .activityTaskCanceled:
            checkActivity(event)
        case .childWorkflow(let child): check(child, event)
        case .externalWorkflow(let external): check(external, event)
        }
        if event.kind.closesRun != nil { closedBy = event.id }
    }

    private mutating func checkActivity(_ event: Event) {
        switch event.kind {
        case .activityTaskScheduled(let attributes):
            activities[event.id] = EventID.none
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .activityTaskStarted(let attributes):
            expect(activities[attributes.scheduledEventID] == EventID.none, event, "without its activity")
            activities[attributes.scheduledEventID] = event.id
        case .activityTaskCompleted(let end): endActivity(event, end.scheduledEventID, end.startedEventID)
        case .activityTaskFailed(let end): endActivity(event, end.scheduledEventID, end.startedEventID)
        case .activityTaskTimedOut(let end): endActivity(event, end.scheduledEventID, end.startedEventID)
        case .activityTaskCanceled(let end): endActivity(event, end.scheduledEventID, end.startedEventID)
        case .activityTaskCancelRequested(let attributes):
            expect(activities[attributes.scheduledEventID] != nil, event, "without its activity")
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        default: break
        }
    }

    private mutating func check(_ child: ChildWorkflowEvent, _ event: Event) {
        switch child {
        case .initiated(let attributes):
            children[event.id] = EventID.none
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .startFailed(let attributes):
            expect(
                children.removeValue(forKey: attributes.initiatedEventID) == EventID.none, event, "without its child")
        case .started(let attributes):
            expect(children[attributes.initiatedEventID] == EventID.none, event, "without its child")
            children[attributes.initiatedEventID] = event.id
        case .ended(let attributes):
            expect(
                children.removeValue(forKey: attributes.initiatedEventID) == attributes.startedEventID
                    && attributes.startedEventID != .none, event, "without its child")
        }
    }

    private mutating func check(_ external: ExternalWorkflowEvent, _ event: Event) {
        switch external {
        case .cancelInitiated(let attributes):
            externals.insert(event.id)
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .signalInitiated(let attributes):
            externals.insert(event.id)
            fromCompletion(event, attributes.workflowTaskCompletedEventID)
        case .cancelFailed(let attributes), .signalFailed(let attributes):
            expect(externals.remove(attributes.initiatedEventID) != nil, event, "answers nothing")
        case .cancelRequested(let attributes), .signaled(let attributes):
            expect(externals.remove(attributes.initiatedEventID) != nil, event, "answers nothing")
        }
    }

    private mutating func endTask(_ event: Event, _ scheduled: EventID, _ started: EventID) {
        expect(scheduled == workflowTask && started == workflowTaskStarted ?? .none, event, "without its workflow task")
        workflowTask = nil
        workflowTaskStarted = nil
    }

    private mutating func endActivity(_ event: Event, _ scheduled: EventID, _ started: EventID) {
        expect(activities.removeValue(forKey: scheduled) == started, event, "without its activity")
    }

    private mutating func fromCompletion(_ event: Event, _ completion: EventID) {
        expect(completions.contains(completion), event, "names \(completion), which completed no workflow task")
    }

    private mutating func expect(_ holds: Bool, _ event: Event, _ fault: String) {
        if !holds { note(event, fault) }
    }

    private mutating func note(_ event: Event, _ fault: String) {
        faults.append("event \(event.id) \(event.kind.typeName): \(fault)")
    }
}
