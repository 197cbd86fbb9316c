public import Engine
public import History

/// A run driven by random commands: every kind of them, good and bad, in any order, with crashes and lapses of time.
///
/// The seed determines everything.
public struct SeededRun: Sendable {
    public internal(set) var driver = RunDriver()
    public let seed: UInt64
    var random: SplitMix64
    var task: StartedWorkflowTask?
    /// The other workflows, for a run of a family; nil for a run alone, to which the others are made up.
    var others: [WorkflowReference]?
    /// Stands before the ids that this run's clients and workers make, so that no other run of a family uses them.
    let label: String
    private var oldTasks: [StartedWorkflowTask] = []
    private var activities: [StartedActivity] = []
    private var signals = 0
    private var names = 0
    private var newRuns: UInt64 = 0
    var updates = 0
    /// Accepted and not completed, as far as the worker knows.
    var runningUpdates: [UpdateID] = []
    /// How many commands were done and how many refused.
    public private(set) var accepted = 0
    public private(set) var refused = 0

    public init(seed: UInt64) { self.init(seed: seed, label: "", others: nil) }

    init(seed: UInt64, label: String, others: [WorkflowReference]?) {
        self.seed = seed
        self.label = label
        self.others = others
        random = SplitMix64(seed: seed)
        driver.limits.bufferedEventsMax = 6
        driver.limits.pendingActivitiesMax = 5
        driver.limits.pendingTimersMax = 5
        driver.limits.pendingChildrenMax = 4
        driver.limits.pendingExternalSignalsMax = 3
    }

    public var isClosed: Bool { driver.run.status.map { !$0.isOpen } ?? false }

    /// The next random command; it may be impossible.
    public mutating func nextCommand() -> RunCommand {
        guard driver.run.status != nil else { return .start(startRequest(RunDriver.key(seed))) }
        if random.chance(30) { driver.now = driver.now.advanced(by: lapse()) }
        if others == nil, random.chance(28), let command = relatedEvent() { return command }
        if random.chance(70), let command = sensibleCommand() { return command }
        switch random.below(100) {
        case 0..<20: return .signal(signalRequest())
        case 20..<21: return .terminate(TerminateRun(WorkflowExecutionTerminated(reason: "enough", identity: "client")))
        case 21..<26:
            return .requestCancel(
                RequestCancelRun(
                    WorkflowExecutionCancelRequested(cause: "stop", identity: "client"),
                    requestID: RequestID("\(label)cancel")))
        case 26..<36: return startTaskRequest()
        case 36..<46: return completeTaskRequest()
        case 46..<52: return failTaskRequest()
        case 52..<62: return startActivityRequest()
        case 62..<72: return activityAnswer()
        case 72..<75: return .resetSticky
        case 75..<80: return operatorRequest()
        case 80..<86: return .update(updateRequest())
        default:
            if random.chance(60), let next = driver.run.nextDeadline { driver.now = max(driver.now, next) }
            return .wake
        }
    }

    /// Something that a client or worker in its right mind does next, if there is anything.
    private mutating func sensibleCommand() -> RunCommand? {
        var choices: [Int] = []
        let offers = driver.run.outstandingOffers
        if task != nil { choices += [0, 0] }
        if offers.contains(where: { $0.workflowTask != nil }) { choices.append(1) }
        if offers.contains(where: { $0.activityTask != nil }) { choices.append(2) }
        if !activities.isEmpty { choices.append(3) }
        switch random.pick(choices) {
        case 0: return completeTaskRequest()
        case 1: return startTaskRequest()
        case 2: return startActivityRequest()
        case 3: return activityAnswer()
        default: return nil
        }
    }

    /// Does `command`; a refusal is remembered and returned.
    public mutating func perform(_ command: RunCommand) -> Rejection? {
        do {
            let transition = try driver.handle(command)
            accepted += 1
            follow(transition)
            return nil
        } catch {
            refused += 1
            return error
        }
    }

