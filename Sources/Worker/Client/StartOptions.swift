import Foundation
import SwiftProtobuf
import TemporalAPI

/// May the id of a closed workflow be used again?
public enum IDReusePolicy: Int, Hashable, Sendable {
    case allowDuplicate = 1
    /// Only after the last run failed, timed out, was cancelled or terminated.
    case allowDuplicateFailedOnly = 2
    case rejectDuplicate = 3
}

/// What happens when a workflow with the id is running?
public enum IDConflictPolicy: Int, Hashable, Sendable {
    /// The start throws ``WorkflowAlreadyStarted``.
    case fail = 1
    /// The start gives a handle to the running one.
    case useExisting = 2
    /// The running one is terminated first.
    case terminateExisting = 3
}

/// How a workflow is started.
public struct StartOptions: Sendable {
    /// The business key: unique among running workflows of the namespace.
    public var id: String
    public var taskQueue: String
    /// For the whole chain of runs; nil is without limit.
    public var executionTimeout: Duration?
    /// For one run; nil is without limit.
    public var runTimeout: Duration?
    /// For one workflow task; nil is the server's default, 10 s.
    public var taskTimeout: Duration?
    /// Repeats the whole workflow when it fails; nil does not.
    public var retryPolicy: RetryPolicy?
    /// nil is the server's default, allow.
    public var idReusePolicy: IDReusePolicy?
    /// nil is the server's default: a start fails, a signal-with-start uses the running workflow.
    public var idConflictPolicy: IDConflictPolicy?
    /// Waits this long before the first workflow task.
    public var startDelay: Duration?
    public var cronSchedule: String?
    /// Values to find beside the workflow; nobody searches by them.
    public var memo: [String: any Encodable & Sendable]
    /// Values to search by; the attribute must be known to the server.
    public var searchAttributes: [String: SearchAttributeValue]
    /// Headers that interceptors and other SDKs read.
    public var header: [String: Payload]
    /// 1 (first) … 5 (last); nil is the server's default, 3.
    public var priority: Int?
    /// One line for tools that show the workflow.
    public var summary: String?
    /// A page for tools that show the workflow.
    public var details: String?
    /// Whose share of the queue the workflow counts for.
    public var fairnessKey: String?
    /// How big that share is; nil is 1.
    public var fairnessWeight: Float?
    /// A worker of the same process and client takes the first workflow task along with the answer, when it has a slot free.
    public var startsEagerly: Bool
    /// Recognises a repeated start; a fresh one if not given.
    public var requestID: String?

    public init(
        id: String, taskQueue: String, executionTimeout: Duration? = nil, runTimeout: Duration? = nil,
        taskTimeout: Duration? = nil, retryPolicy: RetryPolicy? = nil, idReusePolicy: IDReusePolicy? = nil,
        idConflictPolicy: IDConflictPolicy? = nil, startDelay: Duration? = nil, cronSchedule: String? = nil,
        memo: [String: any Encodable & Sendable] = [:], searchAttributes: [String: SearchAttributeValue] = [:],
        header: [String: Payload] = [:], priority: Int? = nil, summary: String? = nil, details: String? = nil,
        fairnessKey: String? = nil, fairnessWeight: Float? = nil, startsEagerly: Bool = false, requestID: String? = nil
    ) {
        self.id = id
        self.taskQueue = taskQueue
        self.executionTimeout = executionTimeout
        self.runTimeout = runTimeout
        self.taskTimeout = taskTimeout
        self.retryPolicy = retryPolicy
        self.idReusePolicy = idReusePolicy
        self.idConflictPolicy = idConflictPolicy
        self.startDelay = startDelay
        self.cronSchedule = cronSchedule
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.header = header
        self.priority = priority
        self.summary = summary
        self.details = details
        self.fairnessKey = fairnessKey
        self.fairnessWeight = fairnessWeight
        self.startsEagerly = startsEagerly
        self.requestID = requestID
    }
}

/// A value to search workflows by. It travels as plain JSON with its type, never through the codec, because the server reads it.
public enum SearchAttributeValue: Hashable, Sendable {
    case text(String)
    case keyword(String)
    case keywordList([String])
    case int(Int64)
    case double(Double)
    case bool(Bool)
    /// Seconds since 1970.
    case datetime(Double)

