public import History

/// Messages between runs as the nodes of one database send them to each other.
extension RunMessage {
    public var bytes: [UInt8] {
        var copy = self
        return SnapshotCoder.bytes { coder throws(Corruption) in try copy.code(&coder) }
    }

    /// - Throws: ``Corruption`` for bytes that another version wrote, or nobody.
    public init(bytes: [UInt8]) throws(Corruption) {
        self.init(
            id: MessageID(sender: RunKey(namespace: "", workflow: "", run: ""), number: 0), target: .blank,
            body: .releaseChild)
        try SnapshotCoder.read(bytes) { coder throws(Corruption) in try self.code(&coder) }
    }

    private mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var (namespace, workflow, run) = (id.sender.namespace, id.sender.workflow, id.sender.run)
        try coder.code(&namespace)
        try coder.code(&workflow)
        try coder.code(&run)
        id.sender = RunKey(namespace: namespace, workflow: workflow, run: run)
        try coder.code(&id.number)
        try coder.code(&target)
        if coder.isReading { body = try coder.readBody() } else { try coder.write(body) }
    }
}

extension MessageOutcome {
    public var bytes: [UInt8] {
        SnapshotCoder.bytes { coder throws(Corruption) in
            var (tag, run, cause): (UInt8, RunID, Int32) = (1, "", 0)
            switch self {
            case .done: break
            case .childStarted(let started): (tag, run) = (2, started)
            case .childRefused(let reason): (tag, cause) = (3, reason.rawValue)
            case .failed(let reason): (tag, cause) = (4, reason.rawValue)
            }
            try coder.code(&tag)
            try coder.code(&run)
            try coder.code(&cause)
        }
    }

    /// - Throws: ``Corruption`` for bytes that another version wrote, or nobody.
    public init(bytes: [UInt8]) throws(Corruption) {
        var (tag, run, cause): (UInt8, RunID, Int32) = (0, "", 0)
        try SnapshotCoder.read(bytes) { coder throws(Corruption) in
            try coder.code(&tag)
            try coder.code(&run)
            try coder.code(&cause)
        }
        switch (tag, StartChildFailedCause(rawValue: cause), ExternalFailedCause(rawValue: cause)) {
        case (1, _, _): self = .done
        case (2, _, _): self = .childStarted(run)
        case (3, let reason?, _): self = .childRefused(reason)
        case (4, _, let reason?): self = .failed(reason)
        default: throw Corruption("\(tag), \(cause) is not the outcome of a message")
        }
    }
}

extension SnapshotCoder {
    /// Moves with every change of what nodes send each other.
    private static let messageVersion: UInt8 = 1

    fileprivate static func bytes(_ body: (inout SnapshotCoder) throws(Corruption) -> Void) -> [UInt8] {
        var coder = SnapshotCoder()
        var version = messageVersion
        do {
            try coder.code(&version)
            try body(&coder)
        } catch {
            preconditionFailure("writing a message cannot fail: \(error)")
        }
        return coder.bytes
    }

    fileprivate static func read(
        _ bytes: [UInt8], _ body: (inout SnapshotCoder) throws(Corruption) -> Void
    ) throws(Corruption) {
        var coder = SnapshotCoder(reading: bytes)
        var version: UInt8 = 0
        try coder.code(&version)
        guard version == messageVersion else {
            throw Corruption("message: expected version \(messageVersion), got \(version)")
        }
        try body(&coder)
        guard coder.isAtEnd else { throw Corruption("message: bytes are left over") }
    }
}
