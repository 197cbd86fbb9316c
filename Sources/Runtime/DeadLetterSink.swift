public import History

/// Something the server itself could not process, for a person to settle.
public struct DeadLetter: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// A message of the feed that the broker does not take.
        case outbox
        /// A run whose stored state cannot be read, so that its tasks cannot be handed out.
        case workflowTask
    }

    public var source: Source
    public var namespace: String
    /// What failed, once for each source: parking it again changes nothing.
    public var key: String
    public var code: String
    public var message: String
    /// Where the original is.
    public var reference: String
    public var workflow: WorkflowID

    public init(
        source: Source, namespace: String, key: String, code: String, message: String, reference: String,
        workflow: WorkflowID
    ) {
        self.source = source
        self.namespace = namespace
        self.key = key
        self.code = code
        self.message = message
        self.reference = reference
        self.workflow = workflow
    }
}

/// Where dead letters of the server go.
public protocol DeadLetterSink: Sendable {
    /// Keeps the letter; when this returns it is stored.
    func park(_ letter: DeadLetter) async throws
}
