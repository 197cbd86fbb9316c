/// Event 5.
public struct WorkflowTaskScheduled: Hashable, Sendable {
    public var taskQueue: TaskQueue
    public var startToCloseTimeout: TimeSpan
    public var attempt: Int32

    public init(taskQueue: TaskQueue, startToCloseTimeout: TimeSpan, attempt: Int32 = 1) {
        self.taskQueue = taskQueue
        self.startToCloseTimeout = startToCloseTimeout
        self.attempt = attempt
    }
}

/// Why a workflow should continue as new soon. The bit numbers are those of
/// `temporal.api.enums.v1.SuggestContinueAsNewReason`.
public struct ContinueAsNewReasons: OptionSet, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let historySize = ContinueAsNewReasons(rawValue: 1 << 1)
    public static let historyEvents = ContinueAsNewReasons(rawValue: 1 << 2)
    public static let updates = ContinueAsNewReasons(rawValue: 1 << 3)
}

/// Event 6: its time is the workflow's "now".
public struct WorkflowTaskStarted: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var identity: String
    public var requestID: RequestID
    public var suggestContinueAsNew: Bool
    /// Why; histories of older servers suggest without a reason.
    public var suggestReasons: ContinueAsNewReasons
    public var historySizeBytes: Int64
    public var workerVersion: Blob?

    public init(
        scheduledEventID: EventID, identity: String = "", requestID: RequestID = "", suggestContinueAsNew: Bool = false,
        suggestReasons: ContinueAsNewReasons = [], historySizeBytes: Int64 = 0, workerVersion: Blob? = nil
    ) {
        self.scheduledEventID = scheduledEventID
        self.identity = identity
        self.requestID = requestID
        self.suggestContinueAsNew = suggestContinueAsNew
        self.suggestReasons = suggestReasons
        self.historySizeBytes = historySizeBytes
        self.workerVersion = workerVersion
    }
}

/// Event 7.
public struct WorkflowTaskCompleted: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var identity: String
    public var binaryChecksum: String
    public var workerVersion: Blob?
    public var sdkMetadata: Blob?
    public var meteringMetadata: Blob?
    public var versioningBehavior: Int32
    public var workerDeploymentName: String
    public var deploymentVersion: Blob?

    public init(
        scheduledEventID: EventID, startedEventID: EventID, identity: String = "", binaryChecksum: String = "",
        workerVersion: Blob? = nil, sdkMetadata: Blob? = nil, meteringMetadata: Blob? = nil,
        versioningBehavior: Int32 = 0, workerDeploymentName: String = "", deploymentVersion: Blob? = nil
    ) {
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.identity = identity
        self.binaryChecksum = binaryChecksum
        self.workerVersion = workerVersion
        self.sdkMetadata = sdkMetadata
        self.meteringMetadata = meteringMetadata
        self.versioningBehavior = versioningBehavior
        self.workerDeploymentName = workerDeploymentName
        self.deploymentVersion = deploymentVersion
    }
}

/// Event 8.
public struct WorkflowTaskTimedOut: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var timeoutType: TimeoutType

    public init(scheduledEventID: EventID, startedEventID: EventID = .none, timeoutType: TimeoutType) {
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.timeoutType = timeoutType
    }
}

/// Event 9.
public struct WorkflowTaskFailed: Hashable, Sendable {
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var cause: WorkflowTaskFailedCause
    public var failure: Failure?
    public var identity: String
    public var baseRunID: RunID?
    public var newRunID: RunID?
    public var binaryChecksum: String

    public init(
        scheduledEventID: EventID, startedEventID: EventID, cause: WorkflowTaskFailedCause, failure: Failure? = nil,
        identity: String = "", baseRunID: RunID? = nil, newRunID: RunID? = nil, binaryChecksum: String = ""
    ) {
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.cause = cause
        self.failure = failure
        self.identity = identity
        self.baseRunID = baseRunID
        self.newRunID = newRunID
        self.binaryChecksum = binaryChecksum
    }
}
