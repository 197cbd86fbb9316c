import Engine
import History
import RunTestKit
import Testing

@Suite("Children and other workflows")
struct ChildTests {
    private static let start = WorkflowCommand.Kind.startChildWorkflow(
        StartChildWorkflow(workflowID: "child", workflowType: "Child", input: Blob([1]), header: Blob([2])))

    private func driver(_ commands: WorkflowCommand.Kind...) throws -> RunDriver {
        var driver = RunDriver()
        try driver.start()
        let task = try driver.poll()
        try driver.complete(task, commands) { $0.namespaceName = "default" }
        return driver
    }

    private func settle(_ driver: inout RunDriver, _ outcome: MessageOutcome) throws {
        let message = try #require(driver.run.messages().first)
        try driver.handle(.settleMessage(SettleMessage(number: message.id.number, outcome: outcome)))
    }

    private func childRun(_ driver: RunDriver) throws -> RunID {
        guard case .startChild(let child) = try #require(driver.run.messages().first).body else {
            throw Rejection.invalid("not a start")
        }
        return child.start.key.run
    }

    private func close(_ driver: inout RunDriver, run: RunID, _ end: ChildEnd, number: Int64 = 1) throws {
        let sender = RunKey(namespace: driver.run.key.namespace, workflow: "child", run: run)
        let closed = ChildClosed(end: end, run: run, firstRun: run, initiatedEventID: EventID(5))
        try driver.handle(
            .receive(
                RunMessage(
                    id: MessageID(sender: sender, number: number),
                    target: MessageTarget(namespace: driver.run.key.namespace, workflow: driver.run.key.workflow),
                    body: .childClosed(closed))))
    }

    @Test("A child is asked for, started and ended, each with a workflow task")
    func theWholeWay() throws {
        var driver = try driver(Self.start)
        let run = try childRun(driver)
        try settle(&driver, .childStarted(run))
        #expect(driver.run.pendingChildren.first?.run == run)
        #expect(driver.run.messages().map(\.body) == [.releaseChild])
        try settle(&driver, .done)
        #expect(!driver.run.hasMessages)
        try driver.work()
        try close(&driver, run: run, .completed(result: Blob([7])))
        #expect(
            driver.listing == [
                "1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled", "3 WorkflowTaskStarted",
                "4 WorkflowTaskCompleted", "5 StartChildWorkflowExecutionInitiated", "6 ChildWorkflowExecutionStarted",
                "7 WorkflowTaskScheduled", "8 WorkflowTaskStarted", "9 WorkflowTaskCompleted",
                "10 ChildWorkflowExecutionCompleted", "11 WorkflowTaskScheduled",
            ])
        guard case .childWorkflow(.ended(let ended)) = driver.history[9].kind else { throw Rejection.invalid("no end") }
        #expect(ended.initiatedEventID == EventID(5) && ended.startedEventID == EventID(6))
        #expect(driver.run.pendingChildren.isEmpty)
    }

    @Test("What happens to children while a task is started waits, and ends come last")
    func buffering() throws {
        var driver = try driver(Self.start)
        let run = try childRun(driver)
        try driver.signal("s")
        let task = try driver.poll()
        try settle(&driver, .childStarted(run))
        try close(&driver, run: run, .terminated)
        try close(&driver, run: run, .terminated, number: 2)
        try driver.signal("late")
        #expect(driver.run.bufferedEventCount == 3)
        try driver.complete(task)
        #expect(
            driver.listing.suffix(5) == [
                "9 WorkflowTaskCompleted", "10 ChildWorkflowExecutionStarted", "11 WorkflowExecutionSignaled",
                "12 ChildWorkflowExecutionTerminated", "13 WorkflowTaskScheduled",
            ])
    }

    @Test("A run does not close over the news of its child")
    func unhandledNews() throws {
        var driver = try driver(Self.start)
        let run = try childRun(driver)
        try driver.signal("s")
        let task = try driver.poll()
        try settle(&driver, .childStarted(run))
        let transition = try driver.complete(task, [.completeWorkflowExecution(result: nil)])
        guard case .rejected(let rejection) = transition.reply else { throw Rejection.invalid("it closed") }
        #expect(rejection.message == "UnhandledCommand")
        #expect(driver.run.status == .running)
    }

    @Test("A child that closes before its start is known is recorded as started first")
    func newsInTheWrongOrder() throws {
        var driver = try driver(Self.start)
        let run = try childRun(driver)
        try close(&driver, run: run, .completed(result: nil))
        #expect(
            driver.listing.suffix(3) == [
                "6 ChildWorkflowExecutionStarted", "7 ChildWorkflowExecutionCompleted", "8 WorkflowTaskScheduled",
            ])
        try settle(&driver, .childStarted(run))
        #expect(driver.listing.filter { $0.hasSuffix("ChildWorkflowExecutionStarted") }.count == 1)
    }

    @Test("A held child gets its first workflow task when its parent says so, once")
    func held() throws {
        var parent = try driver(Self.start)
        guard case .startChild(let child) = try #require(parent.run.messages().first).body else { return }
        var run = Run()
        _ = try run.handle(.start(child.start), at: parent.now, limits: Limits())
        #expect(run.outstandingOffers.isEmpty && run.nextDeadline == nil)
        try parent.signal("s")
        let release = RunMessage(
            id: MessageID(sender: parent.run.key, number: 2),
            target: MessageTarget(namespace: "namespace-1", workflow: "child"), body: .releaseChild)
        _ = try run.handle(.receive(release), at: parent.now, limits: Limits())
        #expect(run.outstandingOffers.count == 1)
        let again = try run.handle(.receive(release), at: parent.now, limits: Limits())
        #expect(again.events.isEmpty && !again.isDurable)
        #expect(run.started?.parent?.initiatedEventID == EventID(5))
        #expect(run.started?.root?.workflow == parent.run.key.workflow)
    }

    @Test(
        "A parent that closes tells its children what they were started with",
        arguments: [ParentClosePolicy.terminate, .requestCancel, .abandon])
    func closing(policy: ParentClosePolicy) throws {
        var driver = try driver(
            .startChildWorkflow(
                StartChildWorkflow(workflowID: "child", workflowType: "Child", parentClosePolicy: policy)))
        let run = try childRun(driver)
        try settle(&driver, .childStarted(run))
        try settle(&driver, .done)
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated(reason: "enough"))))
        #expect(driver.run.messages().map(\.body) == (policy == .abandon ? [] : [.closeChild(policy)]))
        #expect(driver.run.wakeHint(at: driver.now, horizon: .zero) == (policy == .abandon ? nil : .zero))
    }

    @Test("A child that nobody started yet is not started by a parent that closed, unless it is abandoned")
    func closingBeforeTheStart() throws {
        var driver = try driver(
            Self.start,
            .startChildWorkflow(
                StartChildWorkflow(workflowID: "left", workflowType: "Child", parentClosePolicy: .abandon)))
        try driver.handle(.terminate(TerminateRun(WorkflowExecutionTerminated(reason: "enough"))))
        let bodies = driver.run.messages().map(\.body)
        #expect(bodies.contains(.closeChild(.terminate)))
        #expect(bodies.filter { if case .startChild = $0 { true } else { false } }.count == 1)
        guard case .startChild(let left) = bodies[0] else { throw Rejection.invalid("not a start") }
        try settle(&driver, .childStarted(left.start.key.run))
        #expect(driver.run.messages().contains { $0.body == .releaseChild && $0.target.workflow == "left" })
    }

    @Test("A signal from another workflow is recorded once, also by the run that follows")
    func repeatedSignals() throws {
        var driver = RunDriver()
        try driver.start()
        let sender = RunKey(namespace: "namespace-1", workflow: "other", run: RunDriver.key(9).run)
        let signal = ExternalSignal(
            attributes: WorkflowExecutionSignaled(
                signalName: "s", requestID: "x", external: WorkflowReference(workflow: "other")),
            childWorkflowOnly: false, initiatedEventID: EventID(5))
        let message = RunMessage(
            id: MessageID(sender: sender, number: 1),
            target: MessageTarget(namespace: "namespace-1", workflow: "workflow-1"), body: .signal(signal))
        try driver.handle(.receive(message))
        try driver.handle(.receive(message))
        #expect(driver.listing.filter { $0.hasSuffix("WorkflowExecutionSignaled") }.count == 1)
        try driver.work(.continueAsNewWorkflowExecution(ContinueAsNew()))
        var next = Run()
        let successor = try #require(driver.successors.first)
        _ = try next.handle(.start(successor), at: driver.now, limits: Limits())
        let repeated = try next.handle(.receive(message), at: driver.now, limits: Limits())
        #expect(repeated.events.isEmpty && repeated.reply == .received(.done))
    }

    @Test("A signal for children only is for children only")
    func childrenOnly() throws {
        var driver = RunDriver()
        try driver.start()
        let signal = ExternalSignal(
            attributes: WorkflowExecutionSignaled(signalName: "s"), childWorkflowOnly: true,
            initiatedEventID: EventID(5))
        let sender = RunKey(namespace: "namespace-1", workflow: "other", run: RunDriver.key(9).run)
        let message = RunMessage(
            id: MessageID(sender: sender, number: 1),
            target: MessageTarget(namespace: "namespace-1", workflow: "workflow-1"), body: .signal(signal))
        #expect(try driver.handle(.receive(message)).reply == .received(.failed(.notFound)))
    }

    @Test("Starting and cancelling a child in one task, and more than the limits, fail the task")
    func refusedCommands() throws {
        var driver = RunDriver()
        driver.limits.pendingChildrenMax = 1
        driver.limits.pendingExternalSignalsMax = 1
        driver.limits.pendingExternalCancelsMax = 1
        try driver.start()
        let signal = WorkflowCommand.Kind.signalExternalWorkflow(
            SignalExternal(execution: WorkflowReference(workflow: "w"), signalName: "s"))
        let cancel = WorkflowCommand.Kind.requestCancelExternalWorkflow(
            RequestCancelExternal(execution: WorkflowReference(workflow: "child")))
        let second = WorkflowCommand.Kind.startChildWorkflow(
            StartChildWorkflow(workflowID: "second", workflowType: "Child"))
        let cases: [([WorkflowCommand.Kind], String)] = [
            ([Self.start, cancel], "BadRequestCancelExternalWorkflowExecutionAttributes"),
            ([Self.start, second], "PendingChildWorkflowsLimitExceeded"),
            ([signal, signal], "PendingSignalsLimitExceeded"),
            ([cancel, cancel], "PendingRequestCancelLimitExceeded"),
        ]
        for (commands, cause) in cases {
            var copy = driver
            let task = try copy.poll()
            let transition = try copy.complete(task, commands)
            guard case .rejected(let rejection) = transition.reply else {
                Issue.record("\(cause) was expected")
                continue
            }
            #expect(rejection.message.hasPrefix(cause))
            #expect(!copy.run.hasMessages && copy.run.pendingChildren.isEmpty)
        }
    }
}
