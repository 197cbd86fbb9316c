public import History

extension BatchOperation {
    private static let snapshotVersion: UInt8 = 1

    /// Everything about it but its targets, as it is stored.
    public func snapshot() -> [UInt8] {
        var coder = SnapshotCoder()
        var copy = self
        do {
            var version = Self.snapshotVersion
            try coder.code(&version)
            try copy.code(&coder)
        } catch {
            preconditionFailure("writing a snapshot cannot fail: \(error)")
        }
        return coder.bytes
    }

    /// Reads what ``snapshot()`` wrote.
    ///
    /// - Throws: ``Corruption`` for an unknown version and for bytes that do not add up.
    public init(snapshot: [UInt8]) throws(Corruption) {
        self.init(
            namespace: "", id: "", action: .cancel(identity: ""), reason: "", query: "", operationsPerSecond: 0,
            named: 0, at: .zero)
        var coder = SnapshotCoder(reading: snapshot)
        var version: UInt8 = 0
        try coder.code(&version)
        guard version == Self.snapshotVersion else {
            throw Corruption("batch operation: expected version \(Self.snapshotVersion), got \(version)")
        }
        try code(&coder)
        guard coder.isAtEnd else { throw Corruption("batch operation: bytes are left over") }
    }

    private mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        try coder.code(&namespace)
        try coder.code(&id)
        try action.code(&coder)
        try coder.code(&reason)
        try coder.code(&query)
        try coder.code(&operationsPerSecond)
        try coder.code(&startTime)
        try coder.code(&closeTime)
        try coder.code(&state)
        try coder.code(&isCollected)
        try coder.code(&collectedThrough)
        let blank = BatchPosition(workflow: "", run: "", status: .running, startTime: .zero, closeTime: nil)
        try coder.code(&collectedAfter, blank) { coder, position throws(Corruption) in
            try coder.code(&position.workflow)
            try coder.code(&position.run)
            try coder.code(&position.status)
            try coder.code(&position.startTime)
            try coder.code(&position.closeTime)
        }
        try coder.code(&doneThrough)
        try coder.code(&total)
        try coder.code(&succeeded)
        try coder.code(&failed)
    }
}

extension BatchAction {
    fileprivate mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var tag: UInt8 = 0
        var (identity, name, first, second) = (identity, "", Blob?.none, Blob?.none)
        switch self {
        case .terminate(let details, _): (tag, first) = (1, details)
        case .cancel: tag = 2
        case .signal(let signal, let input, let header, _): (tag, name, first, second) = (3, signal, input, header)
        case .delete: tag = 4
        case .edge(let action, let request, _): (tag, first) = (action.rawValue, request)
        }
        try coder.code(&tag)
        try coder.code(&identity)
        try coder.code(&name)
        try coder.code(&first)
        try coder.code(&second)
        switch tag {
        case 1: self = .terminate(details: first, identity: identity)
        case 2: self = .cancel(identity: identity)
        case 3: self = .signal(name: name, input: first, header: second, identity: identity)
        case 4: self = .delete(identity: identity)
        case let other:
            guard let action = EdgeBatchAction(rawValue: other) else {
                throw Corruption("batch operation: \(other) is not an action")
            }
            self = .edge(action, request: first ?? .empty, identity: identity)
        }
    }
}
