import History
import SwiftProtobuf
import TemporalAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ScheduleActivityTask {
    init(_ a: Temporal_Api_Command_V1_ScheduleActivityTaskCommandAttributes) {
        self.init(
            activityID: ActivityID(a.activityID), activityType: a.activityType.name,
            taskQueue: a.taskQueue.name.isEmpty ? nil : TaskQueueName(a.taskQueue.name),
            header: Blob(a.header, isSet: a.hasHeader), input: Blob(a.input, isSet: a.hasInput),
            scheduleToCloseTimeout: TimeSpan(a.scheduleToCloseTimeout),
            scheduleToStartTimeout: TimeSpan(a.scheduleToStartTimeout),
            startToCloseTimeout: TimeSpan(a.startToCloseTimeout), heartbeatTimeout: TimeSpan(a.heartbeatTimeout),
            retryPolicy: a.hasRetryPolicy ? RetryPolicy(a.retryPolicy) : nil,
            requestEagerExecution: a.requestEagerExecution, priority: a.hasPriority ? Priority(a.priority) : nil,
            useWorkflowBuildID: a.useWorkflowBuildID)
    }
}

extension Temporal_Api_Command_V1_ScheduleActivityTaskCommandAttributes {
    init(_ wish: ScheduleActivityTask) {
        self.init()
        activityID = wish.activityID.value
        activityType.name = wish.activityType
        if let queue = wish.taskQueue { taskQueue = .init(TaskQueue(queue)) }
        if let bytes = wish.header { header = bytes.data }
        if let bytes = wish.input { input = bytes.data }
        scheduleToCloseTimeout = Google_Protobuf_Duration(wish.scheduleToCloseTimeout)
        scheduleToStartTimeout = Google_Protobuf_Duration(wish.scheduleToStartTimeout)
        startToCloseTimeout = Google_Protobuf_Duration(wish.startToCloseTimeout)
        heartbeatTimeout = Google_Protobuf_Duration(wish.heartbeatTimeout)
        if let policy = wish.retryPolicy { retryPolicy = .init(policy) }
        requestEagerExecution = wish.requestEagerExecution
        if let order = wish.priority { priority = .init(order) }
        useWorkflowBuildID = wish.useWorkflowBuildID
    }
}

extension ContinueAsNew {
    init(_ a: Temporal_Api_Command_V1_ContinueAsNewWorkflowExecutionCommandAttributes) {
        self.init(
            workflowType: a.workflowType.name.isEmpty ? nil : a.workflowType.name,
            taskQueue: a.taskQueue.name.isEmpty ? nil : TaskQueueName(a.taskQueue.name),
            input: Blob(a.input, isSet: a.hasInput), header: Blob(a.header, isSet: a.hasHeader),
            workflowRunTimeout: TimeSpan(a.workflowRunTimeout), workflowTaskTimeout: TimeSpan(a.workflowTaskTimeout),
            backoffStartInterval: TimeSpan(a.backoffStartInterval),
            retryPolicy: a.hasRetryPolicy ? RetryPolicy(a.retryPolicy) : nil,
            initiator: ContinueAsNewInitiator(a.initiator),
            failure: Failure(a.failure, isSet: a.hasFailure),
            lastCompletionResult: Blob(a.lastCompletionResult, isSet: a.hasLastCompletionResult),
            cronSchedule: a.cronSchedule, memo: Blob(a.memo, isSet: a.hasMemo),
            searchAttributes: Blob(a.searchAttributes, isSet: a.hasSearchAttributes))
    }
}

extension Temporal_Api_Command_V1_ContinueAsNewWorkflowExecutionCommandAttributes {
    init(_ wish: ContinueAsNew) {
        self.init()
        if let type = wish.workflowType { workflowType.name = type }
        if let queue = wish.taskQueue { taskQueue = .init(TaskQueue(queue)) }
        if let bytes = wish.input { input = bytes.data }
        if let bytes = wish.header { header = bytes.data }
        workflowRunTimeout = Google_Protobuf_Duration(wish.workflowRunTimeout)
        workflowTaskTimeout = Google_Protobuf_Duration(wish.workflowTaskTimeout)
        backoffStartInterval = Google_Protobuf_Duration(wish.backoffStartInterval)
        if let policy = wish.retryPolicy { retryPolicy = .init(policy) }
        initiator = wish.initiator?.wire ?? .unspecified
        if let cause = wish.failure { failure = FailureCodec.data(cause) }
        if let bytes = wish.lastCompletionResult { lastCompletionResult = bytes.data }
        cronSchedule = wish.cronSchedule
        if let bytes = wish.memo { memo = bytes.data }
        if let bytes = wish.searchAttributes { searchAttributes = bytes.data }
    }
}

extension RecordMarker {
    init(_ a: Temporal_Api_Command_V1_RecordMarkerCommandAttributes) {
        self.init(
            markerName: a.markerName, details: namedBlobs(a.details), failure: Failure(a.failure, isSet: a.hasFailure),
            header: Blob(a.header, isSet: a.hasHeader))
    }
}

extension Temporal_Api_Command_V1_RecordMarkerCommandAttributes {
    init(_ wish: RecordMarker) {
        self.init()
        markerName = wish.markerName
        for detail in wish.details { details[detail.name] = detail.value.data }
        if let bytes = wish.header { header = bytes.data }
        if let cause = wish.failure { failure = FailureCodec.data(cause) }
    }
}

extension FailureCodec {
    static func data(_ failure: Failure) -> Data { Data(encode(failure)) }
}

/// The entries of a map, sorted by name, so that they have one order.
func namedBlobs(_ map: [String: Data]) -> [NamedBlob] {
    map.map { NamedBlob($0.key, Blob($0.value)) }.sorted { $0.name < $1.name }
}
