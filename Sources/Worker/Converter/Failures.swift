/// A failure as every Temporal SDK knows it, with the failure that caused it.
///
/// Throw an ``ApplicationFailure`` from an activity or a workflow; the others come from the server and are caught.
public protocol TemporalFailure: Error, CustomStringConvertible {
    var message: String { get }
    /// The failure behind this one; the chain ends with nil.
    var cause: (any Error)? { get }
    /// Where it happened, in the words of the SDK that threw it; often empty.
    var stackTrace: String { get }
    /// Which SDK or server made it, for example `Server` or `PythonSDK`.
    var source: String { get }
}

extension TemporalFailure {
    public var description: String {
        let own = message.isEmpty ? "\(Swift.type(of: self))" : "\(Swift.type(of: self)): \(message)"
        guard let cause else { return own }
        return "\(own) (caused by \(cause))"
    }

    /// The innermost failure of the chain.
    public var rootCause: any Error {
        var root: any Error = self
        while let next = (root as? any TemporalFailure)?.cause { root = next }
        return root
    }
}

/// What an own error type says about itself when it leaves an activity or a workflow.
///
/// Without it an error becomes an ``ApplicationFailure`` whose type is the name of the Swift type.
public protocol ApplicationFailureConvertible: Error {
    var applicationFailure: ApplicationFailure { get }
}

/// Why the server stopped retrying, or did not.
public enum RetryOutcome: Int32, Hashable, Sendable {
    case unspecified = 0
    case inProgress = 1
    case nonRetryableFailure = 2
    case timeout = 3
    case maximumAttemptsReached = 4
    case retryPolicyNotSet = 5
    case internalServerError = 6
    case cancelRequested = 7
}

/// The code said that it failed.
public struct ApplicationFailure: TemporalFailure {
    /// How loudly the failure is reported.
    public enum Category: Int32, Hashable, Sendable {
        case unspecified = 0
        /// Expected now and then: no error log, no error count.
        case benign = 1
    }

    public var message: String
    /// The kind of error; a retry policy's non-retryable types are compared with it.
    public var type: String
    /// True stops all retries, whatever the policy says.
    public var isNonRetryable: Bool
    /// Values for whoever catches it.
    public var details: FailureDetails
    /// Waits this long before the next attempt, instead of the policy's back-off.
    public var nextRetryDelay: Duration?
    public var category: Category
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String, type: String = "", isNonRetryable: Bool = false, details: FailureDetails = .none,
        nextRetryDelay: Duration? = nil, category: Category = .unspecified, cause: (any Error)? = nil,
        stackTrace: String = "", source: String = ""
    ) {
        self.message = message
        self.type = type
        self.isNonRetryable = isNonRetryable
        self.details = details
        self.nextRetryDelay = nextRetryDelay
        self.category = category
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// The work was cancelled because somebody asked for it.
public struct CanceledFailure: TemporalFailure {
    public var message: String
    public var details: FailureDetails
    public var identity: String
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String = "Canceled", details: FailureDetails = .none, identity: String = "",
        cause: (any Error)? = nil,
        stackTrace: String = "", source: String = ""
    ) {
        self.message = message
        self.details = details
        self.identity = identity
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// Somebody ended the workflow by force.
public struct TerminatedFailure: TemporalFailure {
    public var message: String
    public var identity: String
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String, identity: String = "", cause: (any Error)? = nil, stackTrace: String = "",
        source: String = ""
    ) {
        self.message = message
        self.identity = identity
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// A time limit passed.
public struct TimeoutFailure: TemporalFailure {
    /// Which limit.
    public enum Kind: Int32, Hashable, Sendable {
        case unspecified = 0
        case startToClose = 1
        case scheduleToStart = 2
        case scheduleToClose = 3
        case heartbeat = 4
    }

    public var message: String
    public var kind: Kind
    /// What the activity reported last.
    public var lastHeartbeatDetails: FailureDetails
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String, kind: Kind, lastHeartbeatDetails: FailureDetails = .none, cause: (any Error)? = nil,
        stackTrace: String = "", source: String = ""
    ) {
        self.message = message
        self.kind = kind
        self.lastHeartbeatDetails = lastHeartbeatDetails
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// The server itself could not go on.
public struct ServerFailure: TemporalFailure {
    public var message: String
    public var isNonRetryable: Bool
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String, isNonRetryable: Bool = false, cause: (any Error)? = nil, stackTrace: String = "",
        source: String = ""
    ) {
        self.message = message
        self.isNonRetryable = isNonRetryable
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// The run was reset to an earlier point.
public struct ResetWorkflowFailure: TemporalFailure {
    public var message: String
    public var lastHeartbeatDetails: FailureDetails
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String, lastHeartbeatDetails: FailureDetails = .none, cause: (any Error)? = nil,
        stackTrace: String = "",
        source: String = ""
    ) {
        self.message = message
        self.lastHeartbeatDetails = lastHeartbeatDetails
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// An activity ended without a result; ``cause`` says why.
public struct ActivityFailure: TemporalFailure {
    public var message: String
    public var activityType: String
    public var activityID: String
    public var scheduledEventID: Int64
    public var startedEventID: Int64
    public var identity: String
    public var retryOutcome: RetryOutcome
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String = "Activity task failed", activityType: String, activityID: String,
        scheduledEventID: Int64 = 0,
        startedEventID: Int64 = 0, identity: String = "", retryOutcome: RetryOutcome = .unspecified,
        cause: (any Error)?, stackTrace: String = "", source: String = ""
    ) {
        self.message = message
        self.activityType = activityType
        self.activityID = activityID
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.identity = identity
        self.retryOutcome = retryOutcome
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// A child workflow ended without a result; ``cause`` says why.
public struct ChildWorkflowFailure: TemporalFailure {
    public var message: String
    public var namespace: String
    public var workflowID: String
    public var runID: String
    public var workflowType: String
    public var initiatedEventID: Int64
    public var startedEventID: Int64
    public var retryOutcome: RetryOutcome
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String

    public init(
        _ message: String = "Child Workflow execution failed", namespace: String = "", workflowID: String,
        runID: String = "",
        workflowType: String, initiatedEventID: Int64 = 0, startedEventID: Int64 = 0,
        retryOutcome: RetryOutcome = .unspecified, cause: (any Error)?, stackTrace: String = "", source: String = ""
    ) {
        self.message = message
        self.namespace = namespace
        self.workflowID = workflowID
        self.runID = runID
        self.workflowType = workflowType
        self.initiatedEventID = initiatedEventID
        self.startedEventID = startedEventID
        self.retryOutcome = retryOutcome
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
    }
}

/// A failure of a kind this library does not name; it is passed on byte for byte.
public struct OtherFailure: TemporalFailure {
    public var message: String
    public var cause: (any Error)?
    public var stackTrace: String
    public var source: String
    /// The encoded `temporal.api.failure.v1.Failure` as it came; empty when there was none.
    public let wire: [UInt8]

    init(_ message: String, cause: (any Error)?, stackTrace: String, source: String, wire: [UInt8]) {
        self.message = message
        self.cause = cause
        self.stackTrace = stackTrace
        self.source = source
        self.wire = wire
    }
}
