public import History

extension ReplayMachine {
    /// Takes in the events of one workflow task: compares the recorded commands with those of the last round, and says what
    /// the workflow learns.
    ///
    /// - Parameters:
    ///   - step: The events; the first must follow the last one taken in.
    ///   - markers: What the markers among the step's events mean, by event.
    ///   - answer: What the markers mean that the answer to this step recorded, in their order.
    ///   - updates: The updates that come with this task; they count after its events.
    /// - Throws: ``ReplayFailure``; the machine must not be used afterwards.
    public mutating func begin(
        _ step: HistoryStep, markers: [EventID: MarkerMeaning] = [:], answer: [MarkerMeaning] = [],
        updates: [UpdateArrival] = []
    ) throws(ReplayFailure) -> Activation {
        var activation = Activation(
            jobs: [], now: step.now, isReplaying: step.isCompleted, startedEventID: step.startedEvent,
            historyBytes: step.started.historySizeBytes, suggestContinueAsNew: step.started.suggestContinueAsNew,
            seed: nil,
            answeredMarkers: answer)
        try take(step.events, markers: markers, into: &activation)
        activation.jobs += updates.map { .update($0) }
        startedEventID = step.startedEvent
        return activation
    }

    /// Takes in what follows the last workflow task, with nobody to tell: the answer to it is compared, the rest is not yet
    /// the workflow's to know.
    public mutating func verify(
        rest: ArraySlice<Event>, markers: [EventID: MarkerMeaning] = [:]
    ) throws(ReplayFailure) {
        guard !rest.isEmpty else { return }
        var unheard = Activation(
            jobs: [], now: .zero, isReplaying: true, startedEventID: startedEventID, historyBytes: 0,
            suggestContinueAsNew: false, seed: nil, answeredMarkers: [])
        try take(rest, markers: markers, into: &unheard)
    }

    private mutating func take(
        _ events: ArraySlice<Event>, markers: [EventID: MarkerMeaning], into activation: inout Activation
    ) throws(ReplayFailure) {
        var answer: EventID?
        for event in events {
            let next = lastEventID.next(passing: ignoredEvents)
            guard event.id == next else { throw .corruption(Corruption("expected event \(next), got \(event.id)")) }
            lastEventID = event.id
            if case .workflowTaskCompleted = event.kind { answer = event.id }
            if try !match(event, markers: markers) { try learn(event, into: &activation) }
        }
        if let answer, expectedHead < expected.count {
            throw .nondeterminism(
                Nondeterminism(
                    eventID: answer, expected: "no further command", actual: describe(expected[expectedHead].kind)))
        }
    }

    /// Turns an event that no command caused into what the workflow learns.
    private mutating func learn(_ event: Event, into activation: inout Activation) throws(ReplayFailure) {
        switch event.kind {
        case .workflowExecutionStarted(let started):
            self.started = started
            startTime = event.time
            activation.seed = started.originalExecutionRunID
            activation.jobs.append(.start(started))
        case .workflowExecutionSignaled(let signal): activation.jobs.append(.signal(signal))
        case .workflowExecutionCancelRequested(let request):
            activation.jobs.append(.requestCancel(cause: request.cause))
        case .activityTaskCompleted(let completed):
            try endActivity(completed.scheduledEventID, event, &activation) { _ in
                .activityCompleted(result: completed.result)
            }
        case .activityTaskFailed(let failed):
            try endActivity(failed.scheduledEventID, event, &activation) { end in
                end.startedEventID = failed.startedEventID
                end.identity = failed.identity
                end.retryState = failed.retryState
                end.failure = failed.failure
                return .activityFailed(end)
            }
        case .activityTaskTimedOut(let timedOut):
            try endActivity(timedOut.scheduledEventID, event, &activation) { end in
                end.startedEventID = timedOut.startedEventID
                end.retryState = timedOut.retryState
                end.failure = timedOut.failure
                return .activityTimedOut(end)
            }
        case .activityTaskCanceled(let canceled):
            try endActivity(canceled.scheduledEventID, event, &activation) { end in
                end.startedEventID = canceled.startedEventID
                end.identity = canceled.identity
                end.details = canceled.details
                return .activityCanceled(end)
            }
        case .timerFired(let fired):
            guard let future = timerByID[fired.timerID], var timer = timers[future] else {
                throw .corruption(Corruption("event \(event.id) fires timer \(fired.timerID), which was not started"))
            }
            if timer.fired() { activation.jobs.append(.resolve(future, .timerFired)) }
            timers[future] = nil
            timerByID[fired.timerID] = nil
        case .workflowTaskFailed(let failed):
            if failed.cause == .resetWorkflow, let run = failed.newRunID { activation.seed = run }
        case .workflowExecutionTerminated, .workflowExecutionTimedOut: recordedEnd = event.id
        case .childWorkflow(let child): try learn(child, event, into: &activation)
        case .externalWorkflow(let external): try learn(external, event, into: &activation)
        case .activityTaskStarted(let started):
            guard activityByEvent[started.scheduledEventID] != nil else {
                throw unknownActivity(started.scheduledEventID, event)
            }
        case .workflowExecutionUpdateAdmitted(let admitted):
            activation.jobs.append(
                .update(
                    UpdateArrival(
                        id: admitted.update, messageID: ProtocolMessage.requestID(of: admitted.update),
                        sequencingEventID: event.id, request: admitted.request, wasAccepted: false)))
        case .workflowTaskScheduled, .workflowTaskStarted, .workflowTaskCompleted, .workflowTaskTimedOut: break
        case .workflowExecutionOptionsUpdated: break  // nothing that the code could see
        case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionCanceled,
            .workflowExecutionContinuedAsNew, .activityTaskScheduled, .activityTaskCancelRequested, .timerStarted,
            .timerCanceled, .markerRecorded, .upsertWorkflowSearchAttributes, .workflowPropertiesModified,
            .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted:
            break  // matched before
        }
    }

    private mutating func endActivity(
        _ scheduled: EventID, _ event: Event, _ activation: inout Activation,
        _ resolution: (inout ActivityEnd) -> Resolution
    ) throws(ReplayFailure) {
        guard let future = activityByEvent[scheduled], var activity = activities[future] else {
            throw unknownActivity(scheduled, event)
        }
        if activity.ended() {
            var end = end(of: activity, scheduled: scheduled)
            activation.jobs.append(.resolve(future, resolution(&end)))
        }
        activities[future] = nil
        activityByEvent[scheduled] = nil
    }

    private func unknownActivity(_ scheduled: EventID, _ event: Event) -> ReplayFailure {
        .corruption(Corruption("event \(event.id) is about activity \(scheduled), which is not pending"))
    }
}
