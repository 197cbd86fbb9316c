import Engine
import History
import RunTestKit
import Testing

@Suite("Activities")
struct ActivityTests {
    private var driver = RunDriver()

    private func failure(_ activity: StartedActivity, _ failure: Failure = .application()) -> RunCommand {
        .failActivity(
            FailActivity(activity: .token(activity.token), failure: failure, lastHeartbeatDetails: nil, identity: "w"))
    }

    private func completion(_ activity: StartedActivity) -> RunCommand {
        .completeActivity(CompleteActivity(activity: .token(activity.token), result: nil, identity: "w"))
    }

    private mutating func schedule(_ change: (inout ScheduleActivityTask) -> Void = { _ in }) throws {
        try driver.start()
        try driver.work(.activity("a", change))
    }

    private var timedOut: ActivityTaskTimedOut? {
        for event in driver.history { if case .activityTaskTimedOut(let attributes) = event.kind { return attributes } }
        return nil
    }

    private var failed: ActivityTaskFailed? {
        for event in driver.history { if case .activityTaskFailed(let attributes) = event.kind { return attributes } }
        return nil
    }

    @Test("Timeouts and policy are filled in")
    mutating func normalisation() throws {
        try driver.start { $0.workflowRunTimeout = .seconds(100) }
        try driver.work(
            .activity("a", startToClose: .seconds(10)) { $0.heartbeatTimeout = .seconds(20) },
            .activity("b", startToClose: .zero) { $0.scheduleToCloseTimeout = .seconds(30) })
        guard case .activityTaskScheduled(let first) = driver.history[4].kind,
            case .activityTaskScheduled(let second) = driver.history[5].kind
        else { return #expect(Bool(false), "\(driver.listing)") }
        #expect(first.scheduleToCloseTimeout == .seconds(100) && first.scheduleToStartTimeout == .seconds(100))
        #expect(first.startToCloseTimeout == .seconds(10) && first.heartbeatTimeout == .seconds(10))
        #expect(
            first.retryPolicy
                == RetryPolicy(
                    initialInterval: .seconds(1), backoffCoefficient: 2, maximumInterval: .seconds(100)))
        #expect(first.taskQueue == TaskQueue("queue"))
        #expect(second.scheduleToStartTimeout == .seconds(30) && second.startToCloseTimeout == .seconds(30))
    }

    @Test(
        "A wish that cannot be is refused by its name",
        arguments: [
            (WorkflowCommand.Kind.activity(""), "BadScheduleActivityAttributes"),
            (.activity("a", startToClose: .zero), "BadScheduleActivityAttributes"),
            (.activity("a", startToClose: .seconds(-1)), "BadScheduleActivityAttributes"),
            (.activity("a") { $0.activityType = "" }, "BadScheduleActivityAttributes"),
            (.activity("a") { $0.retryPolicy = RetryPolicy(backoffCoefficient: 0.5) }, "BadScheduleActivityAttributes"),
            (.activity("a") { $0.retryPolicy = RetryPolicy(maximumAttempts: -1) }, "BadScheduleActivityAttributes"),
            (.requestCancelActivityTask(scheduledEventID: EventID(77)), "BadRequestCancelActivityAttributes"),
            (.cancelTimer("t"), "BadCancelTimerAttributes"),
            (.timer("t", .seconds(-1)), "BadStartTimerAttributes"),
            (.recordMarker(RecordMarker(markerName: "")), "BadRecordMarkerAttributes"),
            (.failWorkflowExecution(failure: nil), "BadFailWorkflowExecutionAttributes"),
            (.upsertWorkflowSearchAttributes(.empty), "BadSearchAttributes"),
            (.modifyWorkflowProperties(upsertedMemo: .empty), "BadModifyWorkflowPropertiesAttributes"),
            (.unsupported(commandType: 11), "FeatureDisabled"),
        ])
    mutating func badWishes(command: WorkflowCommand.Kind, cause: String) throws {
        try driver.start()
        guard case .rejected(let rejection) = try driver.work(command).reply else {
            return #expect(Bool(false), "accepted \(command)")
        }
        #expect(rejection.message.hasPrefix(cause + ": "))
        #expect(driver.listing.last == "4 WorkflowTaskFailed")
    }

