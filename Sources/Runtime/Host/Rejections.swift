import History

/// The texts that callers compare (protocol.md 1.3).
extension Rejection {
    static func workflowNotFound(_ target: RunTarget) -> Rejection {
        guard let run = target.run else { return .notFound("workflow not found for ID: \(target.workflow)") }
        return .notFound("workflow execution not found for workflow ID \"\(target.workflow)\" and run ID \"\(run)\"")
    }

    /// The run is there but belongs to another chain than the caller means.
    static let otherChain = Rejection.notFound("workflow execution not found")

    static func alreadyRunning(_ workflow: WorkflowID, _ run: RunID, startRequestID: RequestID) -> Rejection {
        Rejection(
            .workflowAlreadyStarted(startRequestID: startRequestID, run: run),
            "Workflow execution is already running. WorkflowId: \(workflow), RunId: \(run).")
    }

    static func finished(_ workflow: WorkflowID, _ run: RunID, startRequestID: RequestID) -> Rejection {
        Rejection(
            .workflowAlreadyStarted(startRequestID: startRequestID, run: run),
            "Workflow execution already finished. WorkflowId: \(workflow), RunId: \(run). "
                + "Workflow Id reuse policy: reject duplicate workflow Id.")
    }

    static func finishedWell(_ workflow: WorkflowID, _ run: RunID, startRequestID: RequestID) -> Rejection {
        Rejection(
            .workflowAlreadyStarted(startRequestID: startRequestID, run: run),
            "Workflow execution already finished successfully. WorkflowId: \(workflow), RunId: \(run). "
                + "Workflow Id reuse policy: allow duplicate workflow Id if last run failed.")
    }

    static let queryTimedOut = Rejection(.deadlineExceeded, "query timed out before a worker could process it")
    static let queryOfFailing = Rejection(
        .workflowNotReady, "Unable to query workflow due to Workflow Task in failed state.")
    static let queryTooEarly = Rejection(.workflowNotReady, "Workflow task is not scheduled yet.")
    static let queryBufferIsFull = Rejection(
        .resourceExhausted(cause: 5), "too many queries wait for the next workflow task of this workflow")
    static let overloaded = Rejection(.resourceExhausted(cause: 3), "too many changes wait to be stored")
    static let laneElsewhere = Rejection(.unavailable, "this node does not own the workflow's slot")
    static let leftMemory = Rejection(.unavailable, "the run is being loaded again")
    static let shuttingDown = Rejection(.unavailable, "the server is shutting down")
    static let invalidRunID = Rejection(.invalidArgument, "Invalid RunId.")
}

extension Rejection {
    /// Is an offer whose task was refused so of no use any more? Stale: somebody else took the task. Unavailable: another node
    /// has the lane, or this one offers everything again once its lease is renewed.
    var dropsOffer: Bool {
        switch kind {
        case .notFound, .unavailable: true
        case .invalidArgument, .namespaceNotFound, .namespaceAlreadyExists, .namespaceInvalidState,
            .workflowAlreadyStarted,
            .workflowNotReady, .queryFailed, .failedPrecondition, .resourceExhausted, .permissionDenied,
            .unauthenticated,
            .deadlineExceeded,
            .unimplemented, .canceled:
            false
        }
    }
}

extension StoreError {
    /// Nothing was changed, so the command may be decided again on the reloaded run.
    var mayBeDecidedAgain: Bool {
        switch self {
        case .unavailable, .conflict, .alreadyExists: true
        case .outcomeUnknown, .notOwner, .outOfStep, .corrupt, .closed: false
        }
    }
}
