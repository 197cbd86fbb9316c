public import Foundation

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
    /// The failure of the run this one retries, if any.
    public var continuedFailure: (any Error)?
}
