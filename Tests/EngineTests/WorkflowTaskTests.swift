import Engine
import History
import RunTestKit
import Testing

@Suite("Workflow tasks")
struct WorkflowTaskTests {
    private var driver = RunDriver()
    private let sticky = StickyAttributes(queue: "sticky", scheduleToStartTimeout: .seconds(10))

    @Test("Taking a task stores nothing and is shown to readers")
    mutating func takingStoresNothing() throws {
        try driver.start()
        let task = try driver.poll()
        #expect(driver.lastTransition.events.isEmpty && !driver.lastTransition.isDurable)
        #expect(task.previousStartedEventID == .none)
        #expect(driver.run.unrecordedEvents.map(\.id) == [EventID(3)])
        #expect(task.unrecorded == driver.run.unrecordedEvents)
        #expect(driver.run.outstandingOffers.isEmpty)
        try driver.reload()
        #expect(driver.run.outstandingOffers.count == 1)
        let refusal = driver.refusal { copy throws(Rejection) in try copy.complete(task) }
        #expect(refusal == Rejection.notFound("Workflow task not found."))
    }

    @Test("The same poll gets the same task again, another poll gets nothing")
    mutating func samePollSameTask() throws {
        try driver.start()
        let offer = try #require(driver.run.outstandingOffers.compactMap(\.workflowTask).first)
        func take(_ request: RequestID) -> RunCommand {
            .startWorkflowTask(
                StartWorkflowTask(
                    scheduledEventID: offer.scheduledEventID, stamp: offer.stamp, identity: "w", requestID: request,
                    fromSticky: false))
        }
        let first = try driver.handle(take("p1")).reply
        let reply1 = try driver.handle(take("p1")).reply
        #expect(reply1 == first)
        let refusal = driver.refusal { copy throws(Rejection) in try copy.handle(take("p2")) }
        #expect(refusal != nil)
    }

    @Test("Start to close: recorded for attempt 1, silent and ever slower after it")
    mutating func startToClose() throws {
        try driver.start { $0.workflowTaskTimeout = .seconds(2) }
        try driver.poll()
        try driver.pass(.milliseconds(1999))
        #expect(driver.lastTransition.events.isEmpty)
        try driver.pass(.milliseconds(1))
        #expect(Array(driver.listing.suffix(2)) == ["3 WorkflowTaskStarted", "4 WorkflowTaskTimedOut"])
        #expect(driver.run.workflowTaskAttempt == 2)
        var waits: [Double] = []
        for attempt in 2...6 {
            let task = try driver.poll()
            #expect(task.token.attempt == Int32(attempt))
            let taken = driver.now
            try driver.passToDeadline()
            waits.append(driver.now.since(taken).secondsAsDouble)
            #expect(driver.lastTransition.events.isEmpty && driver.lastTransition.isDurable)
        }
        #expect(waits[0] == 2 && waits[1] == 2)
        #expect(waits[2] >= 6 && waits[2] <= 7)
        #expect(waits[3] >= 10 && waits[3] <= 12)
        #expect(waits[4] >= 18 && waits[4] <= 22)
        #expect(driver.listing.count == 4)
    }