    /// A crash and a load; leases in memory are gone.
    public mutating func crash() throws(Corruption) {
        try driver.reload()
        noticeLostTask()
    }

    /// A crash of a run that is stored without a snapshot; false when it needs one.
    mutating func crashWithoutSnapshot() throws(Corruption) -> Bool {
        guard try driver.rebuild() else { return false }
        noticeLostTask()
        return true
    }

    private mutating func noticeLostTask() {
        if driver.run.startedWorkflowTask?.token != task?.token { forgetTask() }
    }

    private mutating func follow(_ transition: Transition) {
        switch transition.reply {
        case .workflowTask(let started): task = started
        case .started(let eager): if let eager { task = eager }
        case .workflowTaskCompleted(let newTask, let eager, _):
            forgetTask()
            task = newTask
            activities += eager
        case .activity(let activity): activities.append(activity)
        case .done, .duplicate, .heartbeat, .update, .rejected, .received, .activityOptions, .runOptions: break
        }
        noticeLostTask()
    }

    private mutating func forgetTask() {
        if let task { oldTasks.append(task) }
        task = nil
    }

    private mutating func lapse() -> TimeSpan {
        // A family has many clocks' worth of steps: each lets less time go by.
        if others != nil { return .milliseconds(Int64(random.below(500))) }
        return switch random.below(4) {
        case 0: .milliseconds(Int64(random.below(50)))
        case 1: .milliseconds(Int64(random.below(3000)))
        case 2: .seconds(Int64(random.below(15)))
        default: TimeSpan(nanoseconds: Int64(random.below(1000)))
        }
    }

    mutating func startRequest(_ key: RunKey) -> StartRun {
        var attributes = RunDriver.attributes(key)
        attributes.input = Blob([1, 2, 3])
        if random.chance(15) { attributes.firstWorkflowTaskBackoff = .seconds(Int64(random.below(20))) }
        if random.chance(15) { attributes.workflowRunTimeout = .seconds(Int64(20 + random.below(200))) }
        if random.chance(10) { attributes.workflowExecutionTimeout = .seconds(Int64(20 + random.below(300))) }
        if random.chance(20) { attributes.retryPolicy = RetryPolicy(maximumAttempts: 3) }
        if random.chance(8) {
            attributes.cronSchedule = "* * * * *"
            attributes.firstWorkflowTaskBackoff = .zero
        }
        var request = StartRun(key: key, attributes: attributes)
        if random.chance(15) { request.signal = signalRequest() }
        if random.chance(20) {
            request.eager = StartWorkflowTask(
                scheduledEventID: .none, stamp: 0, identity: "eager", requestID: "eager", fromSticky: false)
        }
        return request
    }

    private mutating func signalRequest() -> SignalRun {
        if !random.chance(10) { signals += 1 }
        let request = random.chance(20) ? RequestID("") : RequestID("\(label)signal-\(signals)")
        return SignalRun(
            WorkflowExecutionSignaled(signalName: "s", input: Blob([7]), identity: "client", requestID: request))
    }

    private mutating func startTaskRequest() -> RunCommand {
        let offer = driver.run.outstandingOffers.compactMap(\.workflowTask).first
        let fromSticky = offer?.queue.kind == .sticky && random.chance(80)
        var stamp = offer?.stamp ?? 0
        if random.chance(5) { stamp -= 1 }
        return .startWorkflowTask(
            StartWorkflowTask(
                scheduledEventID: offer?.scheduledEventID ?? EventID(2), stamp: stamp, identity: "worker",
                requestID: driver.nextRequestID(), fromSticky: fromSticky))
    }

    private mutating func token() -> WorkflowTaskToken {
        if let task, !random.chance(4) { return task.token }
        if let old = random.pick(oldTasks) { return old.token }
        return WorkflowTaskToken(
            run: driver.run.key, scheduledEventID: EventID(2), startedEventID: EventID(3), attempt: 1, requestID: "none"
        )
    }

