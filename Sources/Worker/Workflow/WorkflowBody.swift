import History

/// A workflow instance without its type.
protocol WorkflowBody: AnyObject {
    var signalNames: [String] { get }
    var queryNames: [String] { get }
    var updateNames: [String] { get }
    func run(_ input: Blob?, _ context: WorkflowContext) async throws -> [UInt8]
    /// - Returns: nil when no handler has this name; otherwise the rest of the handler's work, if it waits.
    func signal(_ name: String, _ arguments: Blob?, _ context: WorkflowContext) throws -> SignalDelivery?
    func query(_ name: String, _ arguments: Blob?, _ converter: DataConverter) throws -> [UInt8]?
    /// - Returns: False when no handler has this name.
    /// - Throws: Why the update is not accepted.
    func validateUpdate(_ name: String, _ arguments: Blob?, _ converter: DataConverter) throws -> Bool
    /// - Returns: nil when no handler has this name; otherwise the answer, or the rest of the handler's work if it waits.
    func update(_ name: String, _ arguments: Blob?, _ context: WorkflowContext) throws -> UpdateDelivery?
}

enum SignalDelivery {
    case done
    case task(() async throws -> Void)
}

final class TypedWorkflowBody<Workflow: WorkflowDefinition>: WorkflowBody {
    private let workflow: Workflow
    private let handlers: WorkflowHandlers<Workflow>

    init(handlers: WorkflowHandlers<Workflow>) {
        self.workflow = Workflow()
        self.handlers = handlers
    }

    var signalNames: [String] { handlers.signals.keys.sorted() + (handlers.dynamicSignal == nil ? [] : ["*"]) }
    var queryNames: [String] { handlers.queries.keys.sorted() + (handlers.dynamicQuery == nil ? [] : ["*"]) }
    var updateNames: [String] { handlers.updates.keys.sorted() }

    func run(_ input: Blob?, _ context: WorkflowContext) async throws -> [UInt8] {
        let converter = context.core.converter
        let argument = try converter.value(Workflow.Input.self, fromWire: input?.bytes ?? [])
        return try converter.result(try await workflow.run(argument, context))
    }

    func signal(_ name: String, _ arguments: Blob?, _ context: WorkflowContext) throws -> SignalDelivery? {
        switch handlers.signals[name] {
        case .immediate(let handle):
            try handle(workflow, arguments, context.core.converter)
            return .done
        case .task(let prepare): return .task(try prepare(workflow, arguments, context.core.converter, context))
        case nil:
            guard let dynamic = handlers.dynamicSignal else { return nil }
            return .task(dynamic(workflow, name, arguments, context))
        }
    }

    func query(_ name: String, _ arguments: Blob?, _ converter: DataConverter) throws -> [UInt8]? {
        try handlers.queries[name]?(workflow, arguments, converter)
            ?? handlers.dynamicQuery?(workflow, name, arguments, converter)
    }

    func validateUpdate(_ name: String, _ arguments: Blob?, _ converter: DataConverter) throws -> Bool {
        guard let handler = handlers.updates[name] else { return false }
        try handler.validate(workflow, arguments, converter)
        return true
    }

    func update(_ name: String, _ arguments: Blob?, _ context: WorkflowContext) throws -> UpdateDelivery? {
        switch handlers.updates[name]?.body {
        case .immediate(let handle): return .done(try handle(workflow, arguments, context.core.converter))
        case .task(let prepare): return .task(try prepare(workflow, arguments, context.core.converter, context))
        case nil: return nil
        }
    }
}

/// A workflow type as a worker holds it: `RegisteredWorkflow(Charge.self)`.
public struct RegisteredWorkflow: Sendable {
    /// The workflow type as clients name it.
    public let name: String
    /// Serves every workflow type that has no workflow of its own.
    let isDynamic: Bool
    let versioning: VersioningBehavior
    let makeBody: @Sendable () -> any WorkflowBody

    /// - Parameters:
    ///   - name: The workflow type as clients name it; nil is the definition's own name.
    ///   - versioning: What becomes of open runs when a new version of the worker is deployed.
    public init<Workflow: WorkflowDefinition>(
        _ type: Workflow.Type, name: String? = nil, versioning: VersioningBehavior = .unspecified
    ) {
        self.init(type, name: name ?? type.name, isDynamic: false, versioning: versioning)
    }

    /// A workflow for every type that the worker has no workflow of. Its ``WorkflowInfo/workflowType`` tells which one it is.
    public init<Workflow: WorkflowDefinition>(
        dynamic type: Workflow.Type, versioning: VersioningBehavior = .unspecified
    ) where Workflow.Input == EncodedValues {
        self.init(type, name: type.name, isDynamic: true, versioning: versioning)
    }

    private init<Workflow: WorkflowDefinition>(
        _ type: Workflow.Type, name: String, isDynamic: Bool, versioning: VersioningBehavior
    ) {
        var handlers = WorkflowHandlers<Workflow>()
        Workflow.registerHandlers(&handlers)
        let declared = handlers
        self.name = name
        self.isDynamic = isDynamic
        self.versioning = versioning
        makeBody = { TypedWorkflowBody<Workflow>(handlers: declared) }
    }
}
