public import Foundation
import SwiftProtobuf
import TemporalAPI

/// What one attempt of an activity knows about itself.
public struct ActivityInfo: Sendable {
    /// Where its workflow lives.
    public var namespace: String
    /// The workflow that asked for it.
    public var workflowID: String
    /// The run that asked for it.
    public var runID: String
    /// The type of that workflow.
    public var workflowType: String
    /// Its name within the run.
    public var activityID: String
    /// What it does.
    public var activityType: String
    /// The queue that brought it.
    public var taskQueue: String
    /// 1 for the first attempt.
    public var attempt: Int
    /// When the workflow asked for the activity.
    public var scheduledTime: Date
    /// When this attempt was queued.
    public var attemptScheduledTime: Date
    /// When this attempt was handed out.
    public var startedTime: Date
    /// The longest this attempt may take; nil is without limit.
    public var startToCloseTimeout: Duration?
    /// The longest all attempts may take; nil is without limit.
    public var scheduleToCloseTimeout: Duration?
    /// The longest gap between heartbeats; nil is without limit.
    public var heartbeatTimeout: Duration?
    /// Names this attempt; whoever has it can complete the activity from outside.
    public var taskToken: [UInt8]
    /// It runs inside a workflow task, without heartbeats and without a task of its own.
    public var isLocal = false
    /// 1 (first) … 5 (last); 0 is not set.
    public var priority = 0

    /// How long this attempt may still take, counted from its start: the smaller of the two limits.
    public var timeAllowed: Duration? {
        let total = scheduleToCloseTimeout.map { $0 - .seconds(startedTime.timeIntervalSince(scheduledTime)) }
        switch (startToCloseTimeout, total) {
        case (let attempt?, let total?): return min(attempt, total)
        case (let attempt?, nil): return attempt
        case (nil, let total): return total
        }
    }
}

extension ActivityInfo {
    init(_ task: Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse, taskQueue: String) {
        self.init(
            namespace: task.workflowNamespace, workflowID: task.workflowExecution.workflowID,
            runID: task.workflowExecution.runID, workflowType: task.workflowType.name, activityID: task.activityID,
            activityType: task.activityType.name, taskQueue: taskQueue, attempt: Int(max(1, task.attempt)),
            scheduledTime: task.scheduledTime.date, attemptScheduledTime: task.currentAttemptScheduledTime.date,
            startedTime: task.startedTime.date,
            startToCloseTimeout: Duration(limit: task.hasStartToCloseTimeout ? task.startToCloseTimeout : nil),
            scheduleToCloseTimeout: Duration(limit: task.hasScheduleToCloseTimeout ? task.scheduleToCloseTimeout : nil),
            heartbeatTimeout: Duration(limit: task.hasHeartbeatTimeout ? task.heartbeatTimeout : nil),
            taskToken: [UInt8](task.taskToken), priority: Int(task.priority.priorityKey))
    }
}

extension Duration {
    /// A limit on the wire: absent and zero mean "without limit".
    init?(limit: Google_Protobuf_Duration?) {
        guard let limit, limit.seconds > 0 || limit.nanos > 0 else { return nil }
        self = .seconds(limit.seconds) + .nanoseconds(Int64(limit.nanos))
    }

    /// The length as protobuf writes it.
    var message: Google_Protobuf_Duration {
        Google_Protobuf_Duration(seconds: components.seconds, nanos: Int32(components.attoseconds / 1_000_000_000))
    }
}
