import History

/// What happens to a child that is still running when its parent closes?
public enum ParentClosePolicy: Int32, Hashable, Sendable {
    /// It is terminated.
    case terminate = 1
    /// It runs on.
    case abandon = 2
    /// It is asked to cancel itself.
    case requestCancel = 3
}

/// How a child workflow is started.
public struct ChildWorkflowOptions: Sendable {
    /// What happens to the child when the task that waits for it is cancelled.
    public enum Cancellation: Hashable, Sendable {
        /// Ask the child to cancel itself and throw at once.
        case tryCancel
        /// Ask the child to cancel itself and wait for its own end.
        case waitCompleted
        /// Ask the child to cancel itself and throw when it has been told.
        case waitRequested
        /// Throw at once and let the child run.
        case abandon
    }

    /// nil is a new UUID, the same in every replay.
    public var id: String?
    /// nil is the parent's own task queue.
    public var taskQueue: String?
    public var cancellation: Cancellation
    public var parentClosePolicy: ParentClosePolicy
    /// For the child's whole chain of runs; nil is without limit.
    public var executionTimeout: Duration?
    /// For one run of the child; nil is without limit.
    public var runTimeout: Duration?
    /// For one workflow task of the child; nil is the server's default, 10 s.
    public var taskTimeout: Duration?
    /// Repeats the whole child when it fails; nil does not.
    public var retryPolicy: RetryPolicy?
    /// nil is the server's default, allow.
    public var idReusePolicy: IDReusePolicy?
    public var cronSchedule: String?
    /// Values to find beside the child; nobody searches by them.
    public var memo: [String: any Encodable & Sendable]
    /// Values to search by; the attribute must be known to the server.
    public var searchAttributes: [String: SearchAttributeValue]
    /// 1 (first) … 5 (last); nil is the parent's own.
    public var priority: Int?
    /// Shown by tools beside the child.
    public var summary: String?
    /// Headers for the child and for interceptors.
    public var header: [String: Payload]

    public init(
        id: String? = nil, taskQueue: String? = nil, cancellation: Cancellation = .waitCompleted,
        parentClosePolicy: ParentClosePolicy = .terminate, executionTimeout: Duration? = nil,
        runTimeout: Duration? = nil, taskTimeout: Duration? = nil, retryPolicy: RetryPolicy? = nil,
        idReusePolicy: IDReusePolicy? = nil, cronSchedule: String? = nil,
        memo: [String: any Encodable & Sendable] = [:], searchAttributes: [String: SearchAttributeValue] = [:],
        priority: Int? = nil, summary: String? = nil, header: [String: Payload] = [:]
    ) {
        self.id = id
        self.taskQueue = taskQueue
        self.cancellation = cancellation
        self.parentClosePolicy = parentClosePolicy
        self.executionTimeout = executionTimeout
        self.runTimeout = runTimeout
        self.taskTimeout = taskTimeout
        self.retryPolicy = retryPolicy
        self.idReusePolicy = idReusePolicy
        self.cronSchedule = cronSchedule
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.priority = priority
        self.summary = summary
        self.header = header
    }
}

extension ChildWorkflowOptions {
    /// The command that asks for the child.
    func command(
        _ name: String, id: String, arguments: [any Encodable], converter: DataConverter, ownQueue: String
    ) throws -> StartChildWorkflow {
        let input = try converter.arguments(arguments)
        var command = StartChildWorkflow(
            workflowID: WorkflowID(id), workflowType: name, taskQueue: TaskQueueName(taskQueue ?? ownQueue),
            input: input.isEmpty ? nil : Blob(input))
        command.workflowExecutionTimeout = executionTimeout.map(TimeSpan.init) ?? .zero
        command.workflowRunTimeout = runTimeout.map(TimeSpan.init) ?? .zero
        command.workflowTaskTimeout = taskTimeout.map(TimeSpan.init) ?? .zero
        command.parentClosePolicy = History.ParentClosePolicy(rawValue: parentClosePolicy.rawValue)
        command.reusePolicy =
            idReusePolicy.flatMap { WorkflowIDReusePolicy(rawValue: Int32($0.rawValue)) } ?? .allowDuplicate
        command.retryPolicy = retryPolicy.map(History.RetryPolicy.init)
        command.cronSchedule = cronSchedule ?? ""
        if !memo.isEmpty {
            command.memo = Blob(Payload.wire(fields: try memo.mapValues { try converter.payload(for: $0) }))
        }
        if !searchAttributes.isEmpty {
            command.searchAttributes = Blob(Payload.wire(fields: try searchAttributes.mapValues { try $0.payload() }))
        }
        if !header.isEmpty { command.header = Blob(Payload.wire(fields: header)) }
        command.priority = priority.map { Priority(key: Int32(clamping: $0)) }
        return command
    }
}
