/// One message for the feed.
public struct FeedMessage: Sendable {
    public var subject: String
    public var id: String
    /// CloudEvents headers, in order.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    public init(subject: String, id: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.subject = subject
        self.id = id
        self.headers = headers
        self.body = body
    }
}

/// What the relay needs to know of a stream to see whether it lost anything.
public struct StreamState: Sendable, Hashable {
    public var created: Int64
    public var firstSequence: UInt64
    public var lastSequence: UInt64
    public init(created: Int64, firstSequence: UInt64, lastSequence: UInt64) {
        self.created = created
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
    }
}

public enum BrokerError: Error, Sendable, Hashable {
    case notConnected
    case timeout
    /// For now, or for a reason that is not the message's.
    case refused(String)
    /// One of the messages will never be taken as it is.
    case messageRefused(String)
}

/// The broker behind the feed. `Messaging` speaks to NATS JetStream through an adapter in the executable; tests use one in memory.
public protocol Broker: Sendable {
    /// Makes the stream if it is missing and says what it holds.
    func prepareStream(name: String, subjects: [String]) async throws(BrokerError) -> StreamState
    /// Publishes in order and returns once all are acknowledged, with the stream sequence of each.
    func publish(_ messages: [FeedMessage], stream: String) async throws(BrokerError) -> [UInt64]
    /// The message id at a stream sequence, nil when it is gone.
    func messageID(stream: String, sequence: UInt64) async throws(BrokerError) -> String?
    /// Yields `true` on each (re)connect and `false` on each loss.
    func connectionChanges() -> AsyncStream<Bool>
}
