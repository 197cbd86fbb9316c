public import Engine
public import History

/// Carries one run on by commands, with a simulated clock, and keeps everything that a store would keep.
public struct RunDriver: Sendable {
    public private(set) var run = Run()
    /// The run as it was stored last: what a crash leaves.
    public private(set) var stored = Run()
    public private(set) var history: [Event] = []
    public private(set) var attempts: [ActivityAttempt] = []
    public private(set) var offers: [Effect] = []
    public private(set) var successors: [StartRun] = []
    public private(set) var lastTransition = Transition()
    public var now: Timestamp
    public var limits = Limits()
    public var zones = CronZones.none
    private var requests = 0

    /// The moment at which every driver's clock begins.
    public static let beginning = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    public init(at now: Timestamp = RunDriver.beginning) { self.now = now }

    public static func key(_ number: UInt64 = 1) -> RunKey {
        let digits = String(number, radix: 16)
        let tail = String(repeating: "0", count: 12 - digits.count) + digits
        return RunKey(namespace: "namespace-1", workflow: "workflow-1", run: RunID("00000000-0000-4000-8000-\(tail)"))
    }

    /// Start attributes as an edge would fill them.
    public static func attributes(_ key: RunKey = RunDriver.key()) -> WorkflowExecutionStarted {
        WorkflowExecutionStarted(
            workflowType: "Hello", workflowID: key.workflow, taskQueue: TaskQueue("queue"),
            workflowTaskTimeout: .seconds(10), originalExecutionRunID: key.run, firstExecutionRunID: key.run,
            identity: "client", requestID: RequestID("start-\(key.run)"))
    }

    @discardableResult
    public mutating func handle(_ command: RunCommand) throws(Rejection) -> Transition {
        let transition = try run.handle(command, at: now, limits: limits, zones: zones)
        history += transition.events
        attempts += transition.attempts
        offers += transition.effects
        if let successor = transition.successor { successors.append(successor) }
        if transition.isDurable { stored = run }
        lastTransition = transition
        return transition
    }

    /// Moves the clock and wakes the run.
    @discardableResult
    public mutating func pass(_ span: TimeSpan) throws(Rejection) -> Transition {
        now = now.advanced(by: span)
        return try handle(.wake)
    }

    /// Moves the clock to the run's next deadline and wakes it there.
    @discardableResult
    public mutating func passToDeadline() throws(Rejection) -> Transition {
        if let next = run.nextDeadline { now = max(now, next) }
        return try handle(.wake)
    }

    /// Tries something on a copy.
    ///
    /// - Returns: why it was refused; `nil` when it was not.
    public func refusal(_ attempt: (inout RunDriver) throws(Rejection) -> Void) -> Rejection? {
        var copy = self
        do { try attempt(&copy) } catch { return error }
        return nil
    }

    /// A crash: the run comes back from its snapshot.
    public mutating func reload() throws(Corruption) { run = try Run(snapshot: stored.snapshot()) }

    /// A crash after which the run is folded again from its events.
    ///
    /// - Returns: false when the events alone do not hold all of it; nothing happened then.
    public mutating func rebuild() throws(Corruption) -> Bool {
        guard stored.isRebuiltByHistory else { return false }
        run = try Run.fold(history, key: stored.key)
        return true
    }

    public mutating func nextRequestID() -> RequestID {
        requests += 1
        return RequestID("request-\(requests)")
    }

    // What clients and workers do, in one call each.

    @discardableResult
    public mutating func start(
        _ change: (inout WorkflowExecutionStarted) -> Void = { _ in }
    ) throws(Rejection) -> Transition {
        var attributes = Self.attributes()
        change(&attributes)
        return try handle(.start(StartRun(key: Self.key(), attributes: attributes)))
    }

    @discardableResult
    public mutating func signal(_ name: String = "signal", id: RequestID = "") throws(Rejection) -> Transition {
        try handle(.signal(SignalRun(WorkflowExecutionSignaled(signalName: name, requestID: id))))
    }

