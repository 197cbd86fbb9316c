import History

/// What a workflow type does for one name of update.
struct UpdateHandler<Workflow: WorkflowDefinition>: Sendable {
    enum Body: Sendable {
        case immediate(@Sendable (Workflow, Blob?, DataConverter) throws -> [UInt8])
        case task(@Sendable (Workflow, Blob?, DataConverter, WorkflowContext) throws -> (() async throws -> [UInt8]))
    }
    /// Decodes the argument and asks the validator, if there is one.
    let validate: @Sendable (Workflow, Blob?, DataConverter) throws -> Void
    let body: Body
}

extension WorkflowHandlers {
    /// An update that changes the workflow's state at once and answers.
    ///
    /// The validator runs first. It may only look: what it throws rejects the update, and nothing of it is recorded. Once it
    /// has said yes the update is accepted, and what the handler throws is the update's answer if it is a
    /// ``TemporalFailure`` (say an ``ApplicationFailure``); any other error fails the workflow task.
    /// An argument that cannot be decoded rejects the update. Answer ``NoValue`` where there is nothing to say.
    public mutating func update<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ name: String, _ input: Input.Type, validator: (@Sendable (Workflow, Input) throws -> Void)? = nil,
        _ handler: @escaping @Sendable (Workflow, Input) throws -> Output
    ) {
        updates[name] = UpdateHandler(
            validate: Self.validation(validator),
            body: .immediate { workflow, arguments, converter in
                let value = try WorkflowHandlers.decode(Input.self, arguments, converter)
                return try converter.result(handler(workflow, value))
            })
    }

    /// An update whose handler waits: for activities, timers, conditions.
    ///
    /// It runs beside `run` and other handlers. A run that ends first leaves the update without an answer, so `run` should
    /// wait for ``WorkflowContext/allHandlersFinished``.
    public mutating func update<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ name: String, _ input: Input.Type, validator: (@Sendable (Workflow, Input) throws -> Void)? = nil,
        _ handler: @escaping @Sendable (Workflow, Input, WorkflowContext) async throws -> Output
    ) {
        updates[name] = UpdateHandler(
            validate: Self.validation(validator),
            body: .task { workflow, arguments, converter, context in
                let value = try WorkflowHandlers.decode(Input.self, arguments, converter)
                return { try converter.result(try await handler(workflow, value, context)) }
            })
    }

    /// An update without an argument that answers at once.
    public mutating func update<Output: Encodable & SendableMetatype>(
        _ name: String, validator: (@Sendable (Workflow) throws -> Void)? = nil,
        _ handler: @escaping @Sendable (Workflow) throws -> Output
    ) {
        updates[name] = UpdateHandler(
            validate: { workflow, _, _ in try validator?(workflow) },
            body: .immediate { workflow, _, converter in try converter.result(handler(workflow)) })
    }

    /// An update without an argument whose handler waits.
    public mutating func update<Output: Encodable & SendableMetatype>(
        _ name: String, validator: (@Sendable (Workflow) throws -> Void)? = nil,
        _ handler: @escaping @Sendable (Workflow, WorkflowContext) async throws -> Output
    ) {
        updates[name] = UpdateHandler(
            validate: { workflow, _, _ in try validator?(workflow) },
            body: .task { workflow, _, converter, context in
                { try converter.result(try await handler(workflow, context)) }
            })
    }

    private static func validation<Input: Decodable & SendableMetatype>(
        _ validator: (@Sendable (Workflow, Input) throws -> Void)?
    ) -> @Sendable (Workflow, Blob?, DataConverter) throws -> Void {
        { workflow, arguments, converter in
            let value = try WorkflowHandlers.decode(Input.self, arguments, converter)
            try validator?(workflow, value)
        }
    }
}
