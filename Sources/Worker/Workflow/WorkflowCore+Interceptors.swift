import History

/// The way through the interceptors, the outermost first, to the code and from the code outwards.
extension WorkflowCore {
    private var context: WorkflowContext { WorkflowContext(core: self) }

    private func values(_ wire: Blob?) -> EncodedValues { EncodedValues(wire: wire?.bytes ?? [], converter: converter) }

    // MARK: Inwards

    /// The run, from its arguments to its result.
    func runBody(_ input: Blob?) async throws -> [UInt8] {
        guard !interceptors.isEmpty else { return try await body.run(input, context) }
        return try await execute(WorkflowCall(arguments: values(input), header: header), from: 0).wire
    }

    private func execute(_ call: WorkflowCall, from index: Int) async throws -> EncodedValues {
        guard index < interceptors.count else {
            return EncodedValues(
                wire: try await body.run(Blob(call.arguments.wire), context), converter: converter)
        }
        return try await interceptors[index].execute(call, context) { call in
            try await self.execute(call, from: index + 1)
        }
    }

    /// Hands a signal to its handler.
    /// - Returns: nil when there is none.
    func receive(_ signal: WorkflowExecutionSignaled) throws -> SignalDelivery? {
        guard !interceptors.isEmpty else { return try body.signal(signal.signalName, signal.input, context) }
        var delivery: SignalDelivery? = .done
        let fields = try signal.header.map { try Payload.fields(wire: $0.bytes) } ?? [:]
        let call = SignalCall(name: signal.signalName, arguments: values(signal.input), header: fields)
        try receive(call, from: 0, &delivery)
        return delivery
    }

    private func receive(_ call: SignalCall, from index: Int, _ delivery: inout SignalDelivery?) throws {
        guard index < interceptors.count else {
            delivery = try body.signal(call.name, Blob(call.arguments.wire), context)
            return
        }
        var inner = delivery
        try interceptors[index].signal(call, context) { call in try self.receive(call, from: index + 1, &inner) }
        delivery = inner
    }

    /// Asks an update's validator.
    /// - Returns: False when there is no handler for it.
    func validate(_ call: UpdateCall, from index: Int = 0) throws -> Bool {
        guard index < interceptors.count else {
            return try body.validateUpdate(call.name, Blob(call.arguments.wire), converter)
        }
        var isKnown = true
        try interceptors[index].validateUpdate(call) { call in isKnown = try self.validate(call, from: index + 1) }
        return isKnown
    }

    /// An accepted update as the interceptors want it handled.
    func intercepted(_ call: UpdateCall, _ context: WorkflowContext) throws -> UpdateCall {
        try interceptors.reduce(call) { try $1.update($0, context) }
    }

    /// Asks a query handler.
    /// - Returns: nil when there is none.
    func ask(_ name: String, _ arguments: Blob?, _ header: [String: Payload]) throws -> [UInt8]? {
        guard !interceptors.isEmpty else { return try body.query(name, arguments, converter) }
        do {
            return try ask(QueryCall(name: name, arguments: values(arguments), header: header), from: 0).wire
        } catch is NoSuchHandler {
            return nil
        }
    }

    private struct NoSuchHandler: Error {}

    private func ask(_ call: QueryCall, from index: Int) throws -> EncodedValues {
        guard index < interceptors.count else {
            guard let answer = try body.query(call.name, Blob(call.arguments.wire), converter) else {
                throw NoSuchHandler()
            }
            return EncodedValues(wire: answer, converter: converter)
        }
        return try interceptors[index].query(call) { call in try self.ask(call, from: index + 1) }
    }

    // MARK: Outwards

    /// Runs an activity.
    func intercepted(_ call: ActivityCall, from index: Int = 0) async throws -> EncodedValues {
        guard index < interceptors.count else { return values(try await runActivity(call)) }
        return try await interceptors[index].executeActivity(call, context) { call in
            try await self.intercepted(call, from: index + 1)
        }
    }

    /// Runs a local activity.
    func intercepted(_ call: LocalActivityCall, from index: Int = 0) async throws -> EncodedValues {
        guard index < interceptors.count else { return values(try await runLocalActivity(call)) }
        return try await interceptors[index].executeLocalActivity(call, context) { call in
            try await self.intercepted(call, from: index + 1)
        }
    }

    /// Waits on a timer.
    func interceptedSleep(_ duration: Duration, summary: String?, from index: Int = 0) async throws {
        guard index < interceptors.count else { return try await sleep(TimeSpan(duration), summary: summary) }
        try await interceptors[index].sleep(duration, context) { duration in
            try await self.interceptedSleep(duration, summary: summary, from: index + 1)
        }
    }

    /// The request for a new run as the interceptors leave it.
    func intercepted(_ request: ContinueAsNewRequest) throws -> ContinueAsNewRequest {
        try interceptors.reduce(request) { try $1.continueAsNew($0, context) }
    }

    /// A child as the interceptors want it started.
    func intercepted(_ call: ChildWorkflowCall) throws -> ChildWorkflowCall {
        try interceptors.reduce(call) { try $1.startChildWorkflow($0, context) }
    }

    /// A signal to another workflow with the headers that the interceptors give it.
    func intercepted(_ command: SignalExternal) throws -> SignalExternal {
        guard !interceptors.isEmpty else { return command }
        let call = ExternalSignalCall(
            workflowID: command.execution?.workflow.value ?? "", name: command.signalName,
            header: try command.header.map { try Payload.fields(wire: $0.bytes) } ?? [:])
        let header = try interceptors.reduce(call) { try $1.signalWorkflow($0, context) }.header
        var command = command
        command.header = header.isEmpty ? nil : Blob(Payload.wire(fields: header))
        return command
    }
}
