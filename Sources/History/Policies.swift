/// How often and how fast a failed activity or workflow is tried again. Zero fields of a request are filled in at the edge.
public struct RetryPolicy: Hashable, Sendable {
    public var initialInterval: TimeSpan
    public var backoffCoefficient: Double
    public var maximumInterval: TimeSpan
    /// 0 means without limit.
    public var maximumAttempts: Int32
    public var nonRetryableErrorTypes: [String]

    public init(
        initialInterval: TimeSpan = .zero, backoffCoefficient: Double = 0, maximumInterval: TimeSpan = .zero,
        maximumAttempts: Int32 = 0, nonRetryableErrorTypes: [String] = []
    ) {
        self.initialInterval = initialInterval
        self.backoffCoefficient = backoffCoefficient
        self.maximumInterval = maximumInterval
        self.maximumAttempts = maximumAttempts
        self.nonRetryableErrorTypes = nonRetryableErrorTypes
    }
}

/// May a workflow id be used again after its last run closed?
public enum WorkflowIDReusePolicy: Int32, Hashable, Sendable {
    case allowDuplicate = 1
    case allowDuplicateFailedOnly = 2
    case rejectDuplicate = 3
    case terminateIfRunning = 4
}

/// What happens to a start while a run with the same workflow id is open?
public enum WorkflowIDConflictPolicy: Int32, Hashable, Sendable {
    case fail = 1
    case useExisting = 2
    case terminateExisting = 3
}

public enum TaskQueueKind: Int32, Hashable, Sendable {
    case normal = 1
    case sticky = 2
}

/// A task queue as an event names it.
public struct TaskQueue: Hashable, Sendable {
    public var name: TaskQueueName
    public var kind: TaskQueueKind
    /// For a sticky queue, the queue that it stands in for.
    public var normalName: TaskQueueName?

    public init(_ name: TaskQueueName, kind: TaskQueueKind = .normal, normalName: TaskQueueName? = nil) {
        self.name = name
        self.kind = kind
        self.normalName = normalName
    }
}

/// The order in which tasks of a queue are handed out.
public struct Priority: Hashable, Sendable {
    /// 1 (first) … 5 (last); 0 is "not set" and counts as 3.
    public var key: Int32
    public var fairnessKey: String
    public var fairnessWeight: Float

    public init(key: Int32 = 0, fairnessKey: String = "", fairnessWeight: Float = 0) {
        self.key = key
        self.fairnessKey = fairnessKey
        self.fairnessWeight = fairnessWeight
    }

    /// What is set here, and for the rest what the one above says.
    public func filled(from other: Priority?) -> Priority {
        guard let other else { return self }
        return Priority(
            key: key == 0 ? other.key : key, fairnessKey: fairnessKey.isEmpty ? other.fairnessKey : fairnessKey,
            fairnessWeight: fairnessWeight == 0 ? other.fairnessWeight : fairnessWeight)
    }
}

public enum WorkflowStatus: Int32, Hashable, Sendable, CaseIterable {
    case running = 1
    case completed = 2
    case failed = 3
    case canceled = 4
    case terminated = 5
    case continuedAsNew = 6
    case timedOut = 7

    public var isOpen: Bool { self == .running }
}

public enum TimeoutType: Int32, Hashable, Sendable {
    case startToClose = 1
    case scheduleToStart = 2
    case scheduleToClose = 3
    case heartbeat = 4
}

public enum RetryState: Int32, Hashable, Sendable {
    case inProgress = 1
    case nonRetryableFailure = 2
    case timeout = 3
    case maximumAttemptsReached = 4
    case retryPolicyNotSet = 5
    case internalServerError = 6
    case cancelRequested = 7
}

/// Numbers are those of temporal.api.enums.v1.WorkflowTaskFailedCause.
public enum WorkflowTaskFailedCause: Int32, Hashable, Sendable {
    case unspecified = 0
    case unhandledCommand = 1
    case badScheduleActivityAttributes = 2
    case badRequestCancelActivityAttributes = 3
    case badStartTimerAttributes = 4
    case badCancelTimerAttributes = 5
    case badRecordMarkerAttributes = 6
    case badCompleteWorkflowExecutionAttributes = 7
    case badFailWorkflowExecutionAttributes = 8
    case badCancelWorkflowExecutionAttributes = 9
    case badRequestCancelExternalWorkflowExecutionAttributes = 10
    case badContinueAsNewAttributes = 11
    case startTimerDuplicateID = 12
    case resetStickyTaskQueue = 13
    case workflowWorkerUnhandledFailure = 14
    case badSignalWorkflowExecutionAttributes = 15
    case badStartChildExecutionAttributes = 16
    case forceCloseCommand = 17
    case failoverCloseCommand = 18
    case badSignalInputSize = 19
    case resetWorkflow = 20
    case badBinary = 21
    case scheduleActivityDuplicateID = 22
    case badSearchAttributes = 23
    case nonDeterministicError = 24
    case badModifyWorkflowPropertiesAttributes = 25
    case pendingChildWorkflowsLimitExceeded = 26
    case pendingActivitiesLimitExceeded = 27
    case pendingSignalsLimitExceeded = 28
    case pendingRequestCancelLimitExceeded = 29
    case badUpdateWorkflowExecutionMessage = 30
    case unhandledUpdate = 31
    case badScheduleNexusOperationAttributes = 32
    case pendingNexusOperationsLimitExceeded = 33
    case badRequestCancelNexusOperationAttributes = 34
    case featureDisabled = 35
    case grpcMessageTooLarge = 36
    case payloadsTooLarge = 37
}
