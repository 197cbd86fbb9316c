import Engine
import History
import RunTestKit
import Testing

@Suite("Options of a run")
struct OptionsTests {
    private var driver = RunDriver()

    private func priority(_ key: Int32) -> RunOptionsChange {
        var change = RunOptionsChange()
        change.priority.key = key
        return change
    }

    private func override(_ value: RunOptionsChange.Override) -> RunOptionsChange {
        var change = RunOptionsChange()
        change.versioningOverride = value
        return change
    }

    @discardableResult
    private mutating func update(_ change: RunOptionsChange, attached: RequestID = "") throws -> Transition {
        try driver.handle(
            .updateOptions(UpdateRunOptions(change: change, attachedRequestID: attached, identity: "operator")))
    }

    private var told: [WorkflowExecutionOptionsUpdated] {
        driver.history.compactMap {
            if case .workflowExecutionOptionsUpdated(let event) = $0.kind { event } else { nil }
        }
    }

    @Test("A new priority moves the task that waits, and activities inherit it")
    mutating func priorities() throws {
        try driver.start()
        let old = try #require(driver.run.outstandingOffers.compactMap(\.workflowTask).first)
        #expect(old.priority == 3)
        let reply = try update(priority(1)).reply
        #expect(reply == .runOptions(RunOptions(priority: Priority(key: 1))))
        let new = try #require(driver.run.outstandingOffers.compactMap(\.workflowTask).first)
        #expect(new.priority == 1 && new.stamp != old.stamp && new.scheduledEventID == old.scheduledEventID)
        #expect(driver.lastTransition.effects.compactMap(\.workflowTask) == [new], "it is offered again")
        #expect(driver.history.last?.workerMayIgnore == true)
        let task = try driver.poll()
        try driver.complete(task, [.activity("a")])
        #expect(driver.run.outstandingOffers.compactMap(\.activityTask).map(\.priority) == [1])
    }

    @Test("A change while a workflow task is started is told after it, and asks for no task of its own")
    mutating func buffered() throws {
        try driver.start()
        let task = try driver.poll()
        try update(priority(2))
        #expect(told.isEmpty)
        let again = try update(priority(2)).reply
        #expect(again == .runOptions(RunOptions(priority: Priority(key: 2))))
        try driver.reload()
        try driver.complete(task)
        #expect(told.map(\.priority) == [Priority(key: 2)], "once, although asked twice")
        #expect(driver.run.outstandingOffers.isEmpty)
    }

    @Test("What changes nothing leaves no event")
    mutating func nothing() throws {
        try driver.start { $0.priority = Priority(key: 2) }
        let before = driver.history.count
        try update(priority(2))
        try update(override(.unset))
        #expect(driver.history.count == before)
    }

    @Test("An override is set and taken away again")
    mutating func overrides() throws {
        try driver.start()
        try update(override(.set(Blob([1]))))
        #expect(driver.run.options.versioningOverride == Blob([1]))
        try update(override(.unset))
        #expect(driver.run.options.versioningOverride == nil)
        #expect(told.map(\.unsetVersioningOverride) == [false, true])
    }

    @Test("A start that met the run is remembered once")
    mutating func attached() throws {
        try driver.start()
        try update(RunOptionsChange(), attached: "second")
        try update(RunOptionsChange(), attached: "second")
        #expect(told.map(\.attachedRequestID) == ["second"])
        #expect(driver.run.attachedRequests.map(\.request) == ["second"])
        #expect(driver.run.attachedRequests.map(\.event) == driver.history.last.map { [$0.id] })
    }

    @Test("A snapshot and the history both bring the options back")
    mutating func kept() throws {
        try driver.start()
        try update(priority(4), attached: "second")
        try driver.reload()
        #expect(driver.run.options.priority == Priority(key: 4))
        #expect(driver.run.attachedRequests.count == 1)
        let folded = try Run.fold(driver.history, key: driver.run.key)
        #expect(driver.run.agrees(withFoldOf: folded) == nil)
        #expect(folded.options == driver.run.options)
    }

    @Test("A closed run keeps its options")
    mutating func closed() throws {
        try driver.start()
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated(reason: "over"))))
        let command = RunCommand.updateOptions(UpdateRunOptions(change: priority(1)))
        let refused = driver.refusal { driver throws(Rejection) in try driver.handle(command) }
        #expect(refused == .notFound("workflow execution already completed"))
    }
}
