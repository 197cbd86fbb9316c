import Engine
import History
import RunTestKit
import Testing

@Suite("Operators and activities")
struct ActivityOperationTests {
    private var driver = RunDriver()

    private mutating func begin(_ change: (inout ScheduleActivityTask) -> Void = { _ in }) throws {
        try driver.start()
        try driver.work(
            .activity("a") { wish in
                wish.retryPolicy = RetryPolicy(initialInterval: .seconds(10), backoffCoefficient: 1)
                change(&wish)
            })
    }

    @discardableResult
    private mutating func operate(
        _ operation: ActivityOperation, on selection: ActivitySelection = .id("a")
    ) throws -> Transition {
        try driver.handle(
            .operateActivities(OperateActivities(selection: selection, operation: operation, identity: "operator")))
    }

    private func refusal(_ operation: ActivityOperation, on selection: ActivitySelection = .id("a")) -> Rejection? {
        driver.refusal { driver throws(Rejection) in
            try driver.handle(
                .operateActivities(
                    OperateActivities(selection: selection, operation: operation, identity: "operator")))
        }
    }

    private mutating func fail(_ activity: StartedActivity) throws {
        try driver.handle(
            .failActivity(
                FailActivity(
                    activity: .token(activity.token), failure: .application(), lastHeartbeatDetails: Blob([5]),
                    identity: "w")))
    }

    private mutating func heartbeat(_ activity: StartedActivity) throws -> Reply {
        try driver.handle(
            .heartbeatActivity(
                HeartbeatActivity(activity: .token(activity.token), details: Blob([1]), identity: "w"))
        ).reply
    }

    private func pause(_ id: RequestID = "p") -> ActivityOperation { .pause(reason: "look", requestID: id) }
    private let unpause = ActivityOperation.unpause(resetAttempts: false, resetHeartbeat: false, delay: .zero)
    private let reset = ActivityOperation.reset(
        resetHeartbeat: false, keepPaused: false, restoreOriginal: false, delay: .zero)

    private var pending: PendingActivityDescription { get throws { try #require(driver.run.pendingActivities.first) } }
    private var offered: [ActivityTaskOffer] { driver.run.outstandingOffers.compactMap(\.activityTask) }

    @Test("A paused activity is not offered, its old offer is stale, and no event tells of it")
    mutating func pausing() throws {
        try begin()
        let stale = try #require(offered.first)
        let events = driver.history.count
        try operate(pause())
        #expect(offered.isEmpty && driver.history.count == events)
        #expect(try pending.state == .paused && pending.pause?.reason == "look")
        let refused = driver.refusal { driver throws(Rejection) in
            try driver.handle(
                .startActivity(
                    StartActivity(
                        scheduledEventID: stale.scheduledEventID, attempt: stale.attempt, stamp: stale.stamp,
                        identity: "w", requestID: "r")))
        }
        #expect(refused?.kind == .notFound)
        try driver.reload()
        try driver.pass(.days(2))
        #expect(offered.isEmpty)
        try operate(pause())
        #expect(refusal(pause("other"))?.kind == .failedPrecondition)
        try operate(unpause)
        try operate(unpause)
        #expect(offered.count == 1 && offered[0].attempt == 1)
    }

    @Test("A running attempt hears of the pause; when it fails the next one waits")
    mutating func pausingRunning() throws {
        try begin()
        let activity = try driver.pollActivity()
        try operate(pause(), on: .type("Act"))
        #expect(try pending.state == .pauseRequested)
        let told = try heartbeat(activity)
        #expect(told == .heartbeat(cancelRequested: false, paused: true, reset: false))
        try fail(activity)
        try driver.pass(.seconds(60))
        #expect(try pending.state == .paused && offered.isEmpty && pending.attempt == 2)
        try operate(.unpause(resetAttempts: true, resetHeartbeat: true, delay: .seconds(3)))
        #expect(offered.isEmpty)
        try driver.pass(.seconds(3))
        #expect(offered.first?.attempt == 1)
        #expect(try pending.heartbeatDetails == nil)
    }

    @Test("A reset ends the back-off and counts from 1; a running attempt goes on and is told")
    mutating func resetting() throws {
        try begin()
        try fail(try driver.pollActivity())
        #expect(offered.isEmpty)
        try operate(reset)
        #expect(offered.first?.attempt == 1)
        let activity = try driver.pollActivity()
        try operate(.reset(resetHeartbeat: true, keepPaused: false, restoreOriginal: false, delay: .zero))
        let told = try heartbeat(activity)
        #expect(told == .heartbeat(cancelRequested: false, paused: false, reset: true))
        try fail(activity)
        try driver.reload()
        try driver.pass(.seconds(10))
        #expect(offered.first?.attempt == 1)
        #expect(try pending.heartbeatDetails == nil)
    }

    @Test("After a reset the attempts that were do not count against the policy")
    mutating func resetAtTheLastAttempt() throws {
        try begin { $0.retryPolicy?.maximumAttempts = 1 }
        let activity = try driver.pollActivity()
        try operate(reset)
        try fail(activity)
        try driver.pass(.seconds(10))
        #expect(offered.first?.attempt == 1)
        try fail(try driver.pollActivity())
        #expect(driver.run.pendingActivities.isEmpty)
    }

    @Test("Options change for what waits and what runs, and the original ones come back")
    mutating func options() throws {
        try begin()
        let original = try pending.options
        var change = ActivityTaskOptionsChange()
        change.taskQueue = "other"
        change.startToCloseTimeout = .seconds(7)
        change.maximumAttempts = 3
        let reply = try operate(.change(change)).reply
        guard case .activityOptions(let changed?) = reply else {
            return #expect(Bool(false), "no options in the reply")
        }
        #expect(changed.taskQueue == "other" && changed.startToCloseTimeout == .seconds(7))
        #expect(changed.retryPolicy.maximumAttempts == 3 && changed.retryPolicy.initialInterval == .seconds(10))
        #expect(offered.first?.queue == "other")
        _ = try driver.pollActivity()
        #expect(driver.run.nextDeadline == driver.now.advanced(by: .seconds(7)))
        try driver.reload()
        try operate(.restoreOptions)
        #expect(try pending.options == original)
        try operate(.restoreOptions)
        change.startToCloseTimeout = .seconds(-1)
        #expect(refusal(.change(change))?.kind == .invalidArgument)
        #expect(try pending.options == original)
    }

    @Test("Nobody who is meant is refused by name; a closed run has none")
    mutating func nobody() throws {
        try begin()
        for selection in [ActivitySelection.id("b"), .type("nothing")] {
            #expect(
                refusal(unpause, on: selection)?.message
                    == "Can't find pending activity with such ID. Invalid activityID or activity already completed")
        }
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated(reason: "", identity: ""))))
        #expect(refusal(unpause, on: .all)?.kind == .notFound)
    }
}
