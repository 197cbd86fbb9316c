import Engine
import History

extension SeededRun {
    /// Another run tells this one something, or answers it; nil when there is nothing to say.
    mutating func relatedEvent() -> RunCommand? {
        switch random.below(9) {
        case 0..<3:
            guard let message = random.pick(driver.run.messages()) else { return nil }
            return .settleMessage(SettleMessage(number: message.id.number, outcome: outcome(of: message)))
        case 3..<7:
            guard let child = random.pick(driver.run.pendingChildren), let run = child.run else { return nil }
            let ends: [ChildEnd] = [
                .completed(result: Blob([6])), .failed(.application(), .retryPolicyNotSet), .canceled(details: nil),
                .timedOut(.timeout), .terminated,
            ]
            let closed = ChildClosed(
                end: random.pick(ends) ?? .terminated, run: run, firstRun: run,
                initiatedEventID: child.initiatedEventID)
            return received(.childClosed(closed), from: child.workflowID)
        case 7:
            let signal = WorkflowExecutionSignaled(
                signalName: "x", requestID: RequestID("external-\(random.below(50))"),
                external: WorkflowReference(workflow: "other"))
            return received(
                .signal(ExternalSignal(attributes: signal, childWorkflowOnly: false, initiatedEventID: EventID(5))),
                from: "other")
        default:
            guard random.chance(30) else { return received(.releaseChild, from: "parent") }
            return received(.closeChild(random.chance(20) ? .terminate : .requestCancel), from: "parent")
        }
    }

    private mutating func received(_ body: RunMessage.Body, from workflow: WorkflowID) -> RunCommand {
        let sender = RunKey(namespace: driver.run.key.namespace, workflow: workflow, run: RunDriver.key(77).run)
        let key = driver.run.key
        return .receive(
            RunMessage(
                id: MessageID(sender: sender, number: Int64(random.below(60))),
                target: MessageTarget(namespace: key.namespace, workflow: key.workflow), body: body))
    }

    private mutating func outcome(of message: RunMessage) -> MessageOutcome {
        switch message.body {
        case .startChild(let child):
            random.chance(20) ? .childRefused(.workflowAlreadyExists) : .childStarted(child.start.key.run)
        case .signal, .requestCancel: random.chance(30) ? .failed(.notFound) : .done
        case .releaseChild, .closeChild, .childClosed: .done
        }
    }

    mutating func relatedCommand() -> WorkflowCommand.Kind {
        if let others { return familyCommand(others) }
        switch random.below(4) {
        case 0..<2:
            let policies: [ParentClosePolicy] = [.terminate, .abandon, .requestCancel]
            return .startChildWorkflow(
                StartChildWorkflow(
                    workflowID: WorkflowID(random.chance(5) ? "" : "child-\(random.below(20))"), workflowType: "Child",
                    input: Blob([1]), header: Blob([2]), parentClosePolicy: random.pick(policies)))
        case 2:
            return .signalExternalWorkflow(
                SignalExternal(
                    execution: random.chance(5) ? nil : WorkflowReference(workflow: "other"), signalName: "s",
                    input: Blob([3])))
        default:
            return .requestCancelExternalWorkflow(
                RequestCancelExternal(
                    execution: WorkflowReference(
                        workflow: "other", run: random.chance(5) ? "not a UUID" : RunDriver.key(5).run)))
        }
    }

    /// About workflows that are there, most of the time.
    private mutating func familyCommand(_ others: [WorkflowReference]) -> WorkflowCommand.Kind {
        let own = driver.run.key.workflow
        let isFar = own.value.utf8.count > 6
        let other = random.chance(8) ? WorkflowReference(workflow: "nobody") : random.pick(others)
        let child = random.pick(driver.run.pendingChildren.filter { $0.run != nil }).map {
            WorkflowReference(workflow: $0.workflowID, run: $0.run)
        }
        let choice = random.below(10)
        if choice < 4, !isFar { return .startChildWorkflow(childWish(WorkflowID("\(own)-\(random.below(3))"))) }
        if choice == 4, let child {
            return .requestCancelExternalWorkflow(RequestCancelExternal(execution: child, childWorkflowOnly: true))
        }
        if choice == 5, let child {
            return .signalExternalWorkflow(SignalExternal(execution: child, signalName: "c", childWorkflowOnly: true))
        }
        guard let other else { return .timer(TimerID("\(label)nobody"), .zero) }
        if choice < 7 { return .requestCancelExternalWorkflow(RequestCancelExternal(execution: other)) }
        return .signalExternalWorkflow(SignalExternal(execution: other, signalName: "s", input: Blob([3])))
    }

    private mutating func childWish(_ workflow: WorkflowID) -> StartChildWorkflow {
        let closing: [ParentClosePolicy?] = [nil, .terminate, .abandon, .requestCancel]
        let reuse: [WorkflowIDReusePolicy] = [
            .allowDuplicate, .allowDuplicate, .allowDuplicate, .allowDuplicateFailedOnly, .rejectDuplicate,
            .terminateIfRunning,
        ]
        var wish = StartChildWorkflow(
            workflowID: workflow, workflowType: "Child", input: Blob([1]), header: Blob([2]),
            parentClosePolicy: random.pick(closing) ?? nil, reusePolicy: random.pick(reuse) ?? .allowDuplicate)
        if random.chance(20) { wish.retryPolicy = RetryPolicy(maximumAttempts: 3) }
        if random.chance(10) { wish.workflowRunTimeout = .seconds(Int64(1 + random.below(60))) }
        if random.chance(8) { wish.cronSchedule = "@every 15s" }
        return wish
    }
}