    @Test("Two pending activities cannot have one id")
    mutating func duplicateID() throws {
        try driver.start()
        guard case .rejected(let rejection) = try driver.work(.activity("a"), .activity("a")).reply else { return }
        #expect(rejection.message.hasPrefix("ScheduleActivityDuplicateId"))
    }

    @Test("A failure is tried again after its back-off, without an event")
    mutating func retry() throws {
        try schedule { $0.retryPolicy = RetryPolicy(maximumAttempts: 3) }
        var activity = try driver.pollActivity()
        try driver.handle(failure(activity))
        #expect(driver.lastTransition.events.isEmpty && driver.lastTransition.isDurable)
        #expect(driver.attempts.map(\.attempt) == [1])
        #expect(driver.attempts[0].retryAt == driver.now.advanced(by: .seconds(1)))
        #expect(driver.run.outstandingOffers.isEmpty)
        #expect(driver.run.pendingActivities.first?.nextAttemptScheduledTime == driver.now.advanced(by: .seconds(1)))
        try driver.pass(.milliseconds(999))
        #expect(driver.run.outstandingOffers.isEmpty)
        try driver.pass(.milliseconds(1))
        #expect(driver.lastTransition.effects.compactMap(\.activityTask).map(\.attempt) == [2])
        let old = activity
        activity = try driver.pollActivity()
        let refusal = driver.refusal { copy throws(Rejection) in try copy.handle(completion(old)) }
        #expect(refusal != nil)
        try driver.handle(failure(activity))
        try driver.pass(.seconds(2))
        activity = try driver.pollActivity()
        #expect(activity.token.attempt == 3)
        try driver.handle(failure(activity))
        #expect(failed?.retryState == .maximumAttemptsReached)
        guard case .activityTaskStarted(let started) = driver.history[5].kind else { return #expect(Bool(false)) }
        #expect(started.attempt == 3 && started.lastFailure == .application())
    }

    @Test("The worker's own delay replaces the back-off")
    mutating func requestedDelay() throws {
        try schedule()
        try driver.handle(failure(driver.pollActivity(), .application(nextRetryDelay: .seconds(7))))
        #expect(driver.run.nextDeadline == driver.now.advanced(by: .seconds(7)))
    }

    @Test("Failures that are not tried again")
    mutating func notRetryable() throws {
        try schedule { $0.retryPolicy = RetryPolicy(nonRetryableErrorTypes: ["Fatal"]) }
        try driver.handle(failure(driver.pollActivity(), .application("Fatal")))
        #expect(failed?.retryState == .nonRetryableFailure)
        driver = RunDriver()
        try schedule()
        try driver.handle(failure(driver.pollActivity(), .application(nonRetryable: true)))
        #expect(failed?.retryState == .nonRetryableFailure)
    }

    @Test("No retry begins after schedule to close")
    mutating func noTimeLeft() throws {
        try schedule { wish in
            wish.scheduleToCloseTimeout = .seconds(10)
            wish.retryPolicy = RetryPolicy(initialInterval: .seconds(20))
        }
        try driver.handle(failure(driver.pollActivity()))
        #expect(failed?.retryState == .timeout)
        driver = RunDriver()
        try schedule { wish in
            wish.startToCloseTimeout = .seconds(5)
            wish.scheduleToCloseTimeout = .seconds(10)
            wish.retryPolicy = RetryPolicy(initialInterval: .seconds(20))
        }
        _ = try driver.pollActivity()
        try driver.pass(.seconds(5))
        #expect(timedOut?.retryState == .timeout)
        #expect(
            timedOut?.failure.traits.message
                == "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying")
        #expect(timedOut?.failure.traits.timeoutType == .scheduleToClose)
    }

