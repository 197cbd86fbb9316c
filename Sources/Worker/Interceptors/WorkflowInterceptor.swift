/// Stands around the code of one run: sees what comes in and what the code asks for, and may change both.
///
/// A worker makes one for every run that is in memory, so it may keep state. It runs on the run's own executor and keeps to
/// the rules of workflow code: no clocks, no randomness, no waiting but through the context. Every method calls `next` once,
/// usually; the default does only that.
public protocol WorkflowInterceptor {
    /// The run itself.
    func execute(
        _ call: WorkflowCall, _ context: WorkflowContext, next: (WorkflowCall) async throws -> EncodedValues
    ) async throws -> EncodedValues

    /// A signal on its way to its handler.
    func signal(_ call: SignalCall, _ context: WorkflowContext, next: (SignalCall) throws -> Void) throws

    /// An update on its way to its validator; what is thrown refuses it. It may change nothing.
    func validateUpdate(_ call: UpdateCall, next: (UpdateCall) throws -> Void) throws

    /// An update that was accepted, on its way to its handler.
    /// - Returns: The call as the handler shall see it.
    func update(_ call: UpdateCall, _ context: WorkflowContext) throws -> UpdateCall

    /// A query on its way to its handler. It may change nothing.
    func query(_ call: QueryCall, next: (QueryCall) throws -> EncodedValues) throws -> EncodedValues

    /// The code runs an activity.
    func executeActivity(
        _ call: ActivityCall, _ context: WorkflowContext, next: (ActivityCall) async throws -> EncodedValues
    ) async throws -> EncodedValues

    /// The code runs a local activity.
    func executeLocalActivity(
        _ call: LocalActivityCall, _ context: WorkflowContext, next: (LocalActivityCall) async throws -> EncodedValues
    ) async throws -> EncodedValues

    /// The code waits on a timer.
    func sleep(
        _ duration: Duration, _ context: WorkflowContext, next: (Duration) async throws -> Void
    ) async throws

    /// The code asks for a new run.
    func continueAsNew(_ request: ContinueAsNewRequest, _ context: WorkflowContext) throws -> ContinueAsNewRequest

    /// The code starts a child.
    func startChildWorkflow(_ call: ChildWorkflowCall, _ context: WorkflowContext) throws -> ChildWorkflowCall

    /// The code signals another workflow.
    func signalWorkflow(_ call: ExternalSignalCall, _ context: WorkflowContext) throws -> ExternalSignalCall
}

extension WorkflowInterceptor {
    public func execute(
        _ call: WorkflowCall, _ context: WorkflowContext, next: (WorkflowCall) async throws -> EncodedValues
    ) async throws -> EncodedValues { try await next(call) }

    public func signal(_ call: SignalCall, _ context: WorkflowContext, next: (SignalCall) throws -> Void) throws {
        try next(call)
    }

    public func validateUpdate(_ call: UpdateCall, next: (UpdateCall) throws -> Void) throws { try next(call) }

    public func update(_ call: UpdateCall, _ context: WorkflowContext) throws -> UpdateCall { call }

    public func query(_ call: QueryCall, next: (QueryCall) throws -> EncodedValues) throws -> EncodedValues {
        try next(call)
    }

    public func executeActivity(
        _ call: ActivityCall, _ context: WorkflowContext, next: (ActivityCall) async throws -> EncodedValues
    ) async throws -> EncodedValues { try await next(call) }

    public func executeLocalActivity(
        _ call: LocalActivityCall, _ context: WorkflowContext, next: (LocalActivityCall) async throws -> EncodedValues
    ) async throws -> EncodedValues { try await next(call) }

    public func sleep(
        _ duration: Duration, _ context: WorkflowContext, next: (Duration) async throws -> Void
    ) async throws { try await next(duration) }

    public func continueAsNew(
        _ request: ContinueAsNewRequest, _ context: WorkflowContext
    ) throws -> ContinueAsNewRequest { request }

    public func startChildWorkflow(
        _ call: ChildWorkflowCall, _ context: WorkflowContext
    ) throws -> ChildWorkflowCall { call }

    public func signalWorkflow(
        _ call: ExternalSignalCall, _ context: WorkflowContext
    ) throws -> ExternalSignalCall { call }
}

/// A run that begins.
public struct WorkflowCall: Sendable {
    public var arguments: EncodedValues
    public var header: [String: Payload]
}

/// A signal that came.
public struct SignalCall: Sendable {
    /// The name it was sent under.
    public var name: String
    public var arguments: EncodedValues
    public var header: [String: Payload]
}

/// An update that came.
public struct UpdateCall: Sendable {
    public let id: String
    public var name: String
    public var arguments: EncodedValues
    public var header: [String: Payload]
}

/// A question about the state.
public struct QueryCall: Sendable {
    public var name: String
    public var arguments: EncodedValues
    public var header: [String: Payload]
}

/// An activity that the code asks for; its header is in the options.
public struct ActivityCall {
    public var activityType: String
    public var arguments: [any Encodable]
    public var options: ActivityOptions
}

/// A local activity that the code asks for; its header is in the options.
public struct LocalActivityCall {
    public var activityType: String
    public var arguments: [any Encodable]
    public var options: LocalActivityOptions
}

/// A child that the code starts; its header is in the options.
public struct ChildWorkflowCall {
    public var workflowType: String
    public var arguments: [any Encodable]
    public var options: ChildWorkflowOptions
}

/// A signal to another workflow.
public struct ExternalSignalCall: Sendable {
    public let workflowID: String
    public let name: String
    public var header: [String: Payload]
}
