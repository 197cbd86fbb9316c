import History

// Commands about other workflows.
extension Run {
    /// The first run of a child: the same however often the start is delivered, and different in every parent.
    func childRunID(initiatedBy event: EventID) -> RunID {
        Self.derivedID(key.run, "child \(event)")
    }

    private static func derivedID(_ run: RunID, _ purpose: String) -> RunID {
        var hasher = SHA256()
        hasher.update(Array(run.value.utf8))
        hasher.update(Array(purpose.utf8))
        return RunID(uuid: hasher.finish())
    }

    /// The namespace that a command means.
    private func namespace(_ wish: NamespaceReference, _ context: CommandContext) -> NamespaceReference {
        wish.name.isEmpty || wish.name == context.namespaceName
            ? NamespaceReference(name: context.namespaceName, id: key.namespace) : wish
    }

    mutating func startChild(
        _ wish: StartChildWorkflow, _ metadata: Blob?, _ context: inout CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        try check(wish, draft)
        guard let started else { return }
        let attributes = StartChildWorkflowInitiated(
            namespace: namespace(wish.namespace, context), workflowID: wish.workflowID,
            workflowType: wish.workflowType, taskQueue: TaskQueue(wish.taskQueue ?? started.taskQueue.name),
            input: wish.input, header: wish.header, workflowExecutionTimeout: wish.workflowExecutionTimeout,
            workflowRunTimeout: wish.workflowRunTimeout, workflowTaskTimeout: wish.workflowTaskTimeout,
            parentClosePolicy: wish.parentClosePolicy ?? .terminate, control: wish.control,
            workflowTaskCompletedEventID: context.completedEventID, reusePolicy: wish.reusePolicy,
            retryPolicy: wish.retryPolicy?.filled, cronSchedule: wish.cronSchedule, memo: wish.memo,
            searchAttributes: wish.searchAttributes,
            priority: wish.priority?.filled(from: priority) ?? priority,
            versioningOverride: wish.versioningOverride, inheritBuildID: wish.inheritBuildID)
        emit(.childWorkflow(.initiated(attributes)), &draft, userMetadata: metadata)
        context.initiatedChildren.insert(wish.workflowID)
        sendStart(
            of: attributes, initiatedBy: lastEventID, userMetadata: metadata, namespaceName: context.namespaceName)
    }

