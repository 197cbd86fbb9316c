import History

/// Thrown by `run` to end this run and begin another with the same workflow id and an empty history.
///
/// Make it with ``WorkflowContext/continueAsNew(_:workflowType:taskQueue:)`` and throw it out of `run`.
public struct ContinueAsNewRequest: Error, CustomStringConvertible {
    let input: Blob
    let workflowType: String?
    let taskQueue: String?

    public var description: String { "continue as new" }
}

extension WorkflowContext {
    /// Asks for a new run of this workflow id: `throw try context.continueAsNew(nextInput)`.
    ///
    /// - Parameters:
    ///   - input: The new run's argument.
    ///   - workflowType: nil is the same type.
    ///   - taskQueue: nil is the same queue.
    public func continueAsNew(
        _ input: some Encodable, workflowType: String? = nil, taskQueue: String? = nil
    ) throws -> ContinueAsNewRequest {
        ContinueAsNewRequest(
            input: Blob(try core.converter.arguments([input])), workflowType: workflowType, taskQueue: taskQueue)
    }
}
