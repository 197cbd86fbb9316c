import History

extension WorkflowHandlers {
    typealias DynamicSignalHandler = @Sendable (Workflow, String, Blob?, WorkflowContext) -> (() async throws -> Void)
    typealias DynamicQueryHandler = @Sendable (Workflow, String, Blob?, DataConverter) throws -> [UInt8]

    /// A handler for every signal that has none of its own; it gets the signal's name and its arguments as they came.
    ///
    /// It runs beside `run` and may wait.
    public mutating func dynamicSignal(
        _ handler: @escaping @Sendable (Workflow, String, EncodedValues, WorkflowContext) async throws -> Void
    ) {
        dynamicSignal = { workflow, name, arguments, context in
            let values = EncodedValues(wire: arguments?.bytes ?? [], converter: context.core.converter)
            return { try await handler(workflow, name, values, context) }
        }
    }

    /// A handler for every query that has none of its own.
    public mutating func dynamicQuery<Output: Encodable & SendableMetatype>(
        _ handler: @escaping @Sendable (Workflow, String, EncodedValues) throws -> Output
    ) {
        dynamicQuery = { workflow, name, arguments, converter in
            let values = EncodedValues(wire: arguments?.bytes ?? [], converter: converter)
            return try converter.result(handler(workflow, name, values))
        }
    }
}
