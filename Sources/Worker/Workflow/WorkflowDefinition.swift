import History

/// A durable workflow: ordinary `async` Swift that survives crashes, restarts and months of waiting.
///
/// ```swift
/// final class Greeting: WorkflowDefinition {
///     static let name = "Greeting"
///     private var nickname: String?
///
///     static func registerHandlers(_ handlers: inout WorkflowHandlers<Greeting>) {
///         handlers.signal("rename", String.self) { workflow, name in workflow.nickname = name }
///         handlers.query("nickname") { workflow in workflow.nickname }
///     }
///
///     func run(_ input: String, _ context: WorkflowContext) async throws -> String {
///         try await context.waitCondition(timeout: .seconds(60)) { self.nickname != nil }
///         return try await context.executeActivity(
///             "greet", nickname ?? input, options: ActivityOptions(startToCloseTimeout: .seconds(5)))
///     }
/// }
/// ```
///
/// **State.** The library makes one instance a run. `run`, the handlers and every child task of the workflow execute on the
/// run's own serial executor, one at a time, so a `final class` with plain `var`s needs no lock, and it need not be
/// `Sendable`. Where a child task (`async let`, `addTask`) must touch `self`, declare the class `@unchecked Sendable`: the
/// executor makes that true.
///
/// **Determinism.** The code runs again from the start to rebuild its state, so the same history must always give the same
/// commands. Time, randomness, identifiers, waiting and logging come from the ``WorkflowContext``; input and output go
/// through activities. `async let`, task groups, `AsyncStream` and default actors are deterministic here. `Task {}`,
/// `Task.detached`, `Task.sleep`, `@MainActor` and actors with their own executor leave the executor: that is noticed and
/// fails the workflow task with ``WorkflowEscape``.
///
/// **Errors.** A ``TemporalFailure`` (say an ``ApplicationFailure``) that `run` throws fails the workflow; a cancellation
/// after it was requested cancels it; any other error fails the workflow *task*, which is tried again until code is deployed
/// that does not throw it.
public protocol WorkflowDefinition: SendableMetatype {
    /// The argument of the workflow; ``NoValue`` for none.
    associatedtype Input: Codable & Sendable
    /// The result; ``NoValue`` for none.
    associatedtype Output: Codable & Sendable

    /// The workflow type as clients name it. The name of the Swift type if not given.
    static var name: String { get }

    /// Makes the instance of one run. Must not have effects.
    init()

    /// The workflow itself.
    func run(_ input: Input, _ context: WorkflowContext) async throws -> Output

    /// Declares which signals, queries and updates the workflow answers. None if not given.
    static func registerHandlers(_ handlers: inout WorkflowHandlers<Self>)
}

extension WorkflowDefinition {
    public static var name: String { "\(Self.self)" }
    public static func registerHandlers(_ handlers: inout WorkflowHandlers<Self>) {}
}

/// The signals, queries and updates of a workflow type, by name.
///
/// A second handler of the same kind and name replaces the first.
public struct WorkflowHandlers<Workflow: WorkflowDefinition>: Sendable {
    enum SignalHandler: Sendable {
        case immediate(@Sendable (Workflow, Blob?, DataConverter) throws -> Void)
        case task(@Sendable (Workflow, Blob?, DataConverter, WorkflowContext) throws -> (() async throws -> Void))
    }
    typealias QueryHandler = @Sendable (Workflow, Blob?, DataConverter) throws -> [UInt8]

    private(set) var signals: [String: SignalHandler] = [:]
    private(set) var queries: [String: QueryHandler] = [:]
    /// For signals and queries that no handler has the name of.
    var dynamicSignal: DynamicSignalHandler?
    var dynamicQuery: DynamicQueryHandler?
    var updates: [String: UpdateHandler<Workflow>] = [:]

    init() {}

    /// A signal that changes the workflow's state at once.
    ///
    /// Runs before the code that waits for what came in the same workflow task. An argument that cannot be decoded is logged
    /// and dropped, because the sender is gone; an error the handler throws fails the workflow task.
    public mutating func signal<Input: Decodable & SendableMetatype>(
        _ name: String, _ input: Input.Type, _ handler: @escaping @Sendable (Workflow, Input) throws -> Void
    ) {
        signals[name] = .immediate { workflow, arguments, converter in
            try handler(workflow, WorkflowHandlers.decode(Input.self, arguments, converter))
        }
    }

    /// A signal without an argument.
    public mutating func signal(_ name: String, _ handler: @escaping @Sendable (Workflow) throws -> Void) {
        signals[name] = .immediate { workflow, _, _ in try handler(workflow) }
    }

    /// A signal whose handler waits: for activities, timers, conditions.
    ///
    /// It runs beside `run`; what it throws is treated like an error of `run`. A handler that has not ended when `run` ends
    /// is abandoned, so `run` should wait for handlers that matter.
    public mutating func signal<Input: Decodable & SendableMetatype>(
        _ name: String, _ input: Input.Type,
        _ handler: @escaping @Sendable (Workflow, Input, WorkflowContext) async throws -> Void
    ) {
        signals[name] = .task { workflow, arguments, converter, context in
            let value = try WorkflowHandlers.decode(Input.self, arguments, converter)
            return { try await handler(workflow, value, context) }
        }
    }

    /// A query without an argument: reads the state and changes nothing.
    public mutating func query<Output: Encodable & SendableMetatype>(
        _ name: String, _ handler: @escaping @Sendable (Workflow) throws -> Output
    ) {
        queries[name] = { workflow, _, converter in try converter.result(handler(workflow)) }
    }

    /// A query with an argument: reads the state and changes nothing.
    public mutating func query<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ name: String, _ input: Input.Type, _ handler: @escaping @Sendable (Workflow, Input) throws -> Output
    ) {
        queries[name] = { workflow, arguments, converter in
            try converter.result(handler(workflow, WorkflowHandlers.decode(Input.self, arguments, converter)))
        }
    }

    static func decode<Input: Decodable & SendableMetatype>(
        _ type: Input.Type, _ arguments: Blob?, _ converter: DataConverter
    ) throws(UndecodableArgument) -> Input {
        do {
            return try converter.value(type, fromWire: arguments?.bytes ?? [])
        } catch {
            throw UndecodableArgument(reason: "\(error)")
        }
    }
}

/// An argument that does not fit the handler's type; kept apart from what the handler itself throws.
struct UndecodableArgument: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
