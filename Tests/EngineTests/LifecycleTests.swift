import Engine
import History
import RunTestKit
import Testing

@Suite("The life of a run")
struct LifecycleTests {
    private var driver = RunDriver()

    @Test("A second start is the same one or refused")
    mutating func secondStart() throws {
        try driver.start()
        let reply1 = try driver.start().reply
        #expect(reply1 == .duplicate)
        let refusal = driver.refusal { copy throws(Rejection) in try copy.start { $0.requestID = "another" } }
        #expect(refusal != nil)
    }

    @Test("Signals are recognised by their request id, also after a crash and while buffered")
    mutating func signalOnce() throws {
        try driver.start()
        try driver.signal(id: "r1")
        let reply2 = try driver.signal(id: "r1").reply
        #expect(reply2 == .duplicate)
        let task = try driver.poll()
        try driver.signal(id: "r2")
        try driver.reload()
        let reply3 = try driver.signal(id: "r2").reply
        #expect(reply3 == .duplicate)
        try driver.complete(task, [])
        #expect(driver.listing.filter { $0.hasSuffix("Signaled") }.count == 2)
        let reply4 = try driver.signal(id: "r2").reply
        #expect(reply4 == .duplicate)
    }

    @Test("Too many signals are refused")
    mutating func signalLimit() throws {
        driver.limits.signalsPerRunMax = 2
        try driver.start()
        try driver.signal()
        try driver.signal()
        let refusal = driver.refusal { copy throws(Rejection) in try copy.signal() }
        #expect(refusal == Rejection.invalid("exceeded workflow execution limit for signal events"))
    }

    @Test("Cancellation is requested once; later requests and requests to a closed run change nothing")
    mutating func cancelOnce() throws {
        let request = RunCommand.requestCancel(
            RequestCancelRun(WorkflowExecutionCancelRequested(cause: "why", identity: "c"), requestID: "r"))
        try driver.start()
        let task = try driver.poll()
        try driver.handle(request)
        #expect(driver.run.cancelRequested)
        let reply5 = try driver.handle(request).reply
        #expect(reply5 == .duplicate)
        try driver.complete(task, [])
        let reply6 = try driver.handle(request).reply
        #expect(reply6 == .duplicate)
        #expect(driver.listing.filter { $0.hasSuffix("CancelRequested") }.count == 1)
        try driver.work(.cancelWorkflowExecution(details: nil))
        #expect(driver.run.status == .canceled)
        let reply7 = try driver.handle(request).reply
        #expect(reply7 == .duplicate)
        let refusal = driver.refusal { copy throws(Rejection) in try copy.signal() }
        #expect(refusal == Rejection.notFound("workflow execution already completed"))
    }

