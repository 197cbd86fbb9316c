public import History

/// How a child ended, or why it was not started.
public struct ChildOutcome: Hashable, Sendable {
    public var workflowID: WorkflowID
    public var workflowType: String
    public var namespace: String
    /// The run that closed; nil when none was started.
    public var run: RunID?
    public var initiatedEventID: EventID
    public var startedEventID: EventID
    public var end: ChildEnd
}

/// The worker's side of other workflows.
struct RelatedMachines: Sendable {
    /// By the future of their end.
    var children: [FutureID: ChildMachine] = [:]
    var childByStart: [FutureID: FutureID] = [:]
    var childByEvent: [EventID: FutureID] = [:]
    var externals: [FutureID: ExternalMachine] = [:]
    var externalByEvent: [EventID: FutureID] = [:]
    /// Cancel requests to children, by the event that records the request.
    var childCancelByEvent: [EventID: FutureID] = [:]
}

extension ReplayMachine {
    // MARK: Wishes

    /// Asks for a child: one future for its start, one for its end.
    public mutating func startChild(
        _ command: StartChildWorkflow, cancellation: ChildCancellation, userMetadata: Blob? = nil
    ) -> (start: FutureID, end: FutureID) {
        let start = nextFuture()
        let end = nextFuture()
        related.children[end] = ChildMachine(command: command, cancellation: cancellation, startFuture: start)
        related.childByStart[start] = end
        wishes.append(Wish(kind: .startChild(end), userMetadata: userMetadata))
        return (start, end)
    }

    /// Sends a signal to another workflow.
    public mutating func signalExternal(_ command: SignalExternal) -> FutureID {
        let future = nextFuture()
        related.externals[future] = ExternalMachine(command: .signal(command))
        wishes.append(Wish(kind: .external(future)))
        return future
    }

    /// Asks another workflow to cancel itself.
    public mutating func requestCancelExternal(_ command: RequestCancelExternal) -> FutureID {
        let future = nextFuture()
        related.externals[future] = ExternalMachine(command: .cancel(command))
        wishes.append(Wish(kind: .external(future)))
        return future
    }

    /// Takes part of ``cancel(_:)``: what the waiter for a child or another workflow learns; nil when it must wait on.
    mutating func cancelRelated(_ future: FutureID) -> Resolution? {
        if var external = related.externals[future] {
            guard external.cancel() else { return nil }
            drop(future)
            related.externals[future] = nil
            return .externalCanceled
        }
        let end = related.childByStart[future] ?? future
        guard var child = related.children[end] else { return nil }
        let answer = child.cancel()
        related.children[end] = child
        switch answer {
        case .nothing: return nil
        case .dropCommandAndResolve:
            drop(end)
            related.children[end] = nil
        case .emit:
            wishes.append(Wish(kind: .cancelChild(end)))
            return nil
        case .emitAndResolve: wishes.append(Wish(kind: .cancelChild(end)))
        case .resolve: break
        }
        return .childEnded(outcome(of: child, run: child.run, end: .canceled(details: nil)))
    }

    private func outcome(of child: ChildMachine, run: RunID?, end: ChildEnd) -> ChildOutcome {
        var startedEvent = EventID.none
        if case .started(_, let event) = child.phase { startedEvent = event }
        return ChildOutcome(
            workflowID: child.command.workflowID, workflowType: child.command.workflowType,
            namespace: child.command.namespace.name, run: run, initiatedEventID: child.initiatedEvent,
            startedEventID: startedEvent, end: end)
    }

    // MARK: Commands

    mutating func childCommand(_ future: FutureID) -> WorkflowCommand.Kind {
        guard var child = related.children[future] else { preconditionFailure("child \(future) is unknown") }
        child.answered()
        related.children[future] = child
        return .startChildWorkflow(child.command)
    }

    func childCancelCommand(_ future: FutureID) -> WorkflowCommand.Kind {
        guard let child = related.children[future] else { preconditionFailure("child \(future) is unknown") }
        return .requestCancelExternalWorkflow(
            RequestCancelExternal(
                namespace: child.command.namespace,
                execution: WorkflowReference(workflow: child.command.workflowID, run: child.run),
                childWorkflowOnly: true))
    }

    mutating func externalCommand(_ future: FutureID) -> WorkflowCommand.Kind {
        guard var external = related.externals[future] else {
            preconditionFailure("request \(future) to another workflow is unknown")
        }
        external.answered()
        related.externals[future] = external
        switch external.command {
        case .signal(let command): return .signalExternalWorkflow(command)
        case .cancel(let command): return .requestCancelExternalWorkflow(command)
        }
    }

    // MARK: Matching

    /// Does the event record this command?
    mutating func takeRelated(_ event: Event, as wish: Wish.Kind) -> Bool {
        switch (event.kind, wish) {
        case (.childWorkflow(.initiated(let recorded)), .startChild(let future)):
            guard var child = related.children[future], child.command.workflowID == recorded.workflowID,
                child.command.workflowType == recorded.workflowType
            else { return false }
            child.recorded(at: event.id)
            related.children[future] = child
            related.childByEvent[event.id] = future
            return true
        case (.externalWorkflow(.cancelInitiated(let recorded)), .cancelChild(let future)):
            guard let child = related.children[future], child.command.workflowID == recorded.execution.workflow else {
                return false
            }
            related.childCancelByEvent[event.id] = future
            return true
        case (.externalWorkflow(.cancelInitiated(let recorded)), .external(let future)):
            guard case .cancel(let command)? = related.externals[future]?.command,
                command.execution.workflow == recorded.execution.workflow
            else { return false }
            return takeExternal(future, event)
        case (.externalWorkflow(.signalInitiated(let recorded)), .external(let future)):
            guard case .signal(let command)? = related.externals[future]?.command,
                command.execution?.workflow == recorded.execution.workflow, command.signalName == recorded.signalName
            else { return false }
            return takeExternal(future, event)
        default:
            return false  // any other pair is a difference
        }
    }

