/// Why a run follows another (temporal.api.enums.v1.ContinueAsNewInitiator).
public enum ContinueAsNewInitiator: Int32, Hashable, Sendable {
    case workflow = 1
    case retry = 2
    case cronSchedule = 3
}

/// One entry of a protobuf map whose values are opaque; lists of these are kept sorted by name.
public struct NamedBlob: Hashable, Sendable {
    public var name: String
    public var value: Blob
    public init(_ name: String, _ value: Blob) {
        self.name = name
        self.value = value
    }
}

/// Event 1: the run exists. Everything a worker needs to begin, and the policies the server keeps to.
public struct WorkflowExecutionStarted: Hashable, Sendable {
    public var workflowType: String
    public var workflowID: WorkflowID
    public var taskQueue: TaskQueue
    public var input: Blob?
    public var header: Blob?
    public var workflowExecutionTimeout: TimeSpan
    public var workflowRunTimeout: TimeSpan
    public var workflowTaskTimeout: TimeSpan
    public var workflowExecutionExpirationTime: Timestamp?
    public var originalExecutionRunID: RunID
    public var firstExecutionRunID: RunID
    public var continuedExecutionRunID: RunID?
    public var initiator: ContinueAsNewInitiator?
    public var continuedFailure: Failure?
    public var lastCompletionResult: Blob?
    public var identity: String
    public var retryPolicy: RetryPolicy?
    public var attempt: Int32
    public var cronSchedule: String
    public var firstWorkflowTaskBackoff: TimeSpan
    public var memo: Blob?
    public var searchAttributes: Blob?
    public var priority: Priority?
    public var eagerExecutionAccepted: Bool
    public var completionCallbacks: [Blob]
    public var versioningOverride: Blob?
    public var requestID: RequestID
    /// Only in a child.
    public var parent: ParentWorkflow?
    /// The workflow that stands above all parents; only in a child.
    public var root: WorkflowReference?
    /// Encoded `temporal.api.common.v1.Link`s of the request; the event shows them.
    public var links: [Blob]

    public init(
        workflowType: String, workflowID: WorkflowID, taskQueue: TaskQueue, input: Blob? = nil, header: Blob? = nil,
        workflowExecutionTimeout: TimeSpan = .zero, workflowRunTimeout: TimeSpan = .zero,
        workflowTaskTimeout: TimeSpan = .zero, workflowExecutionExpirationTime: Timestamp? = nil,
        originalExecutionRunID: RunID, firstExecutionRunID: RunID, continuedExecutionRunID: RunID? = nil,
        initiator: ContinueAsNewInitiator? = nil, continuedFailure: Failure? = nil, lastCompletionResult: Blob? = nil,
        identity: String = "", retryPolicy: RetryPolicy? = nil, attempt: Int32 = 1, cronSchedule: String = "",
        firstWorkflowTaskBackoff: TimeSpan = .zero, memo: Blob? = nil, searchAttributes: Blob? = nil,
        priority: Priority? = nil, eagerExecutionAccepted: Bool = false, completionCallbacks: [Blob] = [],
        versioningOverride: Blob? = nil, requestID: RequestID = "", parent: ParentWorkflow? = nil,
        root: WorkflowReference? = nil, links: [Blob] = []
    ) {
        self.workflowType = workflowType
        self.workflowID = workflowID
        self.taskQueue = taskQueue
        self.input = input
        self.header = header
        self.workflowExecutionTimeout = workflowExecutionTimeout
        self.workflowRunTimeout = workflowRunTimeout
        self.workflowTaskTimeout = workflowTaskTimeout
        self.workflowExecutionExpirationTime = workflowExecutionExpirationTime
        self.originalExecutionRunID = originalExecutionRunID
        self.firstExecutionRunID = firstExecutionRunID
        self.continuedExecutionRunID = continuedExecutionRunID
        self.initiator = initiator
        self.continuedFailure = continuedFailure
        self.lastCompletionResult = lastCompletionResult
        self.identity = identity
        self.retryPolicy = retryPolicy
        self.attempt = attempt
        self.cronSchedule = cronSchedule
        self.firstWorkflowTaskBackoff = firstWorkflowTaskBackoff
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.priority = priority
        self.eagerExecutionAccepted = eagerExecutionAccepted
        self.completionCallbacks = completionCallbacks
        self.versioningOverride = versioningOverride
        self.requestID = requestID
        self.parent = parent
        self.root = root
        self.links = links
    }
}

/// Event 2.
public struct WorkflowExecutionCompleted: Hashable, Sendable {
    public var result: Blob?
    public var workflowTaskCompletedEventID: EventID
    public var newExecutionRunID: RunID?

    public init(
        result: Blob? = nil, workflowTaskCompletedEventID: EventID, newExecutionRunID: RunID? = nil
    ) {
        self.result = result
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
        self.newExecutionRunID = newExecutionRunID
    }
}

/// Event 3.
public struct WorkflowExecutionFailed: Hashable, Sendable {
    public var failure: Failure
    public var retryState: RetryState
    public var workflowTaskCompletedEventID: EventID
    public var newExecutionRunID: RunID?

    public init(
        failure: Failure, retryState: RetryState, workflowTaskCompletedEventID: EventID, newExecutionRunID: RunID? = nil
    ) {
        self.failure = failure
        self.retryState = retryState
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
        self.newExecutionRunID = newExecutionRunID
    }
}