    private mutating func completeTaskRequest() -> RunCommand {
        let token = token()
        var commands: [WorkflowCommand] = []
        for _ in 0..<random.below(3) { commands.append(WorkflowCommand(randomCommand())) }
        let messages = updateMessages(&commands)
        if random.chance(others == nil ? 6 : 14) { commands.append(WorkflowCommand(closingCommand())) }
        if random.chance(2) { commands.insert(WorkflowCommand(closingCommand()), at: 0) }
        let completed = WorkflowTaskCompleted(
            scheduledEventID: token.scheduledEventID, startedEventID: token.startedEventID, identity: "worker")
        let newTask = random.chance(40) ? driver.nextRequestID() : nil
        let sticky =
            random.chance(60) ? StickyAttributes(queue: "sticky", scheduleToStartTimeout: .seconds(10)) : nil
        return .completeWorkflowTask(
            CompleteWorkflowTask(
                token: token, commands: commands, completed: completed, sticky: sticky, returnNewTask: newTask,
                forceNewTask: random.chance(10), newRunID: newRunID(),
                eagerRequestIDs: random.chance(30) ? [driver.nextRequestID()] : [], messages: messages,
                discardsEvents: random.chance(50)))
    }

    /// The id of the run that may follow this one.
    private mutating func newRunID() -> RunID {
        guard others != nil else { return RunDriver.key(seed + 1_000_000).run }
        newRuns += 1
        return RunDriver.key(seed &* 1000 &+ newRuns).run
    }

    private mutating func failTaskRequest() -> RunCommand {
        let cause: WorkflowTaskFailedCause = random.chance(5) ? .grpcMessageTooLarge : .workflowWorkerUnhandledFailure
        return .failWorkflowTask(
            FailWorkflowTask(token: token(), cause: cause, failure: .application(), identity: "worker"))
    }

    private mutating func newName() -> String {
        if !random.chance(5) { names += 1 }
        return "\(label)n\(names)"
    }

    private mutating func randomCommand() -> WorkflowCommand.Kind {
        if random.chance(20) { return relatedCommand() }
        switch random.below(20) {
        case 0..<8: return activityCommand()
        case 8..<12: return .timer(TimerID(newName()), .milliseconds(Int64(random.below(20_000))))
        case 12..<14:
            if let timer = random.pick(driver.run.pendingTimerIDs) { return .cancelTimer(timer) }
            return random.chance(5) ? .cancelTimer("nobody") : .timer(TimerID(newName()), .seconds(1))
        case 14..<16:
            let pending = driver.run.pendingActivities.filter { $0.state != .cancelRequested }.map(\.scheduledEventID)
            if let event = random.pick(pending) { return .requestCancelActivityTask(scheduledEventID: event) }
            return random.chance(5) ? .requestCancelActivityTask(scheduledEventID: EventID(5)) : activityCommand()
        case 16:
            return .recordMarker(
                RecordMarker(markerName: "core_local_activity", details: [NamedBlob("data", Blob([1]))]))
        case 17: return .upsertWorkflowSearchAttributes(Blob([0x0A, 0x03, 0x0A, 0x01, 0x61]))
        case 18: return .modifyWorkflowProperties(upsertedMemo: Blob([0x0A, 0x03, 0x0A, 0x01, 0x62]))
        default: return random.chance(5) ? .unsupported(commandType: 17) : .timer(TimerID(newName()), .zero)
        }
    }

    private mutating func activityCommand() -> WorkflowCommand.Kind {
        let id = ActivityID(newName())
        let eager = random.chance(30)
        let choice = random.below(5)
        let attempts = Int32(random.below(4))
        return .activity(id, startToClose: .milliseconds(Int64(1 + random.below(15_000)))) { wish in
            wish.input = Blob([9])
            wish.requestEagerExecution = eager
            wish.retryPolicy = RetryPolicy(maximumAttempts: attempts)
            if choice == 0 { wish.scheduleToCloseTimeout = .seconds(30) }
            if choice == 1 { wish.heartbeatTimeout = .seconds(3) }
            if choice == 2 { wish.scheduleToStartTimeout = .seconds(5) }
        }
    }

