import History

extension Run {
    mutating func terminate(_ request: TerminateRun, _ draft: inout Draft) throws(Rejection) {
        guard isOpen else { throw .notFound("workflow execution already completed") }
        endStartedTaskByForce(&draft)
        draft.leavesChildren = request.leavesChildren
        var attributes = request.attributes
        if attributes.reason.isEmpty { attributes.reason = "terminated by user via frontend" }
        emit(.workflowExecutionTerminated(attributes), &draft)
    }

    /// The run closes if it is open; it goes when everybody has been told.
    mutating func delete(by identity: String, _ draft: inout Draft) {
        guard !isDeleted else {
            draft.reply = .duplicate
            return
        }
        isDeleted = true
        draft.changedState = true
        guard isOpen else { return }
        endStartedTaskByForce(&draft)
        guard isOpen else { return }
        emit(
            .workflowExecutionTerminated(
                WorkflowExecutionTerminated(reason: "workflow execution deleted", identity: identity)), &draft)
    }

    /// Before a run is closed from outside: the started task fails, what was buffered is recorded.
    mutating func endStartedTaskByForce(_ draft: inout Draft) {
        guard workflowTask.isStarted else { return }
        failStartedTask(cause: .forceCloseCommand, failure: nil, identity: Self.serverIdentity, &draft)
    }

    func terminated(reason: String) -> EventKind {
        .workflowExecutionTerminated(WorkflowExecutionTerminated(reason: reason, identity: Self.serverIdentity))
    }

    /// The server itself ends the run.
    mutating func emitTerminated(reason: String, _ draft: inout Draft) {
        guard isOpen else { return }
        emit(terminated(reason: reason), &draft)
    }

    /// A history has a bound; a run that reaches it ends.
    mutating func endIfTooLong(_ draft: inout Draft) {
        let reason: String
        if lastEventID.value >= Int64(draft.limits.historyEventsMax) {
            reason = "Workflow history count exceeds limit."
        } else if historySizeBytes >= Int64(draft.limits.historyBytesMax) {
            reason = "Workflow history size exceeds limit."
        } else {
            return
        }
        endStartedTaskByForce(&draft)
        emitTerminated(reason: reason, &draft)
    }

    // Closing commands.

    mutating func complete(
        _ result: Blob?, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        try checkSize(
            result?.count ?? 0, of: "CompleteWorkflowExecutionCommandAttributes.Result",
            .badCompleteWorkflowExecutionAttributes, draft)
        var attributes = WorkflowExecutionCompleted(
            result: result, workflowTaskCompletedEventID: context.completedEventID)
        if let next = cronSuccessor(context.newRunID, result: result, failure: nil, draft) {
            attributes.newExecutionRunID = next.key.run
            draft.successor = next
        }
        emit(.workflowExecutionCompleted(attributes), &draft, userMetadata: metadata)
    }

    mutating func fail(
        _ failure: Failure?, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badFailWorkflowExecutionAttributes
        guard let failure else {
            throw BadCommand(cause: cause, message: "Failure is not set on FailWorkflowExecutionCommand.")
        }
        try checkSize(failure.bytes, of: "FailWorkflowExecutionCommandAttributes.Failure", cause, draft)
        let (state, next) = successorAfterFailure(failure, context.newRunID, draft)
        draft.successor = next
        let attributes = WorkflowExecutionFailed(
            failure: failure, retryState: state, workflowTaskCompletedEventID: context.completedEventID,
            newExecutionRunID: next?.key.run)
        emit(.workflowExecutionFailed(attributes), &draft, userMetadata: metadata)
    }

    mutating func cancel(
        _ details: Blob?, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        try checkSize(
            details?.count ?? 0, of: "CancelWorkflowExecutionCommandAttributes.Details",
            .badCancelWorkflowExecutionAttributes, draft)
        let attributes = WorkflowExecutionCanceled(
            details: details, workflowTaskCompletedEventID: context.completedEventID)
        emit(.workflowExecutionCanceled(attributes), &draft, userMetadata: metadata)
    }

    mutating func continueAsNew(
        _ wish: ContinueAsNew, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badContinueAsNewAttributes
        guard let started else { return }
        func bad(_ message: String) -> BadCommand { BadCommand(cause: cause, message: message) }
        if wish.workflowRunTimeout < .zero || wish.workflowTaskTimeout < .zero || wish.backoffStartInterval < .zero {
            throw bad("A negative timeout is set on ContinueAsNewWorkflowExecutionCommand.")
        }
        if let type = wish.workflowType, type.utf8.count > draft.limits.identifierBytesMax {
            throw bad("WorkflowType on ContinueAsNewWorkflowExecutionCommand exceeds length limit.")
        }
        for text in [wish.workflowType ?? "", wish.taskQueue?.value ?? ""] where text.utf8.contains(0) {
            throw bad("A name on ContinueAsNewWorkflowExecutionCommand contains a NUL character.")
        }
        if let policy = wish.retryPolicy, let fault = policy.fault { throw bad(fault) }
        if let problem = draft.zones.problem(of: wish.cronSchedule) { throw bad(problem.message) }
        let size = (wish.input?.count ?? 0) + (wish.header?.count ?? 0)
        try checkSize(size, of: "ContinueAsNewWorkflowExecutionCommandAttributes.Input", cause, draft)
        let next = continuation(wish, of: started, context.newRunID, at: draft.now, limits: draft.limits)
        let event = WorkflowExecutionContinuedAsNew(
            newExecutionRunID: context.newRunID, workflowType: next.attributes.workflowType,
            taskQueue: next.attributes.taskQueue, input: wish.input, header: wish.header,
            workflowRunTimeout: next.attributes.workflowRunTimeout,
            workflowTaskTimeout: next.attributes.workflowTaskTimeout,
            workflowTaskCompletedEventID: context.completedEventID, backoffStartInterval: wish.backoffStartInterval,
            initiator: wish.initiator, failure: wish.failure,
            lastCompletionResult: next.attributes.lastCompletionResult,
            memo: next.attributes.memo, searchAttributes: next.attributes.searchAttributes)
        draft.successor = next
        emit(.workflowExecutionContinuedAsNew(event), &draft, userMetadata: metadata)
    }

    // Timeouts of the run.

    /// When the whole chain of runs ends.
    var executionExpirationTime: Timestamp? { started?.workflowExecutionExpirationTime }

    /// When this run ends, if it is not over before.
    var runTimeoutTime: Timestamp? {
        guard let started, started.workflowRunTimeout.isPositive else { return nil }
        return (facts.resetTime ?? firstTaskTime).advanced(by: started.workflowRunTimeout)
    }

    /// The earlier of both.
    var expirationTime: Timestamp? {
        switch (runTimeoutTime, executionExpirationTime) {
        case (nil, let other): other
        case (let one, nil): one
        case (let one?, let other?): min(one, other)
        }
    }

    /// The run's time is over.
    mutating func timeOutRun(_ draft: inout Draft) {
        endStartedTaskByForce(&draft)
        guard isOpen else { return }
        var attributes = WorkflowExecutionTimedOut(retryState: .timeout)
        if executionExpirationTime.map({ $0 > draft.now }) ?? true {
            let failure = Failure.timeout(
                message: "workflow timeout", type: .startToClose, lastHeartbeatDetails: nil, cause: nil)
            let (state, next) = successorAfterFailure(failure, runIDAfterTimeout, draft)
            attributes.retryState = state
            attributes.newExecutionRunID = next?.key.run
            draft.successor = next
        }
        emit(.workflowExecutionTimedOut(attributes), &draft)
    }
}