/// Event 4.
public struct WorkflowExecutionTimedOut: Hashable, Sendable {
    public var retryState: RetryState
    public var newExecutionRunID: RunID?

    public init(retryState: RetryState, newExecutionRunID: RunID? = nil) {
        self.retryState = retryState
        self.newExecutionRunID = newExecutionRunID
    }
}

/// Event 20, at most once a run.
public struct WorkflowExecutionCancelRequested: Hashable, Sendable {
    public var cause: String
    public var identity: String
    /// The workflow that asked for it, and its event that did.
    public var external: WorkflowReference?
    public var externalInitiatedEventID: EventID
    public var links: [Blob]

    public init(
        cause: String = "", identity: String = "", external: WorkflowReference? = nil,
        externalInitiatedEventID: EventID = .none, links: [Blob] = []
    ) {
        self.cause = cause
        self.identity = identity
        self.external = external
        self.externalInitiatedEventID = externalInitiatedEventID
        self.links = links
    }
}

/// Event 21.
public struct WorkflowExecutionCanceled: Hashable, Sendable {
    public var details: Blob?
    public var workflowTaskCompletedEventID: EventID

    public init(details: Blob? = nil, workflowTaskCompletedEventID: EventID) {
        self.details = details
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 26.
public struct WorkflowExecutionSignaled: Hashable, Sendable {
    public var signalName: String
    public var input: Blob?
    public var header: Blob?
    public var identity: String
    public var requestID: RequestID
    /// The workflow that sent it.
    public var external: WorkflowReference?
    public var links: [Blob]

    public init(
        signalName: String, input: Blob? = nil, header: Blob? = nil, identity: String = "", requestID: RequestID = "",
        external: WorkflowReference? = nil, links: [Blob] = []
    ) {
        self.signalName = signalName
        self.input = input
        self.header = header
        self.identity = identity
        self.requestID = requestID
        self.external = external
        self.links = links
    }
}

/// Event 27.
public struct WorkflowExecutionTerminated: Hashable, Sendable {
    public var reason: String
    public var details: Blob?
    public var identity: String
    public var links: [Blob]

    public init(reason: String = "", details: Blob? = nil, identity: String = "", links: [Blob] = []) {
        self.reason = reason
        self.details = details
        self.identity = identity
        self.links = links
    }
}

/// Event 28.
public struct WorkflowExecutionContinuedAsNew: Hashable, Sendable {
    public var newExecutionRunID: RunID
    public var workflowType: String
    public var taskQueue: TaskQueue
    public var input: Blob?
    public var header: Blob?
    public var workflowRunTimeout: TimeSpan
    public var workflowTaskTimeout: TimeSpan
    public var workflowTaskCompletedEventID: EventID
    public var backoffStartInterval: TimeSpan
    /// As the worker gave it; nil when it left it open.
    public var initiator: ContinueAsNewInitiator?
    public var failure: Failure?
    public var lastCompletionResult: Blob?
    public var memo: Blob?
    public var searchAttributes: Blob?

    public init(
        newExecutionRunID: RunID, workflowType: String, taskQueue: TaskQueue, input: Blob? = nil, header: Blob? = nil,
        workflowRunTimeout: TimeSpan = .zero, workflowTaskTimeout: TimeSpan = .zero,
        workflowTaskCompletedEventID: EventID, backoffStartInterval: TimeSpan = .zero,
        initiator: ContinueAsNewInitiator? = nil, failure: Failure? = nil, lastCompletionResult: Blob? = nil,
        memo: Blob? = nil, searchAttributes: Blob? = nil
    ) {
        self.newExecutionRunID = newExecutionRunID
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.input = input
        self.header = header
        self.workflowRunTimeout = workflowRunTimeout
        self.workflowTaskTimeout = workflowTaskTimeout
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
        self.backoffStartInterval = backoffStartInterval
        self.initiator = initiator
        self.failure = failure
        self.lastCompletionResult = lastCompletionResult
        self.memo = memo
        self.searchAttributes = searchAttributes
    }
}

/// Event 40.
public struct UpsertWorkflowSearchAttributes: Hashable, Sendable {
    public var searchAttributes: Blob
    public var workflowTaskCompletedEventID: EventID

    public init(searchAttributes: Blob, workflowTaskCompletedEventID: EventID) {
        self.searchAttributes = searchAttributes
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 46.
public struct WorkflowPropertiesModified: Hashable, Sendable {
    public var upsertedMemo: Blob
    public var workflowTaskCompletedEventID: EventID

    public init(upsertedMemo: Blob, workflowTaskCompletedEventID: EventID) {
        self.upsertedMemo = upsertedMemo
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 25: opaque to the server.
public struct MarkerRecorded: Hashable, Sendable {
    public var markerName: String
    public var details: [NamedBlob]
    public var failure: Failure?
    public var header: Blob?
    public var workflowTaskCompletedEventID: EventID

    public init(
        markerName: String, details: [NamedBlob] = [], failure: Failure? = nil, header: Blob? = nil,
        workflowTaskCompletedEventID: EventID
    ) {
        self.markerName = markerName
        self.details = details
        self.failure = failure
        self.header = header
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}
