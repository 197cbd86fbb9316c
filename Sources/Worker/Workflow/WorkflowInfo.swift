public import Foundation

/// The parent of a child workflow.
public struct ParentInfo: Hashable, Sendable {
    /// Where the parent lives.
    public var namespace: String
    public var workflowID: String
    public var runID: String
}

/// What a run knows about itself.
public struct WorkflowInfo: Sendable {
    public var namespace: String
    public var workflowID: String
    public var runID: String
    /// The run that began the chain of continue-as-new, retries and cron runs.
    public var firstRunID: String
    /// The run this one follows, if any.
    public var continuedRunID: String?
    /// The name under which it was started.
    public var workflowType: String
    /// The queue of its workflow tasks.
    public var taskQueue: String
    /// 1 for the first try of a workflow with a retry policy.
    public var attempt: Int
    /// When it repeats, if it does.
    public var cronSchedule: String?
    /// When the run began.
    public var startTime: Date
    /// The limit for the whole chain of runs; nil is without.
    public var executionTimeout: Duration?
    /// The limit for this run; nil is without.
    public var runTimeout: Duration?
    /// The limit for one workflow task.
    public var taskTimeout: Duration
    /// Who started this child; nil when a client did.
    public var parent: ParentInfo?
    /// The failure of the run this one retries, if any.
    public var continuedFailure: (any Error)?
}