    @Test("A closed run has no deadline, no offers, nothing pending")
    mutating func closedIsSilent() throws {
        try driver.start { $0.workflowRunTimeout = .seconds(60) }
        try driver.work(.activity("a"), .timer("t", .seconds(1)))
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated(reason: "r"))))
        #expect(driver.run.nextDeadline == nil && driver.run.outstandingOffers.isEmpty)
        #expect(driver.run.pendingActivities.isEmpty && driver.run.pendingTimerCount == 0)
        #expect(driver.run.wakeHint(at: driver.now, horizon: .hours(1)) == nil)
        #expect(driver.run.closeTime == driver.now)
        try driver.pass(.hours(1))
        #expect(driver.lastTransition.events.isEmpty)
    }

    @Test("A run times out, with the task that was started failed first")
    mutating func runTimeout() throws {
        try driver.start { $0.workflowRunTimeout = .seconds(5) }
        try driver.poll()
        try driver.pass(.milliseconds(4999))
        #expect(driver.run.status == .running)
        try driver.pass(.milliseconds(1))
        #expect(
            Array(driver.listing.suffix(3)) == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionTimedOut",
            ])
        #expect(
            driver.history[4].kind
                == .workflowExecutionTimedOut(
                    WorkflowExecutionTimedOut(retryState: .retryPolicyNotSet)))
    }

    @Test("An execution timeout ends the chain although a retry would follow")
    mutating func executionTimeout() throws {
        try driver.start { attributes in
            attributes.workflowExecutionTimeout = .seconds(5)
            attributes.retryPolicy = RetryPolicy()
        }
        #expect(driver.run.runExpirationTime == driver.now.advanced(by: .seconds(5)))
        try driver.passToDeadline()
        #expect(driver.run.status == .timedOut)
        #expect(driver.successors.isEmpty)
        #expect(
            driver.history.last?.kind == .workflowExecutionTimedOut(WorkflowExecutionTimedOut(retryState: .timeout)))
    }

    @Test("Without a policy a failure says so")
    mutating func failureWithoutPolicy() throws {
        try driver.start()
        try driver.work(.failWorkflowExecution(failure: .application()))
        guard case .workflowExecutionFailed(let failed) = try #require(driver.history.last).kind else { return }
        #expect(failed.retryState == .retryPolicyNotSet && failed.newExecutionRunID == nil)
    }

    @Test("A failed run is tried again as a new run, until its attempts are used up")
    mutating func workflowRetry() throws {
        try driver.start { $0.retryPolicy = RetryPolicy(maximumAttempts: 2) }
        try driver.work(.failWorkflowExecution(failure: .application()))
        guard case .workflowExecutionFailed(let failed) = try #require(driver.history.last).kind else { return }
        let next = try #require(driver.successors.first)
        #expect(failed.retryState == .inProgress && failed.newExecutionRunID == next.key.run)
        #expect(next.attributes.attempt == 2 && next.attributes.initiator == .retry)
        #expect(next.attributes.firstWorkflowTaskBackoff == .seconds(1))
        #expect(next.attributes.continuedFailure == .application())
        #expect(next.attributes.continuedExecutionRunID == driver.run.key.run)
        #expect(next.attributes.firstExecutionRunID == driver.run.key.run)
        #expect(next.attributes.originalExecutionRunID == next.key.run)
        var second = RunDriver(at: driver.now)
        try second.handle(.start(next))
        try second.pass(.seconds(1))
        try second.work(.failWorkflowExecution(failure: .application()))
        guard case .workflowExecutionFailed(let last) = try #require(second.history.last).kind else { return }
        #expect(last.retryState == .maximumAttemptsReached && second.successors.isEmpty)
    }

    @Test("A run timeout retries under an id that follows from the run's own")
    mutating func retryAfterRunTimeout() throws {
        try driver.start { attributes in
            attributes.workflowRunTimeout = .seconds(5)
            attributes.retryPolicy = RetryPolicy()
        }
        var twin = driver
        try driver.passToDeadline()
        try twin.passToDeadline()
        let next = try #require(driver.successors.first)
        #expect(next == twin.successors.first)
        #expect(next.key.run.value.utf8.count == 36 && next.key.run != driver.run.key.run)
    }

    @Test("Continue as new keeps what the command leaves open")
    mutating func continueAsNew() throws {
        try driver.start { attributes in
            attributes.memo = Blob([1])
            attributes.input = Blob([2])
            attributes.workflowRunTimeout = .seconds(50)
        }
        let task = try driver.poll()
        try driver.pass(.milliseconds(1500))
        try driver.complete(task, [.continueAsNewWorkflowExecution(ContinueAsNew(input: Blob([3])))])
        let next = try #require(driver.successors.first)
        #expect(driver.run.status == .continuedAsNew)
        #expect(driver.lastTransition.effects == [.closed(.continuedAsNew)])
        #expect(next.attributes.input == Blob([3]) && next.attributes.memo == Blob([1]))
        #expect(next.attributes.workflowType == "Hello" && next.attributes.workflowRunTimeout == .seconds(50))
        #expect(next.attributes.initiator == .workflow && next.attributes.attempt == 1)
        guard case .workflowExecutionContinuedAsNew(let event) = try #require(driver.history.last).kind else { return }
        #expect(event.newExecutionRunID == next.key.run && event.workflowType == "Hello" && event.initiator == nil)
        #expect(next.attributes.firstWorkflowTaskBackoff == .zero)
        var second = RunDriver(at: driver.now)
        try second.handle(.start(next))
        #expect(second.listing == ["1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled"])
    }

    @Test("A run that continues as new too soon makes the next one wait for the rest of the second")
    mutating func continueAsNewPace() throws {
        try driver.start()
        let task = try driver.poll()
        try driver.pass(.milliseconds(300))
        try driver.complete(task, [.continueAsNewWorkflowExecution(ContinueAsNew())])
        let next = try #require(driver.successors.first)
        #expect(next.attributes.firstWorkflowTaskBackoff == .milliseconds(700))
        guard case .workflowExecutionContinuedAsNew(let event) = try #require(driver.history.last).kind else { return }
        #expect(event.backoffStartInterval == .zero)
        var second = RunDriver(at: driver.now)
        try second.handle(.start(next))
        #expect(second.listing == ["1 WorkflowExecutionStarted"])
        try second.pass(.milliseconds(700))
        #expect(second.listing == ["1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled"])
    }

    @Test("A cron workflow waits for its time and goes on with the last result")
    mutating func cron() throws {
        // 2023-11-14T22:13:20Z
        try driver.start { $0.cronSchedule = "*/5 * * * *" }
        #expect(driver.run.started?.initiator == .cronSchedule)
        #expect(driver.run.started?.firstWorkflowTaskBackoff == .seconds(100))
        try driver.pass(.seconds(100))
        try driver.work(.completeWorkflowExecution(result: Blob([9])))
        let next = try #require(driver.successors.first)
        #expect(next.attributes.lastCompletionResult == Blob([9]))
        #expect(next.attributes.initiator == .cronSchedule && next.attributes.firstWorkflowTaskBackoff == .seconds(300))
        guard case .workflowExecutionCompleted(let event) = try #require(driver.history.last).kind else { return }
        #expect(event.newExecutionRunID == next.key.run)
        #expect(throws: Rejection.invalid("invalid CronSchedule.")) {
            var other = RunDriver()
            try other.start { $0.cronSchedule = "61 * * * *" }
        }
    }

    @Test("Memo changes are merged, and go on with the next run")
    mutating func memo() throws {
        // { fields: { "a": { data: "1" } } } and so on
        let one: [UInt8] = [0x0A, 0x08, 0x0A, 0x01, 0x61, 0x12, 0x03, 0x12, 0x01, 0x31]
        let two: [UInt8] = [0x0A, 0x08, 0x0A, 0x01, 0x62, 0x12, 0x03, 0x12, 0x01, 0x32]
        let gone: [UInt8] = [0x0A, 0x05, 0x0A, 0x01, 0x61, 0x12, 0x00]
        try driver.start { $0.memo = Blob(one) }
        #expect(driver.run.memo == Blob(one))
        let task = try driver.poll()
        try driver.complete(
            task,
            [
                .modifyWorkflowProperties(upsertedMemo: Blob(two)), .modifyWorkflowProperties(upsertedMemo: Blob(gone)),
                .continueAsNewWorkflowExecution(ContinueAsNew()),
            ])
        #expect(driver.run.memo == Blob(two))
        #expect(driver.successors.first?.attributes.memo == Blob(two))
    }

    @Test("A load without a snapshot still ends a wait for the sticky queue")
    mutating func foldedStickyTask() throws {
        try driver.start()
        try driver.complete(driver.poll(), [.timer("t", .hours(1))]) { request in
            request.sticky = StickyAttributes(queue: "sticky", scheduleToStartTimeout: .seconds(20))
        }
        try driver.signal()
        #expect(driver.run.nextDeadline == driver.now.advanced(by: .seconds(20)))
        let folded = try Run.fold(driver.history, key: RunDriver.key())
        #expect(folded.nextDeadline == driver.now.advanced(by: .seconds(10)))
    }

    @Test("An activity scheduled and cancelled by one completion is never offered")
    mutating func scheduledAndCancelled() throws {
        try driver.start()
        try driver.work(.activity("a"), .requestCancelActivityTask(scheduledEventID: EventID(5)))
        #expect(driver.lastTransition.effects.compactMap(\.activityTask).isEmpty)
        #expect(driver.listing.last == "8 WorkflowTaskScheduled")
    }

    @Test("What a store keeps as the next moment of a run")
    mutating func wakeHint() throws {
        try driver.start()
        let horizon = TimeSpan.minutes(1)
        #expect(driver.run.wakeHint(at: driver.now, horizon: horizon) == .zero)
        try driver.work(.timer("t", .hours(1)))
        #expect(driver.run.wakeHint(at: driver.now, horizon: horizon) == driver.now.advanced(by: .hours(1)))
        #expect(driver.run.wakeHint(at: driver.now, horizon: .hours(2)) == .zero)
        driver = RunDriver()
        try driver.start()
        try driver.work()
        #expect(driver.run.wakeHint(at: driver.now, horizon: horizon) == nil)
        #expect(driver.run.isRebuiltByHistory)
    }
}

