import FoundationEssentials
import History
import Runtime
import TemporalCodec

/// What search attributes a run may carry in a namespace; gives each its type.
struct SearchAttributeRules {
    static let countMax = 100
    static let valueBytesMax = 2 << 10
    static let bytesMax = 40 << 10

    let namespace: Namespace

    /// A name that nobody defined, here and now; another node may have heard of it.
    struct UnknownName: Error {
        let rejection: Rejection
    }

    /// The attributes with their types in the metadata, in the order of their names.
    ///
    /// - Throws: ``Rejection`` with the texts of protocol.md 5.7, or ``UnknownName``.
    func checked(_ data: [UInt8]) throws -> Blob {
        guard let entries = SearchAttributeCodec.entries(data) else {
            throw Rejection.invalid("search attributes are not a valid message")
        }
        if entries.count > Self.countMax {
            throw Rejection.invalid("number of search attributes \(entries.count) exceeds limit \(Self.countMax)")
        }
        var typed: [(entry: SearchAttributeEntry, type: SearchAttributeType)] = []
        var size = 0
        for entry in entries {
            let type = try type(of: entry.name)
            try check(entry, type)
            size += entry.name.utf8.count + entry.data.count
            typed.append((entry, type))
        }
        if size > Self.bytesMax {
            throw Rejection.invalid("total size of search attributes \(size) exceeds size limit \(Self.bytesMax)")
        }
        return SearchAttributeCodec.encode(typed)
    }

    private func type(of name: String) throws -> SearchAttributeType {
        if SystemAttributes.columns[name] != nil {
            throw Rejection.invalid("\(name) attribute can't be set in SearchAttributes")
        }
        if let type = SystemAttributes.predefined[name] ?? namespace.searchAttributes[name] { return type }
        throw UnknownName(
            rejection: .invalid("Namespace \(namespace.name) has no mapping defined for search attribute \(name)"))
    }

    private func check(_ entry: SearchAttributeEntry, _ type: SearchAttributeType) throws(Rejection) {
        if entry.data.count > Self.valueBytesMax {
            throw .invalid(
                "search attribute \(entry.name) value size \(entry.data.count) exceeds size limit \(Self.valueBytesMax)"
            )
        }
        guard !entry.isRemoval, SearchAttributeCodec.content(entry.data, as: type) == nil else { return }
        let shown = SearchAttributeCodec.shown(entry.data) ?? "value that is not JSON"
        throw .invalid("invalid value for search attribute \(entry.name) of type \(type.name): \(shown)")
    }
}

extension WireService {
    /// Checked attributes of a request; nil when it has none.
    func searchAttributes(_ attributes: Blob?, in namespace: Namespace) async throws -> Blob? {
        guard let attributes, !attributes.isEmpty else { return nil }
        do {
            return try SearchAttributeRules(namespace: namespace).checked(attributes.bytes)
        } catch is SearchAttributeRules.UnknownName {
            let fresh = try await backend.refreshedNamespace(namespace.id)
            do {
                return try SearchAttributeRules(namespace: fresh).checked(attributes.bytes)
            } catch let unknown as SearchAttributeRules.UnknownName {
                throw unknown.rejection
            }
        }
    }

    /// A completion's commands with their search attributes checked: a bad one is for the run to refuse.
    func checked(_ commands: [WorkflowCommand], in namespace: NamespaceID) async throws -> [WorkflowCommand] {
        guard commands.contains(where: { $0.kind.searchAttributes != nil }) else { return commands }
        let namespace = try await self.namespace(namespace.value)
        var checked = commands
        for (index, command) in commands.enumerated() {
            guard let attributes = command.kind.searchAttributes else { continue }
            do {
                let typed = try await searchAttributes(attributes, in: namespace)
                checked[index].kind = command.kind.with(searchAttributes: typed ?? attributes)
            } catch let rejection as Rejection where rejection.kind == .invalidArgument {
                checked[index].kind = .refused(.badSearchAttributes, message: rejection.message)
            }
        }
        return checked
    }
}

extension WorkflowCommand.Kind {
    /// The search attributes it sets.
    fileprivate var searchAttributes: Blob? {
        switch self {
        case .upsertWorkflowSearchAttributes(let attributes): attributes
        case .continueAsNewWorkflowExecution(let wish): wish.searchAttributes
        case .startChildWorkflow(let wish): wish.searchAttributes
        case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer, .completeWorkflowExecution,
            .failWorkflowExecution, .cancelWorkflowExecution, .recordMarker, .modifyWorkflowProperties,
            .requestCancelExternalWorkflow, .signalExternalWorkflow, .protocolMessage, .unsupported, .refused:
            nil
        }
    }

    fileprivate func with(searchAttributes: Blob) -> Self {
        switch self {
        case .upsertWorkflowSearchAttributes: return .upsertWorkflowSearchAttributes(searchAttributes)
        case .continueAsNewWorkflowExecution(var wish):
            wish.searchAttributes = searchAttributes
            return .continueAsNewWorkflowExecution(wish)
        case .startChildWorkflow(var wish):
            wish.searchAttributes = searchAttributes
            return .startChildWorkflow(wish)
        case .scheduleActivityTask, .requestCancelActivityTask, .startTimer, .cancelTimer, .completeWorkflowExecution,
            .failWorkflowExecution, .cancelWorkflowExecution, .recordMarker, .modifyWorkflowProperties,
            .requestCancelExternalWorkflow, .signalExternalWorkflow, .protocolMessage, .unsupported, .refused:
            return self
        }
    }
}
