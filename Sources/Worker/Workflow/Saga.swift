/// Undoes the steps of a workflow, last first, when a later step fails.
///
/// ```swift
/// try await context.saga { saga in
///     saga.compensate("VoidAuth") { try await context.executeActivity("VoidAuth", payment, options: undo) }
///     try await context.executeActivity("Authorize", payment, options: options)
/// }
/// ```
///
/// Register a compensation *before* the step it undoes: the step may have had its effect although it failed. Each
/// compensation must therefore be idempotent and accept that there is nothing to undo. Compensations run strictly in
/// reverse, one at a time, in a part of the workflow that cancellation does not reach; one that throws does not stop the
/// others.
public final class Saga {
    private let context: WorkflowContext
    private var compensations: [(name: String, undo: () async throws -> Void)] = []

    public init(_ context: WorkflowContext) { self.context = context }

    /// The names of the compensations that would run now, in the order in which they would run.
    public var pending: [String] { compensations.reversed().map(\.name) }

    /// Registers what undoes the step that follows.
    public func compensate(_ name: String, _ undo: @escaping () async throws -> Void) {
        compensations.append((name, undo))
    }

    /// Forgets all compensations: what was done stays done.
    public func commit() { compensations.removeAll() }

    /// Runs all compensations, last registered first, out of reach of cancellation.
    ///
    /// Afterwards none is left, so a second call does nothing.
    /// - Throws: ``CompensationFailure`` with every error, after all of them have run; `CancellationError` when the run is
    ///   leaving memory: the compensations run when it comes back.
    public func compensateAll() async throws {
        guard !context.isEvicted else { throw CancellationError() }
        let undoing = Array(compensations.reversed())
        compensations.removeAll()
        var failures: [CompensationFailure.Step] = []
        for step in undoing {
            do {
                try await context.shielded { try await step.undo() }
            } catch {
                guard !context.isEvicted else { throw error }
                failures.append(CompensationFailure.Step(name: step.name, error: error))
            }
        }
        guard failures.isEmpty else { throw CompensationFailure(steps: failures) }
    }
}

/// Compensations that could not undo their step. Fails the workflow like an ``ApplicationFailure`` of type `CompensationFailure`.
public struct CompensationFailure: ApplicationFailureConvertible, CustomStringConvertible {
    public struct Step: Sendable {
        public let name: String
        public let error: any Error
    }
    /// In the order in which they ran.
    public let steps: [Step]
    /// The error that made compensation necessary.
    public internal(set) var original: (any Error)?

    public init(steps: [Step], original: (any Error)? = nil) {
        self.steps = steps
        self.original = original
    }

    public var description: String { "could not compensate \(steps.map(\.name).joined(separator: ", "))" }

    public var applicationFailure: ApplicationFailure {
        ApplicationFailure(
            description, type: "CompensationFailure", isNonRetryable: true, details: FailureDetails(steps.map(\.name)),
            cause: original ?? steps.first?.error)
    }
}

extension WorkflowContext {
    /// Runs steps that are undone, last first, if one of them throws or the workflow is cancelled among them.
    ///
    /// - Throws: What `body` threw, after all compensations ran; ``CompensationFailure`` if some of them failed.
    public func saga<Output>(_ body: (Saga) async throws -> Output) async throws -> Output {
        let saga = Saga(self)
        do {
            return try await body(saga)
        } catch {
            do {
                try await saga.compensateAll()
            } catch var failure as CompensationFailure {
                failure.original = error
                throw failure
            }
            throw error
        }
    }
}