    /// Takes the workflow task that is offered.
    @discardableResult
    public mutating func poll(fromSticky: Bool = false, identity: String = "worker") throws(Rejection)
        -> StartedWorkflowTask
    {
        guard let offer = run.outstandingOffers.compactMap(\.workflowTask).first else {
            throw .notFound("no workflow task is offered")
        }
        let requestID = nextRequestID()
        let transition = try handle(
            .startWorkflowTask(
                StartWorkflowTask(
                    scheduledEventID: offer.scheduledEventID, stamp: offer.stamp, identity: identity,
                    requestID: requestID,
                    fromSticky: fromSticky)))
        guard case .workflowTask(let task) = transition.reply else { throw .notFound("no task in the reply") }
        return task
    }

    @discardableResult
    public mutating func complete(
        _ task: StartedWorkflowTask, _ commands: [WorkflowCommand.Kind] = [],
        _ change: (inout CompleteWorkflowTask) -> Void = { _ in }
    ) throws(Rejection) -> Transition {
        let completed = WorkflowTaskCompleted(
            scheduledEventID: task.token.scheduledEventID, startedEventID: task.token.startedEventID, identity: "worker"
        )
        var request = CompleteWorkflowTask(
            token: task.token, commands: commands.map { WorkflowCommand($0) }, completed: completed,
            newRunID: Self.key(UInt64(1000 + history.count)).run)
        change(&request)
        return try handle(.completeWorkflowTask(request))
    }

    /// Takes the offered workflow task and answers it at once.
    @discardableResult
    public mutating func work(_ commands: WorkflowCommand.Kind...) throws(Rejection) -> Transition {
        let task = try poll()
        return try complete(task, commands)
    }

    @discardableResult
    public mutating func fail(
        _ task: StartedWorkflowTask, _ cause: WorkflowTaskFailedCause = .workflowWorkerUnhandledFailure
    ) throws(Rejection) -> Transition {
        try handle(
            .failWorkflowTask(FailWorkflowTask(token: task.token, cause: cause, failure: nil, identity: "worker")))
    }

    /// Takes the first activity that is offered.
    @discardableResult
    public mutating func pollActivity() throws(Rejection) -> StartedActivity {
        guard let offer = run.outstandingOffers.compactMap(\.activityTask).first else {
            throw .notFound("no activity is offered")
        }
        let requestID = nextRequestID()
        let transition = try handle(
            .startActivity(
                StartActivity(
                    scheduledEventID: offer.scheduledEventID, attempt: offer.attempt, stamp: offer.stamp,
                    identity: "activity worker", requestID: requestID)))
        guard case .activity(let activity) = transition.reply else { throw .notFound("no activity in the reply") }
        return activity
    }

    /// `5 WorkflowTaskScheduled`, one line an event.
    public var listing: [String] { history.map { "\($0.id) \($0.kind.typeName)" } }
}

extension Effect {
    public var workflowTask: WorkflowTaskOffer? {
        if case .offerWorkflowTask(let offer) = self { return offer }
        return nil
    }

    public var activityTask: ActivityTaskOffer? {
        if case .offerActivityTask(let offer) = self { return offer }
        return nil
    }
}

extension WorkflowCommand.Kind {
    /// An activity with the timeouts that most tests want.
    public static func activity(
        _ id: ActivityID, startToClose: TimeSpan = .seconds(10),
        _ change: (inout ScheduleActivityTask) -> Void = { _ in }
    ) -> WorkflowCommand.Kind {
        var wish = ScheduleActivityTask(activityID: id, activityType: "Act", startToCloseTimeout: startToClose)
        change(&wish)
        return .scheduleActivityTask(wish)
    }

    public static func timer(_ id: TimerID, _ span: TimeSpan) -> WorkflowCommand.Kind {
        .startTimer(StartTimer(timerID: id, startToFireTimeout: span))
    }
}

extension Failure {
    /// What a worker sends when its code throws.
    public static func application(
        _ type: String = "Error", nonRetryable: Bool = false, nextRetryDelay: TimeSpan? = nil
    ) -> Failure {
        .opaque(
            Blob(Array(type.utf8)),
            traits: FailureTraits(
                kind: .application, type: type, nonRetryable: nonRetryable, nextRetryDelay: nextRetryDelay))
    }
}
