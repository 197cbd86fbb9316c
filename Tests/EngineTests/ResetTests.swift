import Engine
import History
import RunTestKit
import Testing

@Suite("What a reset does to signals and children under way")
struct ResetTests {
    private func reset(
        _ base: RunDriver, to finish: EventID, as number: UInt64, isOfBase: Bool = true
    ) throws -> RunDriver {
        var driver = RunDriver(at: base.now)
        try driver.handle(
            .reset(
                ResetRun(
                    key: RunDriver.key(number), baseRun: base.run.key.run,
                    copied: base.history.filter { $0.id < finish },
                    reapplied: base.history.filter { $0.id >= finish }.compactMap {
                        ReappliedFact($0, except: [], isOfBase: isOfBase)
                    }, reason: "again", identity: "operator", requestID: "reset", namespaceName: "default")))
        return driver
    }

    private func sentSignal(_ driver: RunDriver) -> RequestID? {
        for message in driver.run.messages() {
            if case .signal(let signal) = message.body { return signal.attributes.requestID }
        }
        return nil
    }

    @Test("A signal that waits in the buffer is known")
    func aBufferedSignalIsKnown() throws {
        var driver = RunDriver()
        try driver.start()
        let task = try driver.poll()
        let signal = WorkflowExecutionSignaled(
            signalName: "s", requestID: "once", external: WorkflowReference(workflow: "other"))
        for sender in [UInt64(7), 8] {
            let message = RunMessage(
                id: MessageID(sender: RunDriver.key(sender), number: 1),
                target: MessageTarget(namespace: "namespace-1", workflow: "workflow-1"),
                body: .signal(
                    ExternalSignal(attributes: signal, childWorkflowOnly: false, initiatedEventID: EventID(5))))
            #expect(try driver.handle(.receive(message)).reply == .received(.done))
        }
        try driver.complete(task)
        #expect(driver.listing.filter { $0.hasSuffix("WorkflowExecutionSignaled") }.count == 1)
    }

    @Test("A reset of a reset sends a signal under its first id")
    func aSignalKeepsItsID() throws {
        var driver = RunDriver()
        try driver.start()
        try driver.work(
            .signalExternalWorkflow(SignalExternal(execution: WorkflowReference(workflow: "w"), signalName: "s")))
        let id = try #require(sentSignal(driver))
        try driver.signal()
        try driver.work()
        var second = try reset(driver, to: driver.run.lastEventID, as: 2)
        #expect(sentSignal(second) == id)
        try second.work()
        let third = try reset(second, to: second.run.lastEventID, as: 3)
        #expect(sentSignal(third) == id)
    }

    @Test("A reset tells what became of a child")
    func aChildsEndIsTold() throws {
        var driver = RunDriver()
        try driver.start()
        try driver.work(.startChildWorkflow(StartChildWorkflow(workflowID: "child", workflowType: "Child")))
        let message = try #require(driver.run.messages().first)
        guard case .startChild(let child) = message.body else { throw Rejection.invalid("not a start") }
        let run = child.start.key.run
        try driver.handle(.settleMessage(SettleMessage(number: message.id.number, outcome: .childStarted(run))))
        try driver.work()
        let point = driver.run.lastEventID
        let closed = ChildClosed(
            end: .completed(result: Blob([7])), run: run, firstRun: run, initiatedEventID: EventID(5))
        try driver.handle(
            .receive(
                RunMessage(
                    id: MessageID(sender: child.start.key, number: 1),
                    target: MessageTarget(namespace: "namespace-1", workflow: "workflow-1"),
                    body: .childClosed(closed))))
        let told = try reset(driver, to: point, as: 2)
        #expect(told.listing.contains { $0.hasSuffix("ChildWorkflowExecutionCompleted") })
        #expect(told.run.pendingChildren.isEmpty)
        let untold = try reset(driver, to: point, as: 3, isOfBase: false)
        #expect(untold.run.pendingChildren.map(\.run) == [run])
    }
}
