public import Foundation

/// The parent of a child workflow.
public struct ParentInfo: Hashable, Sendable {
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
    public var workflowType: String
    public var taskQueue: String
    /// 1 for the first try of a workflow with a retry policy.
    public var attempt: Int
    public var cronSchedule: String?
    public var startTime: Date
    public var executionTimeout: Duration?
    public var runTimeout: Duration?
    public var taskTimeout: Duration
    /// Who started this child; nil when a client did.
    public var parent: ParentInfo?
    /// The failure of the run this one retries, if any.
    public var continuedFailure: (any Error)?
}
