public import History

/// Names an RPC: `temporal.api.workflowservice.v1.WorkflowService` / `StartWorkflowExecution`.
public struct WireMethod: Hashable, Sendable {
    public var service: String
    public var name: String

    public init(service: String = WireMethod.workflowService, name: String) {
        self.service = service
        self.name = name
    }

    public static let workflowService = "temporal.api.workflowservice.v1.WorkflowService"
    public static let operatorService = "temporal.api.operatorservice.v1.OperatorService"
    public static let healthService = "grpc.health.v1.Health"
}

/// One call, whatever transport it came over.
public struct WireCall: Sendable {
    public var method: WireMethod
    /// The encoded request message.
    public var request: [UInt8]
    /// Lower-case names; a name may appear more than once.
    public var metadata: [(name: String, value: String)]
    /// When the caller stops waiting.
    public var deadline: Timestamp?
    /// Who calls, as far as the transport could prove it.
    public var principal: String

    public init(
        method: WireMethod, request: [UInt8], metadata: [(name: String, value: String)] = [],
        deadline: Timestamp? = nil,
        principal: String = ""
    ) {
        self.method = method
        self.request = request
        self.metadata = metadata
        self.deadline = deadline
        self.principal = principal
    }

    /// The first value of a metadata entry.
    func metadata(named name: String) -> String? {
        for entry in metadata where entry.name == name { return entry.value }
        return nil
    }
}
