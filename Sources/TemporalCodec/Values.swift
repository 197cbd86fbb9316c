public import History
public import SwiftProtobuf
public import TemporalAPI

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

// Small values of the vocabulary to and from their messages. All are total; times saturate at the ends of the range.

extension Blob {
    /// Opaque bytes of a field; the caller has seen that the field is set.
    public init(_ data: Data) { self.init([UInt8](data)) }

    public var data: Data { Data(bytes) }
}

extension TimeSpan {
    public init(_ duration: Google_Protobuf_Duration) {
        self.init(seconds: duration.seconds, nanoseconds: Int64(duration.nanos))
    }
}

extension Google_Protobuf_Duration {
    public init(_ span: TimeSpan) {
        self.init(
            seconds: span.nanoseconds / 1_000_000_000,
            nanos: Int32(truncatingIfNeeded: span.nanoseconds % 1_000_000_000))
    }
}

extension Timestamp {
    public init(_ timestamp: Google_Protobuf_Timestamp) {
        self.init(
            nanoseconds: TimeSpan(seconds: timestamp.seconds, nanoseconds: Int64(timestamp.nanos)).nanoseconds)
    }
}

extension Google_Protobuf_Timestamp {
    public init(_ timestamp: Timestamp) {
        let (seconds, nanoseconds) = timestamp.split
        self.init(seconds: seconds, nanos: Int32(truncatingIfNeeded: nanoseconds))
    }
}

extension RetryPolicy {
    public init(_ policy: Temporal_Api_Common_V1_RetryPolicy) {
        self.init(
            initialInterval: TimeSpan(policy.initialInterval), backoffCoefficient: policy.backoffCoefficient,
            maximumInterval: TimeSpan(policy.maximumInterval), maximumAttempts: policy.maximumAttempts,
            nonRetryableErrorTypes: policy.nonRetryableErrorTypes)
    }
}

extension Temporal_Api_Common_V1_RetryPolicy {
    public init(_ policy: RetryPolicy) {
        self.init()
        initialInterval = Google_Protobuf_Duration(policy.initialInterval)
        backoffCoefficient = policy.backoffCoefficient
        maximumInterval = Google_Protobuf_Duration(policy.maximumInterval)
        maximumAttempts = policy.maximumAttempts
        nonRetryableErrorTypes = policy.nonRetryableErrorTypes
    }
}

extension TaskQueue {
    /// A kind that is not set counts as normal.
    public init(_ queue: Temporal_Api_Taskqueue_V1_TaskQueue) {
        self.init(
            TaskQueueName(queue.name), kind: queue.kind == .sticky ? .sticky : .normal,
            normalName: queue.normalName.isEmpty ? nil : TaskQueueName(queue.normalName))
    }
}

extension Temporal_Api_Taskqueue_V1_TaskQueue {
    public init(_ queue: TaskQueue) {
        self.init()
        name = queue.name.value
        kind = Temporal_Api_Enums_V1_TaskQueueKind(rawValue: Int(queue.kind.rawValue)) ?? .normal
        normalName = queue.normalName?.value ?? ""
    }
}

extension Priority {
    public init(_ priority: Temporal_Api_Common_V1_Priority) {
        self.init(
            key: priority.priorityKey, fairnessKey: priority.fairnessKey, fairnessWeight: priority.fairnessWeight)
    }
}

extension Temporal_Api_Common_V1_Priority {
    public init(_ priority: Priority) {
        self.init()
        priorityKey = priority.key
        fairnessKey = priority.fairnessKey
        fairnessWeight = priority.fairnessWeight
    }
}

extension Temporal_Api_Common_V1_WorkflowExecution {
    public init(workflow: WorkflowID, run: RunID?) {
        self.init()
        workflowID = workflow.value
        runID = run?.value ?? ""
    }

    public init(_ key: RunKey) { self.init(workflow: key.workflow, run: key.run) }

    /// Nil when the request means the current run.
    public var run: RunID? { runID.isEmpty ? nil : RunID(runID) }
}
