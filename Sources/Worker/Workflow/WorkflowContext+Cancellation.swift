import History

/// A part of a workflow that can be cancelled by itself.
public struct CancellationScope: Sendable {
    private let core: WorkflowCore
    private let state = State()

    private final class State: @unchecked Sendable {
        var isCancelled = false
        var cancelTask: (@Sendable () -> Void)?
    }

    init(core: WorkflowCore) { self.core = core }

    /// Runs work that ends when ``cancel()`` is called or the task around it is cancelled.
    ///
    /// A scope runs one work at a time.
    public func run<Output>(_ body: @escaping () async throws -> Output) async throws -> Output {
        try core.admit()
        let isCancelledAround = Task.isCancelled
        let (task, number) = core.makePart(body)
        state.cancelTask = { task.cancel() }
        if state.isCancelled || isCancelledAround { task.cancel() }
        defer {
            state.cancelTask = nil
            core.removePart(number)
        }
        return try await withTaskCancellationHandler {
            try await task.value.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Cancels what runs in the scope, and what will run in it.
    public func cancel() {
        state.isCancelled = true
        state.cancelTask?()
    }

    /// Was ``cancel()`` called?
    public var isCancelled: Bool { state.isCancelled }
}

extension WorkflowContext {
    /// A scope whose work can be cancelled without cancelling the workflow.
    public func cancellationScope() -> CancellationScope { CancellationScope(core: core) }

    /// Runs work that cancellation does not reach: compensations, last reports.
    ///
    /// The work goes on to its end although the workflow is cancelled meanwhile or was before.
    public func shielded<Output>(_ body: @escaping () async throws -> Output) async throws -> Output {
        try core.admit()
        let (task, number) = core.makePart(body)
        defer { core.removePart(number) }
        return try await task.value.value
    }
}

extension WorkflowCore {
    /// Starts a part of the workflow that no surrounding task cancels; it ends with the run's stay in memory.
    func makePart<Output>(_ body: @escaping () async throws -> Output) -> (
        task: Task<Confined<Output>, any Error>, number: Int
    ) {
        let work = Confined(body)
        let number = nextPart()
        let task = Task(executorPreference: executor) { Confined(try await work.value()) }
        addPart(number) { task.cancel() }
        return (task, number)
    }
}
