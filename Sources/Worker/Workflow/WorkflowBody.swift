import History

/// A workflow instance without its type.
protocol WorkflowBody: AnyObject {
    var signalNames: [String] { get }
    var queryNames: [String] { get }
    func run(_ input: Blob?, _ context: WorkflowContext) async throws -> [UInt8]
    /// - Returns: nil when no handler has this name; otherwise the rest of the handler's work, if it waits.
    func signal(_ name: String, _ arguments: Blob?, _ context: WorkflowContext) throws -> SignalDelivery?
    func query(_ name: String, _ arguments: Blob?, _ converter: DataConverter) throws -> [UInt8]?
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

    var signalNames: [String] { handlers.signals.keys.sorted() }
    var queryNames: [String] { handlers.queries.keys.sorted() }

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
        case nil: return nil
        }
    }

    func query(_ name: String, _ arguments: Blob?, _ converter: DataConverter) throws -> [UInt8]? {
        try handlers.queries[name]?(workflow, arguments, converter)
    }
}

/// A workflow type as a worker holds it: `RegisteredWorkflow(Charge.self)`.
public struct RegisteredWorkflow: Sendable {
    /// The workflow type as clients name it.
    public let name: String
    let makeBody: @Sendable () -> any WorkflowBody

    public init<Workflow: WorkflowDefinition>(_ type: Workflow.Type) {
        var handlers = WorkflowHandlers<Workflow>()
        Workflow.registerHandlers(&handlers)
        let declared = handlers
        name = type.name
        makeBody = { TypedWorkflowBody<Workflow>(handlers: declared) }
    }
}
