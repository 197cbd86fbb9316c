/// Stands around the activities and workflows of a worker: tracing, authentication, logging, in one place.
///
/// Give it to the worker with ``WorkerOptions/interceptors``; the first of several is the outermost. The default methods do
/// nothing of their own.
public protocol WorkerInterceptor: Sendable {
    /// An attempt of an activity, local or not. ``ActivityContext/current`` is set.
    func executeActivity(
        _ call: ActivityExecution, _ context: ActivityContext,
        next: @Sendable (ActivityExecution) async throws -> EncodedValues
    ) async throws -> EncodedValues

    /// An activity reports that it is alive.
    func heartbeat(
        _ details: [any Encodable & Sendable], _ context: ActivityContext,
        next: @Sendable ([any Encodable & Sendable]) -> Void)

    /// Makes what stands around one run; nil for nothing.
    func workflowInterceptor(for workflow: WorkflowInfo) -> (any WorkflowInterceptor)?
}

extension WorkerInterceptor {
    public func executeActivity(
        _ call: ActivityExecution, _ context: ActivityContext,
        next: @Sendable (ActivityExecution) async throws -> EncodedValues
    ) async throws -> EncodedValues { try await next(call) }

    public func heartbeat(
        _ details: [any Encodable & Sendable], _ context: ActivityContext,
        next: @Sendable ([any Encodable & Sendable]) -> Void
    ) { next(details) }

    public func workflowInterceptor(for workflow: WorkflowInfo) -> (any WorkflowInterceptor)? { nil }
}

/// An attempt of an activity that begins.
public struct ActivityExecution: Sendable {
    public var arguments: EncodedValues
    public var header: [String: Payload]
}