    private mutating func closingCommand() -> WorkflowCommand.Kind {
        switch random.below(4) {
        case 0: .failWorkflowExecution(failure: .application())
        case 1: .cancelWorkflowExecution(details: nil)
        case 2: .continueAsNewWorkflowExecution(continuation())
        default: .completeWorkflowExecution(result: Blob([5]))
        }
    }

    private mutating func continuation() -> ContinueAsNew {
        var wish = ContinueAsNew(input: Blob([4]))
        guard others != nil else { return wish }
        if random.chance(20) { wish.backoffStartInterval = .milliseconds(Int64(random.below(3000))) }
        if random.chance(20) { wish.retryPolicy = RetryPolicy(maximumAttempts: 4) }
        if random.chance(10) { wish.cronSchedule = "@every 20s" }
        if random.chance(10) { wish.memo = Blob([0x0A, 0x03, 0x0A, 0x01, 0x63]) }
        return wish
    }

    /// An operator who pauses, resumes, resets and changes whatever is pending.
    private mutating func operatorRequest() -> RunCommand {
        var change = ActivityTaskOptionsChange()
        change.startToCloseTimeout = .milliseconds(Int64(1 + random.below(9000)))
        let operation: ActivityOperation =
            switch random.below(5) {
            case 0: .pause(reason: "look", requestID: RequestID("pause-\(random.below(2))"))
            case 1: .change(change)
            case 2: .restoreOptions
            case 3:
                .reset(
                    resetHeartbeat: random.chance(50), keepPaused: random.chance(20),
                    restoreOriginal: random.chance(50),
                    delay: .milliseconds(Int64(random.below(2000))))
            default:
                .unpause(
                    resetAttempts: random.chance(50), resetHeartbeat: random.chance(50),
                    delay: .milliseconds(Int64(random.below(2000))))
            }
        let id = random.pick(driver.run.pendingActivities.map(\.activityID))
        let selection: ActivitySelection = if let id, random.chance(60) { .id(id) } else { .all }
        return .operateActivities(
            OperateActivities(selection: selection, operation: operation, identity: "operator"))
    }

    private mutating func startActivityRequest() -> RunCommand {
        let offers = driver.run.outstandingOffers.compactMap(\.activityTask)
        guard let offer = random.pick(offers) else { return .wake }
        return .startActivity(
            StartActivity(
                scheduledEventID: offer.scheduledEventID, attempt: offer.attempt,
                stamp: random.chance(3) ? offer.stamp + 1 : offer.stamp, identity: "activity worker",
                requestID: driver.nextRequestID()))
    }

    private mutating func activityAnswer() -> RunCommand {
        guard !activities.isEmpty else { return .wake }
        let index = random.below(activities.count)
        let activity = activities[index]
        if random.chance(50) { activities.remove(at: index) }
        let reference: ActivityReference =
            random.chance(15) ? .id(activity.token.activityID) : .token(activity.token)
        switch random.below(10) {
        case 0..<4:
            return .completeActivity(
                CompleteActivity(activity: reference, result: Blob([6]), identity: "activity worker"))
        case 4..<7:
            let delay: TimeSpan? = random.chance(20) ? .milliseconds(Int64(random.below(4000))) : nil
            let failure = Failure.application("Oops", nonRetryable: random.chance(15), nextRetryDelay: delay)
            return .failActivity(
                FailActivity(
                    activity: reference, failure: failure, lastHeartbeatDetails: nil, identity: "activity worker"))
        case 7..<8:
            return .cancelActivity(CancelActivity(activity: reference, details: nil, identity: "activity worker"))
        default:
            return .heartbeatActivity(
                HeartbeatActivity(activity: reference, details: Blob([8]), identity: "activity worker"))
        }
    }
}