@Suite("Cron schedules")
struct CronTests {
    /// 2023-11-14T22:13:20Z, a Tuesday.
    private static let moment = Int64(1_700_000_000)

    private static let midnight = Int64(6400)
    private static let day = Int64(86_400)
    private static let waits: [(text: String, wait: Int64)] = [
        ("* * * * *", 40), ("0 * * * *", 2800), ("@hourly", 2800), ("@daily", midnight), ("0 0 * * 3", midnight),
        ("0 0 * * WED", midnight), ("0 0 15 * *", midnight), ("0 0 1 12 *", midnight + 16 * day),
        ("0 0 29 2 *", midnight + 106 * day), ("0 0 20 * WED", midnight), ("30 8-10/2 * * *", midnight + 30_600),
        ("@every 90s", 90), ("@every 1h30m", 5400), ("CRON_TZ=UTC 0 0 * * *", midnight),
    ]

    @Test("The next time", arguments: CronTests.waits)
    func next(text: String, wait: Int64) throws {
        var driver = RunDriver(at: Timestamp(nanoseconds: Self.moment * 1_000_000_000))
        try driver.start { $0.cronSchedule = text }
        #expect(driver.run.started?.firstWorkflowTaskBackoff == .seconds(wait), "\(text)")
    }

    @Test(
        "What is not a schedule",
        arguments: [
            "", "* * * *", "* * * * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "@every", "@every x",
            "@sometimes", "CRON_TZ=Mars/Base 0 0 * * *", "1- * * * *", ", * * * *",
        ])
    func nonsense(text: String) {
        #expect(throws: Rejection.self) {
            var driver = RunDriver()
            try driver.start { $0.cronSchedule = text.isEmpty ? " " : text }
        }
    }
}
