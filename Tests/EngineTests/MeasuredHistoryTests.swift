import Engine
import History
import RunTestKit
import Testing

/// Histories as protocol.md measured them on the wire, id by id.
@Suite("Measured histories")
struct MeasuredHistoryTests {
    private var driver = RunDriver()

    @Test("Hello")
    mutating func hello() throws {
        try driver.start()
        try driver.work(.completeWorkflowExecution(result: Blob([1])))
        #expect(
            driver.listing == [
                "1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled", "3 WorkflowTaskStarted",
                "4 WorkflowTaskCompleted",
                "5 WorkflowExecutionCompleted",
            ])
        #expect(driver.lastTransition.effects == [.closed(.completed)])
        #expect(driver.run.status == .completed)
    }

    @Test("An activity: its start is recorded with its end")
    mutating func activity() throws {
        try driver.start()
        try driver.work(.activity("a"))
        let activity = try driver.pollActivity()
        #expect(driver.lastTransition.events.isEmpty && driver.lastTransition.isDurable)
        let startedAt = driver.now
        driver.now = driver.now.advanced(by: .seconds(2))
        try driver.handle(
            .completeActivity(CompleteActivity(activity: .token(activity.token), result: nil, identity: "w")))
        #expect(
            Array(driver.listing.dropFirst(4)) == [
                "5 ActivityTaskScheduled", "6 ActivityTaskStarted", "7 ActivityTaskCompleted",
                "8 WorkflowTaskScheduled",
            ])
        #expect(driver.history[5].time == startedAt)
        #expect(
            driver.history[6].kind
                == .activityTaskCompleted(
                    ActivityTaskCompleted(scheduledEventID: EventID(5), startedEventID: EventID(6), identity: "w")))
    }

    @Test("Cancelling an activity that a worker holds")
    mutating func cancelOfAStartedActivity() throws {
        try driver.start()
        try driver.work(.activity("a"))
        let activity = try driver.pollActivity()
        try driver.signal()
        try driver.work(.requestCancelActivityTask(scheduledEventID: EventID(5)))
        #expect(driver.listing.last == "10 ActivityTaskCancelRequested")
        let reply = try driver.handle(
            .heartbeatActivity(HeartbeatActivity(activity: .token(activity.token), details: nil, identity: "w"))
        ).reply
        #expect(reply == .heartbeat(cancelRequested: true, paused: false, reset: false))
        try driver.handle(
            .cancelActivity(CancelActivity(activity: .token(activity.token), details: nil, identity: "w")))
        #expect(
            Array(driver.listing.suffix(4)) == [
                "10 ActivityTaskCancelRequested", "11 ActivityTaskStarted", "12 ActivityTaskCanceled",
                "13 WorkflowTaskScheduled",
            ])
        #expect(
            driver.history[11].kind
                == .activityTaskCanceled(
                    ActivityTaskCanceled(
                        latestCancelRequestedEventID: EventID(10), scheduledEventID: EventID(5),
                        startedEventID: EventID(11),
                        identity: "w")))
    }

    @Test("Timers: one fires, one is cancelled")
    mutating func timers() throws {
        try driver.start()
        try driver.work(.timer("1", .seconds(1)), .timer("2", .seconds(60)))
        #expect(driver.run.nextDeadline == driver.now.advanced(by: .seconds(1)))
        try driver.pass(TimeSpan(nanoseconds: 999_999_999))
        #expect(driver.lastTransition.events.isEmpty && !driver.lastTransition.isDurable)
        try driver.pass(TimeSpan(nanoseconds: 1))
        try driver.work(.timer("3", .seconds(1)), .cancelTimer("2"))
        #expect(
            Array(driver.listing.dropFirst(4)) == [
                "5 TimerStarted", "6 TimerStarted", "7 TimerFired", "8 WorkflowTaskScheduled", "9 WorkflowTaskStarted",
                "10 WorkflowTaskCompleted", "11 TimerStarted", "12 TimerCanceled",
            ])
    }

    @Test("A close that overlooks a signal")
    mutating func unhandledCommand() throws {
        try driver.start()
        let task = try driver.poll()
        try driver.signal()
        #expect(driver.listing.last == "3 WorkflowTaskStarted")
        let reply = try driver.complete(task, [.timer("t", .seconds(1)), .completeWorkflowExecution(result: nil)]).reply
        #expect(reply == .rejected(.invalid("UnhandledCommand")))
        #expect(
            Array(driver.listing.dropFirst(2)) == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowTaskScheduled",
            ])
        guard case .workflowTaskFailed(let failed) = driver.history[3].kind,
            case .workflowTaskScheduled(let scheduled) = driver.history[5].kind
        else { return #expect(Bool(false), "\(driver.listing)") }
        #expect(failed.cause == .unhandledCommand && failed.failure?.traits.message == "UnhandledCommand")
        #expect(scheduled.attempt == 1)
        #expect(driver.run.pendingTimerCount == 0)
        try driver.work(.completeWorkflowExecution(result: nil))
        #expect(driver.run.status == .completed)
    }

    @Test("Failures on the sticky queue and after it")
    mutating func stickyFailure() throws {
        try driver.start()
        let first = try driver.poll()
        try driver.complete(first, [.timer("t", .hours(1))]) { request in
            request.sticky = StickyAttributes(queue: "sticky", scheduleToStartTimeout: .seconds(10))
        }
        try driver.signal()
        // 6 Signaled, 7 WFTScheduled on the sticky queue
        try driver.fail(driver.poll(fromSticky: true))
        try driver.fail(driver.poll())
        #expect(
            Array(driver.listing.dropFirst(6)) == [
                "7 WorkflowTaskScheduled", "8 WorkflowTaskStarted", "9 WorkflowTaskFailed", "10 WorkflowTaskScheduled",
                "11 WorkflowTaskStarted", "12 WorkflowTaskFailed",
            ])
        guard case .workflowTaskScheduled(let sticky) = driver.history[6].kind,
            case .workflowTaskScheduled(let normal) = driver.history[9].kind
        else { return #expect(Bool(false), "\(driver.listing)") }
        #expect(sticky.taskQueue == TaskQueue("sticky", kind: .sticky, normalName: "queue") && sticky.attempt == 1)
        #expect(normal.taskQueue == TaskQueue("queue") && normal.attempt == 1)
        let transient = try driver.poll()
        #expect(transient.token.attempt == 2)
        #expect(transient.unrecorded.map(\.id) == [EventID(13), EventID(14)])
        #expect(!driver.lastTransition.isDurable)
        try driver.complete(transient, [])
        #expect(
            Array(driver.listing.suffix(3)) == [
                "13 WorkflowTaskScheduled", "14 WorkflowTaskStarted", "15 WorkflowTaskCompleted",
            ])
        #expect(
            driver.history[12].kind
                == .workflowTaskScheduled(
                    WorkflowTaskScheduled(taskQueue: TaskQueue("queue"), startToCloseTimeout: .seconds(10), attempt: 2))
        )
    }

    @Test("Terminated while a worker holds a task")
    mutating func terminatedWhileStarted() throws {
        try driver.start()
        let task = try driver.poll()
        try driver.signal()
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated())))
        #expect(
            Array(driver.listing.dropFirst(2)) == [
                "3 WorkflowTaskStarted", "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled",
                "6 WorkflowExecutionTerminated",
            ])
        #expect(
            driver.history[5].kind
                == .workflowExecutionTerminated(
                    WorkflowExecutionTerminated(reason: "terminated by user via frontend")))
        let refusal = driver.refusal { copy throws(Rejection) in try copy.complete(task) }
        #expect(refusal == Rejection.notFound("Workflow task not found."))
    }

    @Test("Signal with start")
    mutating func signalWithStart() throws {
        var request = StartRun(key: RunDriver.key(), attributes: RunDriver.attributes())
        request.signal = SignalRun(WorkflowExecutionSignaled(signalName: "s"))
        try driver.handle(.start(request))
        #expect(
            driver.listing == ["1 WorkflowExecutionStarted", "2 WorkflowExecutionSignaled", "3 WorkflowTaskScheduled"])
    }
}
