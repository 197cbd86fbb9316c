import History

extension Run {
    /// After a failure or a run timeout: a retry, else the next cron run, else nothing; with what the event says of it.
    func successorAfterFailure(
        _ failure: Failure, _ runID: RunID, _ draft: Draft
    ) -> (RetryState, StartRun?) {
        guard let started else { return (.internalServerError, nil) }
        var state = RetryState.retryPolicyNotSet
        if let policy = started.retryPolicy {
            let decision = RetryDecision.decide(
                policy.filled, attempt: started.attempt, failure: failure.traits, at: draft.now,
                expiration: executionExpirationTime, capsRequestedDelay: true)
            switch decision {
            case .retry(let delay):
                var next = successor(runID, initiator: .retry, backoff: delay)
                next.attributes.attempt = started.attempt + 1
                next.attributes.continuedFailure = failure
                return (.inProgress, next)
            case .stop(let reason): state = reason
            }
        }
        if let next = cronSuccessor(runID, result: nil, failure: failure, draft) { return (.inProgress, next) }
        return (state, nil)
    }

    /// The next run of a cron workflow.
    func cronSuccessor(_ runID: RunID, result: Blob?, failure: Failure?, _ draft: Draft) -> StartRun? {
        guard let started, !started.cronSchedule.isEmpty,
            let schedule = try? CronSchedule(started.cronSchedule, draft.zones.orUTC),
            let backoff = schedule.backoff(after: firstTaskTime, now: draft.now)
        else { return nil }
        if let expiration = executionExpirationTime, draft.now.advanced(by: backoff) > expiration { return nil }
        var next = successor(runID, initiator: .cronSchedule, backoff: backoff)
        next.attributes.continuedFailure = failure
        if failure == nil { next.attributes.lastCompletionResult = result }
        return next
    }

    /// The run that the workflow itself asked for.
    func continuation(
        _ wish: ContinueAsNew, of started: WorkflowExecutionStarted, _ runID: RunID, at now: Timestamp, limits: Limits
    ) -> StartRun {
        let initiator = wish.initiator ?? .workflow
        var backoff = wish.backoffStartInterval
        if initiator == .workflow {
            let lived = now.since(firstTaskTime).nanoseconds
            backoff = max(
                backoff, TimeSpan(nanoseconds: limits.continueAsNewIntervalMin.nanoseconds - max(lived, 0)))
        }
        var next = successor(runID, initiator: initiator, backoff: backoff)
        if let type = wish.workflowType, !type.isEmpty { next.attributes.workflowType = type }
        if let queue = wish.taskQueue, !queue.isEmpty { next.attributes.taskQueue = TaskQueue(queue) }
        next.attributes.input = wish.input
        next.attributes.header = wish.header
        if wish.workflowRunTimeout.isPositive { next.attributes.workflowRunTimeout = wish.workflowRunTimeout }
        if wish.workflowTaskTimeout.isPositive {
            next.attributes.workflowTaskTimeout = min(wish.workflowTaskTimeout, limits.workflowTaskTimeoutMax)
        }
        if let policy = wish.retryPolicy { next.attributes.retryPolicy = policy.filled }
        if !wish.cronSchedule.isEmpty { next.attributes.cronSchedule = wish.cronSchedule }
        next.attributes.continuedFailure = wish.failure
        if let result = wish.lastCompletionResult { next.attributes.lastCompletionResult = result }
        if let memo = wish.memo { next.attributes.memo = memo }
        if let attributes = wish.searchAttributes { next.attributes.searchAttributes = attributes }
        return next
    }

    /// A run that begins where this one ends, with everything it keeps.
    private func successor(_ runID: RunID, initiator: ContinueAsNewInitiator, backoff: TimeSpan) -> StartRun {
        let next = RunKey(namespace: key.namespace, workflow: key.workflow, run: runID)
        guard var attributes = started else {
            preconditionFailure("run \(key) ends before it began")
        }
        attributes.originalExecutionRunID = runID
        attributes.continuedExecutionRunID = key.run
        attributes.initiator = initiator
        attributes.attempt = 1
        attributes.continuedFailure = nil
        attributes.firstWorkflowTaskBackoff = backoff
        attributes.eagerExecutionAccepted = false
        attributes.links = []
        attributes.memo = memo
        attributes.searchAttributes = searchAttributes
        attributes.requestID = RequestID(runID.value)
        return StartRun(key: next, attributes: attributes, deliveredMessages: deliveries.inOrder)
    }

    /// A timeout has nobody who brings an id for the next run: it follows from this run's id.
    var runIDAfterTimeout: RunID {
        var hasher = SHA256()
        hasher.update(Array(key.run.value.utf8))
        hasher.update(Array("next run".utf8))
        return RunID(uuid: hasher.finish())
    }
}

extension RunID {
    /// A UUID (version 8, made from a digest) in its text form.
    init(uuid digest: SHA256.Digest) {
        var bytes = Array(digest.bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        self.init(String(decoding: text, as: UTF8.self))
    }
}
