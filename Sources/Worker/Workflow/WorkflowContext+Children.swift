import History
import Replay

extension WorkflowContext {
    /// Starts a child workflow by its Swift type and waits until it runs.
    ///
    /// - Returns: A handle to wait for its result, to signal and to cancel it.
    /// - Throws: ``WorkflowAlreadyStarted`` when its id is taken; ``ChildWorkflowFailure`` with a ``CanceledFailure`` when the
    ///   waiting task was cancelled before the child ran.
    public func startChildWorkflow<Child: WorkflowDefinition>(
        _ child: Child.Type, _ input: Child.Input, options: ChildWorkflowOptions = ChildWorkflowOptions()
    ) async throws -> ChildWorkflowHandle<Child.Output> {
        try await core.startChild(Child.name, [input], options)
    }

    /// Starts a child workflow by the name of its type and waits until it runs.
    public func startChildWorkflow<Output: Decodable>(
        _ name: String, _ input: some Encodable, options: ChildWorkflowOptions = ChildWorkflowOptions(),
        returning: Output.Type = Output.self
    ) async throws -> ChildWorkflowHandle<Output> {
        try await core.startChild(name, [input], options)
    }

    /// Starts a child workflow that takes several arguments, as other SDKs have them.
    public func startChildWorkflow<Output: Decodable>(
        _ name: String, arguments: [any Encodable], options: ChildWorkflowOptions = ChildWorkflowOptions(),
        returning: Output.Type = Output.self
    ) async throws -> ChildWorkflowHandle<Output> {
        try await core.startChild(name, arguments, options)
    }

    /// Runs a child workflow by its Swift type and waits for its result.
    ///
    /// When the waiting task is cancelled the child is treated as ``ChildWorkflowOptions/cancellation`` says.
    /// - Throws: ``ChildWorkflowFailure``; its ``ChildWorkflowFailure/cause`` says why. ``WorkflowAlreadyStarted`` when the id
    ///   is taken.
    @discardableResult
    public func executeChildWorkflow<Child: WorkflowDefinition>(
        _ child: Child.Type, _ input: Child.Input, options: ChildWorkflowOptions = ChildWorkflowOptions()
    ) async throws -> Child.Output {
        try await startChildWorkflow(child, input, options: options).result()
    }

    /// Runs a child workflow by the name of its type and waits for its result.
    public func executeChildWorkflow<Output: Decodable>(
        _ name: String, _ input: some Encodable, options: ChildWorkflowOptions = ChildWorkflowOptions(),
        returning: Output.Type = Output.self
    ) async throws -> Output {
        try await startChildWorkflow(name, input, options: options, returning: Output.self).result()
    }
}

/// A running child of this workflow.
public struct ChildWorkflowHandle<Output: Decodable>: Sendable {
    public let id: String
    /// The run that began the child's chain.
    public let firstRunID: String
    let core: WorkflowCore
    let end: FutureID
    let converter: DataConverter

    /// Waits for the last run of the child's chain.
    ///
    /// May be called again; the answer stays the same.
    /// - Throws: ``ChildWorkflowFailure``.
    public func result() async throws -> Output {
        try core.admit()
        guard case .childEnded(let outcome) = try await core.wait(forKept: end) else {
            throw WorkflowMisuse("future \(end) is a child")
        }
        guard case .completed(let result) = outcome.end else { throw core.failure(of: outcome, converter) }
        return try converter.value(Output.self, fromWire: result?.bytes ?? [])
    }

    /// Sends the child a signal; returns when the child has recorded it.
    public func signal(_ name: String, _ value: some Encodable) async throws {
        try await core.signal(
            SignalExternal(
                execution: WorkflowReference(workflow: WorkflowID(id)), signalName: name,
                input: Blob(try converter.arguments([value])), childWorkflowOnly: true))
    }

    /// Sends the child a signal without a value.
    public func signal(_ name: String) async throws {
        try await core.signal(
            SignalExternal(
                execution: WorkflowReference(workflow: WorkflowID(id)), signalName: name, childWorkflowOnly: true))
    }

