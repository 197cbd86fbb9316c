/// Stands around the calls of a ``WorkflowClient``: adds headers, measures, refuses.
///
/// Give it to the client when it is made; the first of several is the outermost. Every method calls `next` once, usually; the
/// default does only that.
public protocol ClientInterceptor: Sendable {
    /// A workflow is started, perhaps with a signal.
    /// - Returns: The run's id.
    func start(
        _ call: StartWorkflowCall, next: @Sendable (StartWorkflowCall) async throws -> String
    ) async throws -> String

    /// A signal is sent.
    func signal(
        _ call: SignalWorkflowCall, next: @Sendable (SignalWorkflowCall) async throws -> Void
    ) async throws

    /// A question is asked.
    func query(
        _ call: QueryWorkflowCall, next: @Sendable (QueryWorkflowCall) async throws -> EncodedValues
    ) async throws -> EncodedValues

    /// A cancellation is asked for.
    func cancel(
        _ call: CancelWorkflowCall, next: @Sendable (CancelWorkflowCall) async throws -> Void
    ) async throws

    /// A workflow is ended by force.
    func terminate(
        _ call: TerminateWorkflowCall, next: @Sendable (TerminateWorkflowCall) async throws -> Void
    ) async throws
}

extension ClientInterceptor {
    public func start(
        _ call: StartWorkflowCall, next: @Sendable (StartWorkflowCall) async throws -> String
    ) async throws -> String { try await next(call) }

    public func signal(
        _ call: SignalWorkflowCall, next: @Sendable (SignalWorkflowCall) async throws -> Void
    ) async throws { try await next(call) }

    public func query(
        _ call: QueryWorkflowCall, next: @Sendable (QueryWorkflowCall) async throws -> EncodedValues
    ) async throws -> EncodedValues { try await next(call) }

    public func cancel(
        _ call: CancelWorkflowCall, next: @Sendable (CancelWorkflowCall) async throws -> Void
    ) async throws { try await next(call) }

    public func terminate(
        _ call: TerminateWorkflowCall, next: @Sendable (TerminateWorkflowCall) async throws -> Void
    ) async throws { try await next(call) }
}

/// A workflow to start; its header is in the options.
public struct StartWorkflowCall: Sendable {
    public var workflowType: String
    public var arguments: [any Encodable & Sendable]
    public var options: StartOptions
    /// The signal to send with the start, or to the running workflow; nil is a plain start.
    public var signal: Signal?

    public struct Signal: Sendable {
        public var name: String
        public var arguments: [any Encodable & Sendable]
    }
}

/// A signal to send.
public struct SignalWorkflowCall: Sendable {
    public let workflowID: String
    public let runID: String?
    public var name: String
    public var arguments: [any Encodable & Sendable]
    public var header: [String: Payload] = [:]
}

/// A question to ask.
public struct QueryWorkflowCall: Sendable {
    public let workflowID: String
    public let runID: String?
    public var name: String
    public var arguments: [any Encodable & Sendable]
    public var onlyWhileRunning: Bool
    public var header: [String: Payload] = [:]
}

/// A cancellation to ask for.
public struct CancelWorkflowCall: Sendable {
    public let workflowID: String
    public let runID: String?
    public var reason: String
}

/// A workflow to end by force.
public struct TerminateWorkflowCall: Sendable {
    public let workflowID: String
    public let runID: String?
    public var reason: String
    public var details: [any Encodable & Sendable]
}

extension [any ClientInterceptor] {
    /// Sends a call through all of them, the first one outermost.
    func pass<Call: Sendable, Answer>(
        _ call: Call,
        _ step:
            @escaping @Sendable (any ClientInterceptor, Call, @Sendable (Call) async throws -> Answer) async throws ->
            Answer,
        to end: @escaping @Sendable (Call) async throws -> Answer
    ) async throws -> Answer {
        guard let first else { return try await end(call) }
        let rest = Array(dropFirst())
        return try await step(first, call) { call in try await rest.pass(call, step, to: end) }
    }
}