    /// As the server reads it.
    func payload() throws -> Payload {
        let json = JSONPayloadConverter()
        let (value, type): (any Encodable, String) =
            switch self {
            case .text(let text): (text, "Text")
            case .keyword(let text): (text, "Keyword")
            case .keywordList(let texts): (texts, "KeywordList")
            case .int(let number): (number, "Int")
            case .double(let number): (number, "Double")
            case .bool(let flag): (flag, "Bool")
            case .datetime(let seconds): (Date(timeIntervalSince1970: seconds), "Datetime")
            }
        guard var payload = try json.payload(for: value) else {
            throw ConversionFailure("search attribute is not JSON")
        }
        payload.metadata["type"] = Array(type.utf8)
        return payload
    }
}

extension StartOptions {
    /// The fields that a start and a signal-with-start share, written into either.
    func fill<Request: StartFields>(
        _ request: inout Request, workflowType: String, input: [UInt8], converter: DataConverter,
        service: WorkflowService
    ) throws {
        request.namespace = service.namespace
        request.workflowID = id
        request.workflowType.name = workflowType
        request.taskQueue.name = taskQueue
        request.taskQueue.kind = .normal
        if !input.isEmpty { request.input = Data(input) }
        if let executionTimeout { request.workflowExecutionTimeout = executionTimeout.message }
        if let runTimeout { request.workflowRunTimeout = runTimeout.message }
        if let taskTimeout { request.workflowTaskTimeout = taskTimeout.message }
        request.identity = service.identity
        request.requestID = requestID ?? UUID().uuidString.lowercased()
        if let idReusePolicy { request.workflowIDReusePolicy = .init(rawValue: idReusePolicy.rawValue) ?? .unspecified }
        if let idConflictPolicy {
            request.workflowIDConflictPolicy = .init(rawValue: idConflictPolicy.rawValue) ?? .unspecified
        }
        if let retryPolicy { request.retryPolicy = retryPolicy.message }
        if let cronSchedule { request.cronSchedule = cronSchedule }
        if !memo.isEmpty {
            request.memo = Data(Payload.wire(fields: try memo.mapValues { try converter.payload(for: $0) }))
        }
        if !searchAttributes.isEmpty {
            request.searchAttributes = Data(Payload.wire(fields: try searchAttributes.mapValues { try $0.payload() }))
        }
        if !header.isEmpty { request.header = Data(Payload.wire(fields: header)) }
        if let startDelay { request.workflowStartDelay = startDelay.message }
        if let priority { request.priority.priorityKey = Int32(priority) }
        if let fairnessKey { request.priority.fairnessKey = fairnessKey }
        if let fairnessWeight { request.priority.fairnessWeight = fairnessWeight }
        if summary != nil || details != nil {
            request.userMetadata = Data(try converter.userMetadata(summary: summary, details: details))
        }
    }
}

/// What the two requests that start a workflow have in common.
protocol StartFields {
    var namespace: String { get set }
    var workflowID: String { get set }
    var workflowType: Temporal_Api_Common_V1_WorkflowType { get set }
    var taskQueue: Temporal_Api_Taskqueue_V1_TaskQueue { get set }
    var input: Data { get set }
    var workflowExecutionTimeout: Google_Protobuf_Duration { get set }
    var workflowRunTimeout: Google_Protobuf_Duration { get set }
    var workflowTaskTimeout: Google_Protobuf_Duration { get set }
    var identity: String { get set }
    var requestID: String { get set }
    var workflowIDReusePolicy: Temporal_Api_Enums_V1_WorkflowIdReusePolicy { get set }
    var workflowIDConflictPolicy: Temporal_Api_Enums_V1_WorkflowIdConflictPolicy { get set }
    var retryPolicy: Temporal_Api_Common_V1_RetryPolicy { get set }
    var cronSchedule: String { get set }
    var memo: Data { get set }
    var searchAttributes: Data { get set }
    var header: Data { get set }
    var workflowStartDelay: Google_Protobuf_Duration { get set }
    var priority: Temporal_Api_Common_V1_Priority { get set }
    var userMetadata: Data { get set }
}

extension Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest: StartFields {}
extension Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest: StartFields {}

extension RetryPolicy {
    /// The policy as protobuf writes it.
    var message: Temporal_Api_Common_V1_RetryPolicy {
        var message = Temporal_Api_Common_V1_RetryPolicy()
        message.initialInterval = initialInterval.message
        message.backoffCoefficient = backoffCoefficient
        if let maximumInterval { message.maximumInterval = maximumInterval.message }
        message.maximumAttempts = Int32(maximumAttempts ?? 0)
        message.nonRetryableErrorTypes = nonRetryableErrorTypes
        return message
    }
}