    /// Asks the child to cancel itself; what ``result()`` then throws and when is what
    /// ``ChildWorkflowOptions/cancellation`` says.
    public func cancel() throws {
        try core.admit()
        if let resolution = core.machine.cancel(end) { core.resolve(end, resolution) }
    }
}

extension WorkflowCore {
    func startChild<Output>(
        _ name: String, _ arguments: [any Encodable], _ options: ChildWorkflowOptions
    ) async throws -> ChildWorkflowHandle<Output> {
        try await admitWait()
        let call = try intercepted(ChildWorkflowCall(workflowType: name, arguments: arguments, options: options))
        let (name, arguments, options) = (call.workflowType, call.arguments, call.options)
        let id = options.id ?? random.uuid()
        let converter = converter.scoped(namespace: namespace, workflowID: id)
        let command = try options.command(
            name, id: id, arguments: arguments, converter: converter, ownQueue: info?.taskQueue ?? "")
        let futures = machine.startChild(
            command, cancellation: ChildCancellation(options.cancellation),
            userMetadata: try options.summary.map(summaryMetadata))
        keep(futures.end)
        switch try await wait(for: futures.start) {
        case .childStarted(let run):
            return ChildWorkflowHandle(
                id: id, firstRunID: run.value, core: self, end: futures.end, converter: converter)
        case .childStartFailed(let failed):
            switch failed.cause {
            case .workflowAlreadyExists:
                throw WorkflowAlreadyStarted(workflowID: id, runID: "", message: "Workflow execution already started")
            case .namespaceNotFound:
                throw ChildWorkflowFailure(
                    workflowID: id, workflowType: name, initiatedEventID: failed.initiatedEventID.value,
                    cause: ApplicationFailure("namespace not found", type: "NamespaceNotFound", isNonRetryable: true))
            }
        case .childEnded(let outcome): throw failure(of: outcome, converter)
        case .activityCompleted, .activityFailed, .activityTimedOut, .activityCanceled, .timerFired, .timerCanceled,
            .externalTold, .externalFailed, .externalCanceled, .localActivity:
            throw WorkflowMisuse("future \(futures.start) is a child")
        }
    }

    /// How a child ended, as its parent's code sees it.
    func failure(of outcome: ChildOutcome, _ converter: DataConverter) -> ChildWorkflowFailure {
        var retry = RetryOutcome.unspecified
        let cause: (any Error)?
        switch outcome.end {
        case .completed: cause = nil
        case .failed(let failure, let state):
            retry = RetryOutcome(rawValue: state.rawValue) ?? .unspecified
            cause = error(for: failure, converter)
        case .canceled(let details):
            let found = details.flatMap { try? FailureDetails(wire: $0.bytes, converter: converter) } ?? .none
            cause = CanceledFailure("Child Workflow canceled", details: found)
        case .timedOut(let state):
            retry = RetryOutcome(rawValue: state.rawValue) ?? .unspecified
            cause = TimeoutFailure("Child Workflow timed out", kind: .startToClose)
        case .terminated: cause = TerminatedFailure("Child Workflow terminated")
        }
        return ChildWorkflowFailure(
            namespace: outcome.namespace.isEmpty ? namespace : outcome.namespace,
            workflowID: outcome.workflowID.value, runID: outcome.run?.value ?? "",
            workflowType: outcome.workflowType, initiatedEventID: outcome.initiatedEventID.value,
            startedEventID: outcome.startedEventID.value, retryOutcome: retry, cause: cause)
    }

    private func error(for failure: Failure, _ converter: DataConverter) -> any Error {
        if case .opaque(let bytes, _) = failure { return converter.error(fromFailure: bytes.bytes) }
        return error(for: failure)
    }
}

extension ChildCancellation {
    init(_ cancellation: ChildWorkflowOptions.Cancellation) {
        switch cancellation {
        case .tryCancel: self = .tryCancel
        case .waitCompleted: self = .waitCompleted
        case .waitRequested: self = .waitRequested
        case .abandon: self = .abandon
        }
    }
}
