/// A workflow with this id is running, or has run and must not run again.
public struct WorkflowAlreadyStarted: Error, Hashable, Sendable {
    public let workflowID: String
    /// The run that stands in the way; empty when a child was not started.
    public let runID: String
    public let message: String
}

extension WorkflowAlreadyStarted: ApplicationFailureConvertible {
    /// A workflow that does not catch it fails with this.
    public var applicationFailure: ApplicationFailure {
        ApplicationFailure(message, type: "WorkflowAlreadyStarted")
    }
}

/// The server knows no such workflow, run or activity, or it has ended and can take no more.
public struct WorkflowNotFound: Error, Hashable, Sendable {
    public let message: String
}

/// The server knows no namespace of this name.
public struct NamespaceNotFound: Error, Hashable, Sendable {
    public let namespace: String
}

/// The workflow's code did not answer the query.
public struct QueryFailed: Error, Sendable {
    public let message: String
    /// What the handler threw, if it said.
    public let cause: (any TemporalFailure)?
}

/// The query was not asked, because the workflow is in this state.
public struct QueryRejected: Error, Hashable, Sendable {
    public let status: WorkflowRunStatus
}

/// The workflow closed without a result; ``cause`` says how.
///
/// The cause is an ``ApplicationFailure``, ``ActivityFailure`` or ``ChildWorkflowFailure`` for a failed workflow, a
/// ``CanceledFailure``, a ``TerminatedFailure`` or a ``TimeoutFailure`` for the others.
public struct WorkflowFailed: Error, Sendable, CustomStringConvertible {
    public let workflowID: String
    public let runID: String
    public let status: WorkflowRunStatus
    public let cause: any TemporalFailure

    public var description: String { "workflow \(workflowID) \(status): \(cause)" }
}

/// The run ended by continuing as a new one, and the caller did not want to follow.
public struct WorkflowContinuedAsNew: Error, Hashable, Sendable {
    public let newRunID: String
}

/// Whoever completes an activity from outside learns that it should stop instead.
public struct AsyncActivityCanceled: Error, Hashable, Sendable {
    public let reason: ActivityStopReason
}

/// The state of a run.
public enum WorkflowRunStatus: Int, Hashable, Sendable, CaseIterable {
    case unspecified = 0
    case running = 1
    case completed = 2
    case failed = 3
    case canceled = 4
    case terminated = 5
    case continuedAsNew = 6
    case timedOut = 7
    case paused = 8
}
