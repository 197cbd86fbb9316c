import History

/// Thrown by `run` to end this run and begin another with the same workflow id and an empty history.
///
/// Make it with ``WorkflowContext/continueAsNew(_:options:)`` and throw it out of `run`.
public struct ContinueAsNewRequest: Error, CustomStringConvertible {
    /// The new run's arguments.
    public var arguments: EncodedValues
    public var options: ContinueAsNewOptions

    public var description: String { "continue as new" }
}

/// What the new run has that differs from this one; nil keeps what this run has.
public struct ContinueAsNewOptions: Sendable {
    public var workflowType: String?
    public var taskQueue: String?
    public var runTimeout: Duration?
    public var taskTimeout: Duration?
    public var retryPolicy: RetryPolicy?
    /// Replaces the whole memo.
    public var memo: [String: any Encodable & Sendable]?
    /// Replaces all search attributes.
    public var searchAttributes: SearchAttributes?
    /// Headers of the new run.
    public var header: [String: Payload]
    /// The new run waits this long before it begins.
    public var startDelay: Duration?

    public init(
        workflowType: String? = nil, taskQueue: String? = nil, runTimeout: Duration? = nil,
        taskTimeout: Duration? = nil, retryPolicy: RetryPolicy? = nil,
        memo: [String: any Encodable & Sendable]? = nil, searchAttributes: SearchAttributes? = nil,
        header: [String: Payload] = [:], startDelay: Duration? = nil
    ) {
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.runTimeout = runTimeout
        self.taskTimeout = taskTimeout
        self.retryPolicy = retryPolicy
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.header = header
        self.startDelay = startDelay
    }
}

extension WorkflowContext {
    /// Asks for a new run of this workflow id: `throw try context.continueAsNew(nextInput)`.
    ///
    /// Memo and search attributes go over as they are now, unless the options say otherwise.
    ///
    /// - Parameters:
    ///   - input: The new run's argument.
    ///   - workflowType: nil is the same type.
    ///   - taskQueue: nil is the same queue.
    public func continueAsNew(
        _ input: some Encodable, workflowType: String? = nil, taskQueue: String? = nil
    ) throws -> ContinueAsNewRequest {
        try continueAsNew(input, options: ContinueAsNewOptions(workflowType: workflowType, taskQueue: taskQueue))
    }

    /// Asks for a new run of this workflow id that differs in more than its input.
    public func continueAsNew(
        _ input: some Encodable, options: ContinueAsNewOptions
    ) throws -> ContinueAsNewRequest {
        let request = ContinueAsNewRequest(
            arguments: try EncodedValues([input], converter: core.converter), options: options)
        return try core.intercepted(request)
    }
}

extension WorkflowCore {
    /// The command for a request.
    func continuation(_ request: ContinueAsNewRequest) -> ContinueAsNew {
        let options = request.options
        let memo = options.memo?.compactMapValues { try? converter.payload(for: $0) } ?? memo
        let attributes = (try? options.searchAttributes?.payloads()) ?? searchAttributes
        return ContinueAsNew(
            workflowType: options.workflowType ?? workflowType,
            taskQueue: TaskQueueName(options.taskQueue ?? info?.taskQueue ?? ""),
            input: request.arguments.wire.isEmpty ? nil : Blob(request.arguments.wire),
            header: options.header.isEmpty ? nil : Blob(Payload.wire(fields: options.header)),
            workflowRunTimeout: options.runTimeout.map(TimeSpan.init) ?? .zero,
            workflowTaskTimeout: options.taskTimeout.map(TimeSpan.init) ?? .zero,
            backoffStartInterval: options.startDelay.map(TimeSpan.init) ?? .zero,
            retryPolicy: options.retryPolicy.map(History.RetryPolicy.init),
            memo: memo.isEmpty ? nil : Blob(Payload.wire(fields: memo)),
            searchAttributes: attributes.isEmpty ? nil : Blob(Payload.wire(fields: attributes)))
    }
}