    private mutating func takeExternal(_ future: FutureID, _ event: Event) -> Bool {
        related.externals[future]?.recorded()
        related.externalByEvent[event.id] = future
        return true
    }

    func describeRelated(_ wish: Wish.Kind) -> String? {
        switch wish {
        case .startChild(let future):
            guard let command = related.children[future]?.command else { return "StartChildWorkflowExecution" }
            return "StartChildWorkflowExecution(id \(command.workflowID), type \(command.workflowType))"
        case .cancelChild(let future):
            let id = related.children[future]?.command.workflowID
            return "RequestCancelExternalWorkflowExecution(id \(id?.value ?? ""))"
        case .external(let future):
            switch related.externals[future]?.command {
            case .signal(let command)?:
                let id = command.execution?.workflow.value ?? ""
                return "SignalExternalWorkflowExecution(id \(id), signal \(command.signalName))"
            case .cancel(let command)?:
                return "RequestCancelExternalWorkflowExecution(id \(command.execution.workflow))"
            case nil: return "a request to another workflow"
            }
        case .scheduleActivity, .cancelActivity, .startTimer, .cancelTimer, .recordMarker, .upsertSearchAttributes,
            .modifyProperties, .acceptUpdate, .completeUpdate, .close:
            return nil
        }
    }

    static func describeRelated(_ event: Event) -> String? {
        if case .childWorkflow(.initiated(let recorded)) = event.kind {
            return "StartChildWorkflowExecutionInitiated(id \(recorded.workflowID), type \(recorded.workflowType))"
        }
        if case .externalWorkflow(.signalInitiated(let recorded)) = event.kind {
            let id = recorded.execution.workflow
            return "SignalExternalWorkflowExecutionInitiated(id \(id), signal \(recorded.signalName))"
        }
        if case .externalWorkflow(.cancelInitiated(let recorded)) = event.kind {
            return "RequestCancelExternalWorkflowExecutionInitiated(id \(recorded.execution.workflow))"
        }
        return nil
    }

    // MARK: Learning

    mutating func learn(
        _ child: ChildWorkflowEvent, _ event: Event, into activation: inout Activation
    ) throws(ReplayFailure) {
        switch child {
        case .initiated: break  // matched before
        case .startFailed(let failed):
            let future = try self.child(failed.initiatedEventID, event)
            if let machine = related.children[future], !machine.startIsAbandoned {
                activation.jobs.append(.resolve(machine.startFuture, .childStartFailed(failed)))
            }
            forget(future)
        case .started(let started):
            let future = try self.child(started.initiatedEventID, event)
            if related.children[future]?.begin(started.execution.run, event: event.id) == true,
                let machine = related.children[future]
            {
                activation.jobs.append(
                    .resolve(machine.startFuture, .childStarted(started.execution.run ?? RunID(""))))
            }
        case .ended(let ended):
            let future = try self.child(ended.initiatedEventID, event)
            if var machine = related.children[future] {
                let outcome = outcome(of: machine, run: ended.execution.run, end: ended.end)
                if machine.ended() { activation.jobs.append(.resolve(future, .childEnded(outcome))) }
            }
            forget(future)
        }
    }

    private func child(_ initiated: EventID, _ event: Event) throws(ReplayFailure) -> FutureID {
        guard let future = related.childByEvent[initiated] else {
            throw .corruption(Corruption("event \(event.id) is about child \(initiated), which was not asked for"))
        }
        return future
    }

    private mutating func forget(_ future: FutureID) {
        guard let child = related.children.removeValue(forKey: future) else { return }
        related.childByStart[child.startFuture] = nil
        related.childByEvent[child.initiatedEvent] = nil
    }

    mutating func learn(
        _ external: ExternalWorkflowEvent, _ event: Event, into activation: inout Activation
    ) throws(ReplayFailure) {
        switch external {
        case .cancelInitiated, .signalInitiated: break  // matched before
        case .cancelRequested(let told):
            if let future = related.childCancelByEvent.removeValue(forKey: told.initiatedEventID) {
                guard related.children[future]?.cancelWasRequested() == true, let child = related.children[future]
                else { return }
                let outcome = outcome(of: child, run: child.run, end: .canceled(details: nil))
                activation.jobs.append(.resolve(child.startFuture, .childEnded(outcome)))
                activation.jobs.append(.resolve(future, .childEnded(outcome)))
                return
            }
            activation.jobs.append(.resolve(try answered(told.initiatedEventID, event), .externalTold))
        case .cancelFailed(let failed):
            // The child ended meanwhile; its end follows or was heard.
            if related.childCancelByEvent.removeValue(forKey: failed.initiatedEventID) != nil { return }
            activation.jobs.append(
                .resolve(try answered(failed.initiatedEventID, event), .externalFailed(failed.cause)))
        case .signaled(let told):
            activation.jobs.append(.resolve(try answered(told.initiatedEventID, event), .externalTold))
        case .signalFailed(let failed):
            activation.jobs.append(
                .resolve(try answered(failed.initiatedEventID, event), .externalFailed(failed.cause)))
        }
    }

    private mutating func answered(_ initiated: EventID, _ event: Event) throws(ReplayFailure) -> FutureID {
        guard let future = related.externalByEvent.removeValue(forKey: initiated) else {
            throw .corruption(Corruption("event \(event.id) answers \(initiated), which asked nothing"))
        }
        related.externals[future] = nil
        return future
    }
}