    @Test("An event ends a series of transient attempts")
    mutating func eventEndsTransientAttempts() throws {
        try driver.start()
        try driver.fail(driver.poll())
        #expect(driver.run.workflowTaskAttempt == 2)
        try driver.signal()
        #expect(
            Array(driver.listing.suffix(3)) == [
                "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled",
            ])
        #expect(driver.run.workflowTaskAttempt == 1)
    }

    @Test("What happens during a transient attempt waits for it and survives a crash")
    mutating func bufferDuringTransientAttempt() throws {
        try driver.start()
        try driver.fail(driver.poll())
        let task = try driver.poll()
        try driver.signal()
        #expect(driver.listing.count == 4)
        try driver.reload()
        #expect(driver.run.startedWorkflowTask == task)
        try driver.complete(task, [.timer("t", .seconds(1))])
        #expect(
            Array(driver.listing.dropFirst(4)) == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskCompleted", "8 TimerStarted",
                "9 WorkflowExecutionSignaled", "10 WorkflowTaskScheduled",
            ])
    }

    @Test("A worker's report of a later attempt is not heard")
    mutating func laterReportsAreNotHeard() throws {
        try driver.start()
        try driver.fail(driver.poll())
        let task = try driver.poll()
        try driver.fail(task)
        #expect(driver.run.startedWorkflowTask == task)
    }

    @Test("Nobody on the sticky queue: the task moves to the normal queue")
    mutating func stickyScheduleToStart() throws {
        try driver.start()
        try driver.complete(driver.poll(), [.timer("t", .hours(1))]) { [sticky] in $0.sticky = sticky }
        try driver.signal()
        try driver.pass(.seconds(10))
        #expect(Array(driver.listing.suffix(2)) == ["8 WorkflowTaskTimedOut", "9 WorkflowTaskScheduled"])
        #expect(
            driver.history[7].kind
                == .workflowTaskTimedOut(
                    WorkflowTaskTimedOut(scheduledEventID: EventID(7), timeoutType: .scheduleToStart)))
        #expect(driver.run.stickyQueue == nil)
        let offer = try #require(driver.run.outstandingOffers.compactMap(\.workflowTask).first)
        #expect(offer.queue == TaskQueue("queue") && offer.attempt == 1)
    }

    @Test("Resetting the sticky queue offers the task on the normal one, without an event")
    mutating func resetSticky() throws {
        try driver.start()
        try driver.complete(driver.poll(), [.timer("t", .hours(1))]) { [sticky] in $0.sticky = sticky }
        try driver.signal()
        let before = try #require(driver.run.outstandingOffers.compactMap(\.workflowTask).first)
        let transition = try driver.handle(.resetSticky)
        let after = try #require(transition.effects.compactMap(\.workflowTask).first)
        #expect(transition.events.isEmpty)
        #expect(after.queue == TaskQueue("queue") && after.stamp != before.stamp)
        #expect(driver.run.nextDeadline == driver.now.advanced(by: .hours(1)))
    }

    @Test("The next task comes back with the completion")
    mutating func newTaskInline() throws {
        try driver.start()
        let task = try driver.poll()
        try driver.signal()
        let reply = try driver.complete(task, [.timer("t", .hours(1))]) { request in
            request.sticky = StickyAttributes(queue: "sticky", scheduleToStartTimeout: .seconds(10))
            request.returnNewTask = "next"
        }.reply
        guard case .workflowTaskCompleted(let next?, _, _) = reply else { return #expect(Bool(false), "\(reply)") }
        #expect(next.previousStartedEventID == task.token.startedEventID)
        #expect(next.token.startedEventID == EventID(8))
        #expect(driver.lastTransition.effects.isEmpty)
        try driver.complete(next, [.completeWorkflowExecution(result: nil)])
        #expect(driver.run.status == .completed)
    }

    @Test("A heartbeat keeps the first scheduled time and ends after 30 minutes")
    mutating func heartbeat() throws {
        try driver.start { $0.workflowTaskTimeout = .seconds(120) }
        var task = try driver.poll()
        let beginning = driver.now
        for _ in 0..<18 {
            driver.now = driver.now.advanced(by: .seconds(100))
            let reply = try driver.complete(task) { request in
                request.forceNewTask = true
                request.returnNewTask = "again"
            }.reply
            guard case .workflowTaskCompleted(let next?, _, _) = reply else { return #expect(Bool(false), "\(reply)") }
            #expect(driver.run.pendingWorkflowTask?.originalScheduledTime == beginning)
            task = next
        }
        driver.now = driver.now.advanced(by: .seconds(1))
        let last = try driver.complete(task) { $0.forceNewTask = true }.reply
        #expect(last == .rejected(.notFound("workflow task heartbeat timeout")))
        #expect(driver.listing.last?.hasSuffix("WorkflowTaskTimedOut") == true)
    }

    @Test("A full buffer ends the task by force")
    mutating func fullBuffer() throws {
        driver.limits.bufferedEventsMax = 3
        try driver.start()
        let task = try driver.poll()
        for _ in 0..<4 { try driver.signal() }
        #expect(
            Array(driver.listing.dropFirst(2)) == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowExecutionSignaled",
                "7 WorkflowExecutionSignaled", "8 WorkflowExecutionSignaled", "9 WorkflowTaskScheduled",
            ])
        let refusal = driver.refusal { copy throws(Rejection) in try copy.complete(task) }
        #expect(refusal != nil)
    }

    @Test("Starts come before ends when the buffer flows")
    mutating func bufferOrder() throws {
        try driver.start()
        try driver.work(.activity("a"))
        let activity = try driver.pollActivity()
        try driver.signal()
        let task = try driver.poll()
        try driver.handle(
            .completeActivity(CompleteActivity(activity: .token(activity.token), result: nil, identity: "w")))
        try driver.signal()
        try driver.complete(task)
        #expect(
            Array(driver.listing.suffix(5)) == [
                "9 WorkflowTaskCompleted", "10 ActivityTaskStarted", "11 WorkflowExecutionSignaled",
                "12 ActivityTaskCompleted", "13 WorkflowTaskScheduled",
            ])
    }

    @Test("A timer that fired into the buffer can still be cancelled")
    mutating func cancelOfABufferedFiring() throws {
        try driver.start()
        try driver.work(.timer("t", .seconds(1)))
        try driver.signal()
        let task = try driver.poll()
        try driver.pass(.seconds(1))
        #expect(driver.run.bufferedEventCount == 1)
        try driver.complete(task, [.cancelTimer("t"), .completeWorkflowExecution(result: nil)])
        #expect(Array(driver.listing.suffix(2)) == ["10 TimerCanceled", "11 WorkflowExecutionCompleted"])
    }

    @Test("A bad command undoes the whole completion")
    mutating func badCommand() throws {
        try driver.start()
        try driver.work(.timer("old", .hours(1)), .activity("old"))
        try driver.signal()
        let task = try driver.poll()
        let reply = try driver.complete(
            task,
            [
                .timer("new", .seconds(1)), .activity("new"), .cancelTimer("old"),
                .requestCancelActivityTask(scheduledEventID: EventID(6)), .timer("old", .seconds(5)),
                .timer("", .seconds(1)),
            ]
        ).reply
        #expect(reply == .rejected(.invalid("BadStartTimerAttributes: TimerId is not set on StartTimerCommand.")))
        #expect(
            Array(driver.listing.suffix(2)) == ["9 WorkflowTaskStarted", "10 WorkflowTaskFailed"])
        #expect(driver.run.pendingTimerCount == 1)
        #expect(driver.run.pendingActivities.map(\.activityID) == ["old"])
        #expect(driver.run.agrees(withFoldOf: try Run.fold(driver.history)) == nil)
        // The second time it is only answered.
        let again = try driver.poll()
        let before = driver.run
        #expect(throws: Rejection.invalid("BadStartTimerAttributes: TimerId is not set on StartTimerCommand.")) {
            try driver.complete(again, [.timer("x", .seconds(1)), .timer("", .seconds(1))])
        }
        #expect(driver.run == before)
    }

    @Test("A payload that is too large ends the run")
    mutating func oversizePayload() throws {
        driver.limits.blobBytesMax = 10
        try driver.start()
        let reply = try driver.work(.completeWorkflowExecution(result: Blob([UInt8](repeating: 0, count: 11)))).reply
        guard case .rejected = reply else { return #expect(Bool(false), "\(reply)") }
        #expect(driver.run.status == .terminated)
        #expect(Array(driver.listing.suffix(2)) == ["4 WorkflowTaskFailed", "5 WorkflowExecutionTerminated"])
    }

    @Test("A closing command stands last")
    mutating func sequence() throws {
        try driver.start()
        let task = try driver.poll()
        let before = driver.run
        #expect(throws: Rejection.self) {
            try driver.complete(task, [.completeWorkflowExecution(result: nil), .timer("t", .seconds(1))])
        }
        #expect(driver.run == before)
    }

    @Test("Many events: the worker is told to continue as new; too many end the run")
    mutating func longHistories() throws {
        driver.limits.suggestContinueAsNewEvents = 10
        driver.limits.historyEventsMax = 20
        try driver.start()
        for _ in 0..<8 { try driver.signal() }
        let task = try driver.poll()
        guard case .workflowTaskStarted(let started) = try #require(task.unrecorded.last).kind else { return }
        #expect(started.suggestContinueAsNew)
        try driver.complete(task)
        for _ in 0..<9 where driver.run.status == .running { try driver.signal() }
        #expect(driver.run.status == .terminated)
        #expect(driver.listing.last?.hasSuffix("WorkflowExecutionTerminated") == true)
    }

    @Test("The first task waits for the start delay; signals wait with it")
    mutating func startDelay() throws {
        try driver.start { $0.firstWorkflowTaskBackoff = .seconds(30) }
        try driver.signal()
        #expect(driver.listing == ["1 WorkflowExecutionStarted", "2 WorkflowExecutionSignaled"])
        #expect(driver.run.executionTime == driver.now.advanced(by: .seconds(30)))
        try driver.pass(.seconds(29))
        #expect(driver.listing.count == 2)
        try driver.pass(.seconds(1))
        #expect(driver.listing.last == "3 WorkflowTaskScheduled")
        #expect(driver.lastTransition.effects.count == 1)
    }

    @Test("Eager start hands the first task out with the reply")
    mutating func eagerStart() throws {
        var request = StartRun(key: RunDriver.key(), attributes: RunDriver.attributes())
        request.eager = StartWorkflowTask(
            scheduledEventID: .none, stamp: 0, identity: "eager", requestID: "r", fromSticky: false)
        let transition = try driver.handle(.start(request))
        guard case .started(let task?) = transition.reply else { return #expect(Bool(false), "\(transition.reply)") }
        #expect(transition.effects.isEmpty)
        #expect(driver.run.started?.eagerExecutionAccepted == true)
        try driver.complete(task, [.completeWorkflowExecution(result: nil)])
        #expect(driver.listing.count == 5)
    }

    @Test("A completion that is refused after it closed the run leaves everything pending")
    func refusedAfterTheClose() throws {
        var driver = RunDriver()
        try driver.start()
        try driver.work(
            .timer("t", .seconds(5)), .activity("a"),
            .signalExternalWorkflow(SignalExternal(execution: WorkflowReference(workflow: "w"), signalName: "s")))
        try driver.signal()
        let task = try driver.poll()
        let answer = ProtocolMessage(
            id: "m", update: "unknown", body: .response(identity: "worker", outcome: Blob([1])))
        let rejection = ProtocolMessage(id: "r", update: "unknown", body: .rejection(failure: nil, request: nil))
        let transition = try driver.complete(task, [.cancelTimer("t"), .completeWorkflowExecution(result: nil)]) {
            $0.messages = [answer, rejection]
        }
        guard case .rejected = transition.reply else { throw Rejection.invalid("it was accepted") }
        #expect(driver.run.status == .running)
        #expect(driver.run.pendingTimerIDs == ["t"] && driver.run.pendingActivities.count == 1)
        #expect(driver.run.pendingExternalCount == 1)
        #expect(driver.run.agrees(withFoldOf: try Run.fold(driver.history)) == nil)
        try driver.pass(.seconds(5))
        #expect(driver.listing.contains { $0.hasSuffix("TimerFired") })
    }
}
