import History
import Replay

extension WorkflowContext {
    /// Adds to the run's memo, or replaces what is there; nil removes an entry.
    public func upsertMemo(_ entries: [String: (any Encodable)?]) throws {
        try core.admit()
        guard !entries.isEmpty else { return }
        var fields: [String: Payload] = [:]
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            let payload = try core.converter.payload(for: value ?? NoValue())
            fields[name] = payload
            core.memo[name] = value == nil ? nil : payload
        }
        core.machine.modifyProperties(upsertedMemo: Blob(Payload.wire(fields: fields)))
    }

    /// An entry of the run's memo as it is now; nil when there is none.
    ///
    /// - Throws: ``ConversionFailure`` when it is of another type.
    public func memo<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        try core.memo[name].map { try core.converter.value(type, from: $0) }
    }

    /// The names of the entries in the run's memo.
    public var memoNames: [String] { core.memo.keys.sorted() }

    /// The run's search attributes as they are now.
    public var searchAttributes: SearchAttributes { SearchAttributes(payloads: core.searchAttributes) }

    /// Changes search attributes: `try context.upsertSearchAttributes(customer.set("c1"), amount.unset)`.
    ///
    /// The server must know the attributes; one that it does not know fails the workflow task.
    public func upsertSearchAttributes(_ updates: SearchAttributeUpdate...) throws {
        try core.admit()
        guard !updates.isEmpty else { return }
        var fields: [String: Payload] = [:]
        for update in updates {
            fields[update.name] = try update.value?.payload() ?? NullPayloadConverter().payload(for: NoValue())
        }
        core.upsert(fields)
    }

    /// The headers with which the run was started.
    public var header: [String: Payload] { core.header }

    /// What the run before this one returned, for workflows that run by a schedule of cron; nil when there was none.
    ///
    /// - Throws: ``ConversionFailure`` when it is of another type.
    public func lastCompletionResult<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value? {
        guard let result = core.machine.started?.lastCompletionResult, !result.isEmpty else { return nil }
        return try core.converter.value(type, fromWire: result.bytes)
    }

    /// What the workflow does now, for people: shown by tools that ask it. Markdown; costs nothing in the history.
    public var currentDetails: String { core.currentDetails }

    /// Changes ``currentDetails``.
    public func setCurrentDetails(_ text: String) { core.currentDetails = text }
}

extension WorkflowCore {
    /// Asks for a change of search attributes; a null payload takes one away.
    func upsert(_ fields: [String: Payload]) {
        for (name, payload) in fields { searchAttributes[name] = payload.encoding == "binary/null" ? nil : payload }
        machine.upsertSearchAttributes(Blob(Payload.wire(fields: fields)))
    }

    /// Reads what the start event says beside the input.
    func readProperties(_ started: WorkflowExecutionStarted) {
        func fields(_ blob: Blob?) -> [String: Payload] {
            blob.flatMap { try? Payload.fields(wire: $0.bytes) } ?? [:]
        }
        memo = fields(started.memo)
        searchAttributes = fields(started.searchAttributes)
        header = fields(started.header)
        let workflow = runInfo
        interceptors = interceptorSources.compactMap { $0.workflowInterceptor(for: workflow) }
    }
}
