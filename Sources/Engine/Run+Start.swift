import History

extension Run {
    /// Begins the run: event 1, the signal of a signal-with-start, the first workflow task.
    mutating func start(_ request: StartRun, _ draft: inout Draft) throws(Rejection) {
        if let started {
            if !request.attributes.requestID.isEmpty, request.attributes.requestID == started.requestID {
                draft.reply = .duplicate
                return
            }
            throw Rejection(
                .workflowAlreadyStarted(startRequestID: started.requestID, run: key.run),
                "Workflow execution is already running. WorkflowId: \(key.workflow), RunId: \(key.run).")
        }
        var attributes = request.attributes
        try Self.complete(&attributes, draft)
        let eager = attributes.firstWorkflowTaskBackoff.isPositive ? nil : request.eager
        attributes.eagerExecutionAccepted = eager != nil
        key = request.key
        isHeld = request.isHeld
        for message in request.deliveredMessages { deliveries.remember(message) }
        emit(.workflowExecutionStarted(attributes), &draft, userMetadata: request.userMetadata)
        if let signal = request.signal { emit(.workflowExecutionSignaled(signal.attributes), &draft) }
        scheduleOwedTask(&draft)
        guard let eager, workflowTask.pending != nil else {
            draft.reply = .started(eagerTask: nil)
            return
        }
        draft.reply = .started(eagerTask: lease(identity: eager.identity, requestID: eager.requestID, draft))
    }

    /// Fills in what the edge may have left open and refuses what cannot be.
    private static func complete(_ attributes: inout WorkflowExecutionStarted, _ draft: Draft) throws(Rejection) {
        if !attributes.workflowTaskTimeout.isPositive {
            attributes.workflowTaskTimeout = draft.limits.workflowTaskTimeoutDefault
        }
        attributes.workflowTaskTimeout = min(attributes.workflowTaskTimeout, draft.limits.workflowTaskTimeoutMax)
        if attributes.workflowExecutionTimeout.isPositive {
            if attributes.workflowExecutionExpirationTime == nil {
                attributes.workflowExecutionExpirationTime = draft.now.advanced(by: attributes.workflowExecutionTimeout)
            }
            if !attributes.workflowRunTimeout.isPositive
                || attributes.workflowExecutionTimeout < attributes.workflowRunTimeout
            {
                attributes.workflowRunTimeout = attributes.workflowExecutionTimeout
            }
        }
        if attributes.workflowRunTimeout.isPositive {
            attributes.workflowTaskTimeout = min(attributes.workflowTaskTimeout, attributes.workflowRunTimeout)
        }
        attributes.attempt = max(attributes.attempt, 1)
        guard !attributes.cronSchedule.isEmpty, attributes.continuedExecutionRunID == nil else { return }
        let schedule: CronSchedule
        do { schedule = try CronSchedule(attributes.cronSchedule, draft.zones) } catch { throw .invalid(error.message) }
        if attributes.firstWorkflowTaskBackoff.isPositive {
            throw .invalid("CronSchedule and WorkflowStartDelay may not be used together.")
        }
        attributes.initiator = .cronSchedule
        attributes.firstWorkflowTaskBackoff = schedule.backoff(after: draft.now, now: draft.now) ?? .zero
    }

    mutating func signal(_ request: SignalRun, _ draft: inout Draft) throws(Rejection) {
        guard isOpen else { throw .notFound("workflow execution already completed") }
        if requests.contains(request.attributes.requestID) {
            draft.reply = .duplicate
            return
        }
        guard facts.signalCount + eventBuffer.entries.count < draft.limits.signalsPerRunMax else {
            throw .invalid("exceeded workflow execution limit for signal events")
        }
        requests.remember(request.attributes.requestID)
        record(.signaled(request.attributes), &draft)
    }

    mutating func requestCancel(_ request: RequestCancelRun, _ draft: inout Draft) throws(Rejection) {
        guard started != nil else { throw .notFound("workflow not found for ID: \(key.workflow)") }
        guard isOpen, !facts.cancelIsRequested, !cancelRequestIsBuffered else {
            draft.reply = .duplicate
            return
        }
        record(.cancelRequested(request.attributes), &draft)
    }
}