    @Test("Start to close is tried again, and named with its cause at the end")
    mutating func startToClose() throws {
        try schedule { wish in
            wish.startToCloseTimeout = .seconds(5)
            wish.retryPolicy = RetryPolicy(maximumAttempts: 2)
        }
        try driver.handle(
            .failActivity(
                FailActivity(
                    activity: .token(driver.pollActivity().token), failure: .application(),
                    lastHeartbeatDetails: Blob([1]),
                    identity: "w")))
        try driver.pass(.seconds(1))
        let activity = try driver.pollActivity()
        #expect(activity.heartbeatDetails == Blob([1]))
        try driver.pass(.milliseconds(4999))
        #expect(timedOut == nil)
        try driver.pass(.milliseconds(1))
        #expect(timedOut?.retryState == .maximumAttemptsReached)
        #expect(
            timedOut?.failure
                == .timeout(
                    message: "activity StartToClose timeout", type: .startToClose, lastHeartbeatDetails: Blob([1]),
                    cause: .application()))
        #expect(timedOut?.startedEventID == EventID(6))
    }

    @Test("Schedule to start and schedule to close end an activity that nobody took")
    mutating func scheduleTimeouts() throws {
        try schedule { $0.scheduleToStartTimeout = .seconds(3) }
        try driver.pass(.seconds(3))
        #expect(timedOut?.failure.traits.message == "activity ScheduleToStart timeout")
        #expect(timedOut?.startedEventID == EventID.none && timedOut?.retryState == .timeout)
        #expect(Array(driver.listing.suffix(2)) == ["6 ActivityTaskTimedOut", "7 WorkflowTaskScheduled"])
        driver = RunDriver()
        try schedule { wish in
            wish.scheduleToCloseTimeout = .seconds(20)
            wish.startToCloseTimeout = .seconds(15)
        }
        driver.now = driver.now.advanced(by: .seconds(10))
        _ = try driver.pollActivity()
        try driver.pass(.seconds(10))
        #expect(timedOut?.failure.traits.message == "activity ScheduleToClose timeout")
    }

    @Test("Heartbeats keep an activity alive")
    mutating func heartbeats() throws {
        try schedule { wish in
            wish.startToCloseTimeout = .seconds(100)
            wish.heartbeatTimeout = .seconds(3)
            wish.retryPolicy = RetryPolicy(maximumAttempts: 1)
        }
        let activity = try driver.pollActivity()
        for count in 1...3 {
            try driver.pass(.seconds(2))
            try driver.handle(
                .heartbeatActivity(
                    HeartbeatActivity(activity: .token(activity.token), details: Blob([UInt8(count)]), identity: "w")))
        }
        #expect(timedOut == nil)
        try driver.pass(.seconds(3))
        #expect(
            timedOut?.failure
                == .timeout(
                    message: "activity Heartbeat timeout", type: .heartbeat, lastHeartbeatDetails: Blob([3]), cause: nil
                ))
    }

    @Test("Cancelling an activity that nobody took ends it at once")
    mutating func cancelOfAnUntakenActivity() throws {
        try schedule()
        try driver.signal()
        try driver.work(.requestCancelActivityTask(scheduledEventID: EventID(5)))
        #expect(
            Array(driver.listing.suffix(3)) == [
                "10 ActivityTaskCancelRequested", "11 ActivityTaskCanceled", "12 WorkflowTaskScheduled",
            ])
        guard case .activityTaskCanceled(let canceled) = driver.history[10].kind else { return }
        let text = String(decoding: try #require(canceled.details).bytes, as: UTF8.self)
        #expect(text.hasSuffix("\"ACTIVITY_ID_NOT_STARTED\"") && text.contains("json/plain"))
        #expect(canceled.latestCancelRequestedEventID == EventID(10) && canceled.startedEventID == EventID.none)
    }

    @Test("A cancelled answer needs a request; a failure after a request is final")
    mutating func cancelAnswers() throws {
        try schedule()
        let activity = try driver.pollActivity()
        let answer = RunCommand.cancelActivity(
            CancelActivity(activity: .token(activity.token), details: nil, identity: "w"))
        let refusal = driver.refusal { copy throws(Rejection) in try copy.handle(answer) }
        #expect(
            refusal
                == Rejection.invalid(
                    "unable to mark activity as canceled without activity being request canceled first"))
        try driver.signal()
        try driver.work(.requestCancelActivityTask(scheduledEventID: EventID(5)))
        try driver.handle(failure(activity))
        #expect(failed?.retryState == .cancelRequested)
    }

    @Test("By its id an activity can be answered from outside")
    mutating func byID() throws {
        try schedule()
        let refusal = driver.refusal { copy throws(Rejection) in
            try copy.handle(.completeActivity(CompleteActivity(activity: .id("b"), result: nil, identity: "out")))
        }
        #expect(refusal != nil)
        try driver.handle(.completeActivity(CompleteActivity(activity: .id("a"), result: Blob([1]), identity: "out")))
        #expect(
            Array(driver.listing.suffix(3)) == [
                "6 ActivityTaskStarted", "7 ActivityTaskCompleted", "8 WorkflowTaskScheduled",
            ])
    }

    @Test("Answers after the end find nothing")
    mutating func lateAnswers() throws {
        try schedule()
        let activity = try driver.pollActivity()
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated(reason: "r"))))
        let text = "invalid activityID or activity already timed out or invoking workflow is completed"
        for command in [
            completion(activity), failure(activity),
            .heartbeatActivity(HeartbeatActivity(activity: .token(activity.token), details: nil, identity: "w")),
        ] {
            let refusal = driver.refusal { copy throws(Rejection) in try copy.handle(command) }
            #expect(refusal == Rejection.notFound(text))
        }
    }

    @Test("Eager activities start with the completion, never more than asked")
    mutating func eager() throws {
        try driver.start()
        let wish = { (change: inout ScheduleActivityTask) in change.requestEagerExecution = true }
        let reply = try driver.complete(
            driver.poll(),
            [
                .activity("a", wish), .activity("b"),
                .activity("c") { change in
                    change.requestEagerExecution = true
                    change.taskQueue = "other"
                },
                .activity("d", wish), .activity("e", wish),
            ]
        ) { $0.eagerRequestIDs = ["e1", "e2"] }.reply
        guard case .workflowTaskCompleted(_, let activities, _) = reply else { return }
        #expect(activities.map(\.token.activityID) == ["a", "d"])
        #expect(driver.lastTransition.effects.compactMap(\.activityTask).count == 3)
        try driver.handle(completion(activities[0]))
        #expect(driver.listing.last == "12 WorkflowTaskScheduled")
    }

    @Test("A late wake does everything that became due meanwhile")
    mutating func lateWake() throws {
        try schedule { $0.scheduleToStartTimeout = .seconds(3) }
        try driver.handle(failure(driver.pollActivity()))
        // Back-off over after 1 s, schedule to start after 4 s, and nobody woke the run before 60 s.
        try driver.pass(.seconds(60))
        #expect(timedOut?.failure.traits.message == "activity ScheduleToStart timeout")
        #expect(
            timedOut?.failure
                == .timeout(
                    message: "activity ScheduleToStart timeout", type: .scheduleToStart, lastHeartbeatDetails: nil,
                    cause: .application()))
        #expect(driver.run.nextDeadline == nil)
    }

    @Test("Status pages see the state, the attempt and the last failure")
    mutating func description() throws {
        try schedule { wish in
            wish.priority = Priority(key: 1)
            wish.retryPolicy = RetryPolicy(maximumAttempts: 5)
        }
        #expect(driver.run.outstandingOffers.compactMap(\.activityTask).first?.priority == 1)
        #expect(driver.run.pendingActivities.map(\.state) == [.scheduled])
        try driver.handle(failure(driver.pollActivity()))
        try driver.pass(.seconds(1))
        let startedAt = driver.now
        try driver.pollActivity()
        try driver.signal()
        try driver.work(.requestCancelActivityTask(scheduledEventID: EventID(5)))
        let shown = try #require(driver.run.pendingActivities.first)
        #expect(shown.state == .cancelRequested && shown.attempt == 2 && shown.maximumAttempts == 5)
        #expect(shown.lastFailure == .application() && shown.lastStartedTime == startedAt)
        #expect(shown.lastWorkerIdentity == "activity worker" && shown.nextAttemptScheduledTime == nil)
        #expect(!driver.run.isRebuiltByHistory)
    }

    @Test("A crash keeps attempts, heartbeats and back-offs")
    mutating func crash() throws {
        try schedule()
        try driver.handle(failure(driver.pollActivity()))
        try driver.reload()
        #expect(driver.run.outstandingOffers.isEmpty)
        try driver.pass(.seconds(1))
        let activity = try driver.pollActivity()
        try driver.reload()
        try driver.handle(completion(activity))
        #expect(driver.listing.last == "8 WorkflowTaskScheduled")
    }
}