    private func check(_ wish: StartChildWorkflow, _ draft: Draft) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badStartChildExecutionAttributes
        func bad(_ message: String) -> BadCommand {
            BadCommand(cause: cause, message: "\(message) StartChildWorkflowExecutionCommand.")
        }
        if wish.workflowID.isEmpty { throw bad("WorkflowId is not set on") }
        if wish.workflowType.isEmpty { throw bad("WorkflowType is not set on") }
        let names = [
            ("WorkflowId", wish.workflowID.value), ("WorkflowType", wish.workflowType),
            ("TaskQueue", wish.taskQueue?.value ?? ""), ("Namespace", wish.namespace.name),
        ]
        for (field, text) in names {
            if text.utf8.count > draft.limits.identifierBytesMax { throw bad("\(field) exceeds length limit on") }
            if text.utf8.contains(0) { throw bad("\(field) contains a NUL character on") }
        }
        if wish.workflowExecutionTimeout < .zero { throw bad("Invalid WorkflowExecutionTimeout on") }
        if wish.workflowRunTimeout < .zero { throw bad("Invalid WorkflowRunTimeout on") }
        if wish.workflowTaskTimeout < .zero { throw bad("Invalid WorkflowTaskTimeout on") }
        if let fault = wish.retryPolicy?.fault { throw BadCommand(cause: cause, message: fault) }
        if let problem = draft.zones.problem(of: wish.cronSchedule) {
            throw BadCommand(cause: cause, message: problem.message)
        }
        let size = (wish.input?.count ?? 0) + (wish.header?.count ?? 0)
        try checkSize(size, of: "StartChildWorkflowExecutionCommandAttributes.Input", cause, draft)
        if (wish.memo?.count ?? 0) > draft.limits.memoBytesMax {
            throw BadCommand(cause: cause, message: "Memo size exceeds limit.", endsRun: true)
        }
        try checkCount(
            children.table.count, draft.limits.pendingChildrenMax, "child workflow executions",
            .pendingChildWorkflowsLimitExceeded)
    }

    private func checkCount(
        _ count: Int, _ most: Int, _ what: String, _ cause: WorkflowTaskFailedCause
    ) throws(BadCommand) {
        guard count >= most else { return }
        throw BadCommand(
            cause: cause,
            message: "the number of pending \(what), \(count), has reached the per-workflow limit of \(most)")
    }

    /// Puts the message that starts a child on its way.
    mutating func sendStart(
        of wish: StartChildWorkflowInitiated, initiatedBy event: EventID, userMetadata: Blob?, namespaceName: String
    ) {
        let run = childRunID(initiatedBy: event)
        let here = WorkflowReference(workflow: key.workflow, run: key.run)
        let attributes = WorkflowExecutionStarted(
            workflowType: wish.workflowType, workflowID: wish.workflowID, taskQueue: wish.taskQueue, input: wish.input,
            header: wish.header, workflowExecutionTimeout: wish.workflowExecutionTimeout,
            workflowRunTimeout: wish.workflowRunTimeout, workflowTaskTimeout: wish.workflowTaskTimeout,
            originalExecutionRunID: run, firstExecutionRunID: run, retryPolicy: wish.retryPolicy,
            cronSchedule: wish.cronSchedule, memo: wish.memo, searchAttributes: wish.searchAttributes,
            priority: wish.priority, versioningOverride: wish.versioningOverride, requestID: RequestID(run.value),
            parent: ParentWorkflow(
                namespace: NamespaceReference(name: namespaceName, id: key.namespace), execution: here,
                initiatedEventID: event),
            root: started?.root ?? here)
        let childKey = RunKey(namespace: wish.namespace.id, workflow: wish.workflowID, run: run)
        let start = StartRun(key: childKey, attributes: attributes, userMetadata: userMetadata, isHeld: true)
        // An open child that this run waits for already is its own, and is refused to it like to everybody.
        let isAskedAgain =
            facts.resetFrom != nil
            && !children.table.all.contains { $0.workflowID == wish.workflowID && $0.initiatedEventID != event }
        outgoing.append(
            .startChild(ChildStart(start: start, reusePolicy: wish.reusePolicy, adoptsOpenChild: isAskedAgain)),
            to: MessageTarget(namespace: wish.namespace.id, workflow: wish.workflowID))
    }

    mutating func requestCancelExternal(
        _ wish: RequestCancelExternal, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badRequestCancelExternalWorkflowExecutionAttributes
        try checkTarget(wish.execution, wish.namespace, "RequestCancelExternalWorkflowExecutionCommand", cause, draft)
        if context.initiatedChildren.contains(wish.execution.workflow) {
            throw BadCommand(
                cause: cause,
                message: "Start and RequestCancel for child workflow is not allowed in same workflow task.")
        }
        try checkCount(
            externals.cancelCount, draft.limits.pendingExternalCancelsMax, "external workflow cancel requests",
            .pendingRequestCancelLimitExceeded)
        let attributes = RequestCancelExternalInitiated(
            namespace: namespace(wish.namespace, context), execution: wish.execution, control: wish.control,
            childWorkflowOnly: wish.childWorkflowOnly, reason: wish.reason,
            workflowTaskCompletedEventID: context.completedEventID)
        emit(.externalWorkflow(.cancelInitiated(attributes)), &draft, userMetadata: metadata)
        send(attributes, initiatedBy: lastEventID)
    }

    /// Puts the message that asks another workflow to cancel itself on its way.
    mutating func send(_ attributes: RequestCancelExternalInitiated, initiatedBy event: EventID) {
        let request = WorkflowExecutionCancelRequested(
            cause: attributes.reason, identity: Self.serverIdentity, external: here, externalInitiatedEventID: event)
        outgoing.append(
            .requestCancel(ExternalCancel(attributes: request, childWorkflowOnly: attributes.childWorkflowOnly)),
            to: target(attributes.execution, attributes.namespace, isChild: attributes.childWorkflowOnly))
    }

    mutating func signalExternal(
        _ wish: SignalExternal, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badSignalWorkflowExecutionAttributes
        let command = "SignalExternalWorkflowExecutionCommand"
        guard let execution = wish.execution else {
            throw BadCommand(cause: cause, message: "Execution is not set on \(command).")
        }
        try checkTarget(execution, wish.namespace, command, cause, draft)
        if wish.signalName.isEmpty {
            throw BadCommand(cause: cause, message: "SignalName is not set on \(command).")
        }
        if wish.signalName.utf8.count > draft.limits.identifierBytesMax {
            throw BadCommand(cause: cause, message: "SignalName on \(command) exceeds length limit.")
        }
        let size = (wish.input?.count ?? 0) + (wish.header?.count ?? 0)
        try checkSize(size, of: "SignalExternalWorkflowExecutionCommandAttributes.Input", .badSignalInputSize, draft)
        try checkCount(
            externals.signalCount, draft.limits.pendingExternalSignalsMax, "external workflow signals",
            .pendingSignalsLimitExceeded)
        let attributes = SignalExternalInitiated(
            namespace: namespace(wish.namespace, context), execution: execution, signalName: wish.signalName,
            input: wish.input, header: wish.header, control: wish.control, childWorkflowOnly: wish.childWorkflowOnly,
            workflowTaskCompletedEventID: context.completedEventID)
        emit(.externalWorkflow(.signalInitiated(attributes)), &draft, userMetadata: metadata)
        send(attributes, initiatedBy: lastEventID, run: key.run)
    }

    /// Puts a signal to another workflow on its way.
    ///
    /// - Parameter run: the run whose code sent it; a run that came from a reset sends again what its base may have sent.
    mutating func send(_ attributes: SignalExternalInitiated, initiatedBy event: EventID, run: RunID) {
        let signal = WorkflowExecutionSignaled(
            signalName: attributes.signalName, input: attributes.input, header: attributes.header,
            identity: Self.serverIdentity, requestID: RequestID(Self.derivedID(run, "signal \(event)").value),
            external: here)
        outgoing.append(
            .signal(
                ExternalSignal(
                    attributes: signal, childWorkflowOnly: attributes.childWorkflowOnly, initiatedEventID: event)),
            to: target(attributes.execution, attributes.namespace, isChild: attributes.childWorkflowOnly))
    }

    private func checkTarget(
        _ execution: WorkflowReference, _ namespace: NamespaceReference, _ command: String,
        _ cause: WorkflowTaskFailedCause, _ draft: Draft
    ) throws(BadCommand) {
        if execution.workflow.isEmpty {
            throw BadCommand(cause: cause, message: "WorkflowId is not set on \(command).")
        }
        for text in [execution.workflow.value, namespace.name] {
            if text.utf8.count > draft.limits.identifierBytesMax {
                throw BadCommand(cause: cause, message: "WorkflowId on \(command) exceeds length limit.")
            }
        }
        if let run = execution.run, !run.isUUID {
            throw BadCommand(cause: cause, message: "Invalid RunId set on \(command). RunId: \(run)")
        }
    }

    /// This run, as others name it.
    private var here: WorkflowReference { WorkflowReference(workflow: key.workflow, run: key.run) }

    /// A child may have gone on in further runs: it is meant by the run that began its chain.
    private func target(
        _ execution: WorkflowReference, _ namespace: NamespaceReference, isChild: Bool
    ) -> MessageTarget {
        if isChild, let run = execution.run {
            return MessageTarget(namespace: namespace.id, workflow: execution.workflow, firstRun: run)
        }
        return MessageTarget(namespace: namespace.id, workflow: execution.workflow, run: execution.run)
    }
}

extension RunID {
    /// Does it look like a UUID in text form?
    var isUUID: Bool {
        var count = 0
        for byte in value.utf8 {
            switch count {
            case 8, 13, 18, 23: if byte != UInt8(ascii: "-") { return false }
            default:
                let isDigit = (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
                if !isDigit { return false }
            }
            count += 1
        }
        return count == 36
    }
}
