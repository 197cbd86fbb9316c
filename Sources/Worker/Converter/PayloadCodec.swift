/// Where a payload belongs; a codec may choose a key by it.
public struct PayloadContext: Hashable, Sendable {
    public var namespace: String
    /// Empty where no workflow is known, for example in a worker's own status.
    public var workflowID: String

    public init(namespace: String = "", workflowID: String = "") {
        self.namespace = namespace
        self.workflowID = workflowID
    }
}

/// Changes payloads after they were made and before they are read: encryption, compression, offloading.
///
/// It sees every payload that leaves or enters the process: arguments, results, signals, queries, heartbeat details, memo
/// and the details of failures. It must not block, and it must read what it wrote.
public protocol PayloadCodec: Sendable {
    /// The payloads as they shall travel.
    func encode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload]

    /// The payloads as they were made. A payload that this codec did not write passes unchanged.
    func decode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload]
}

/// Applies several codecs: the first one first when encoding, the last one first when decoding.
public struct CodecChain: PayloadCodec {
    public let codecs: [any PayloadCodec]
    public init(_ codecs: [any PayloadCodec]) { self.codecs = codecs }

    public func encode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload] {
        try codecs.reduce(payloads) { try $1.encode($0, in: context) }
    }

    public func decode(_ payloads: [Payload], in context: PayloadContext) throws -> [Payload] {
        try codecs.reversed().reduce(payloads) { try $1.decode($0, in: context) }
    }
}
