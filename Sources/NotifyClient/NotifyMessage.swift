public import Foundation

/// How urgent a message is; when the queue is full the least urgent go first.
public enum NotifyPriority: Int, Codable, Hashable, Sendable, Comparable {
    case low, normal, high

    public static func < (left: NotifyPriority, right: NotifyPriority) -> Bool { left.rawValue < right.rawValue }
}

/// A notification to hand over: the JSON body of `POST /v1/notifications`.
public struct NotifyMessage: Codable, Hashable, Sendable {
    public var priority: NotifyPriority
    /// A JSON object.
    public var body: Data

    public init(body: Data, priority: NotifyPriority = .normal) {
        self.body = body
        self.priority = priority
    }

    /// - Throws: `EncodingError` for a value that has no JSON form.
    public init(_ body: some Encodable, priority: NotifyPriority = .normal) throws {
        self.init(body: try JSONEncoder().encode(body), priority: priority)
    }
}

/// The name a message has at once, before anybody else knows of it; the server sees it as the request's Idempotency-Key.
public struct NotifyID: Codable, Hashable, Sendable, CustomStringConvertible {
    public let value: String
    public init(_ value: String) { self.value = value }
    public var description: String { self.value }
}

/// What became of a message.
public enum NotifyState: Hashable, Sendable {
    /// In memory, on its way to the disk.
    case accepted
    /// On the disk: it survives the process.
    case stored
    /// The server has it.
    case delivered
    /// The server will never take it: the status it answered.
    case refused(status: Int)
    /// There was no room.
    case dropped
}

/// What is in the queue and what has left it.
public struct NotifyCounts: Hashable, Sendable {
    public var waiting = 0
    public var stored = 0
    public var delivered = 0
    public var refused = 0
    public var dropped = 0
    public var isBreakerOpen = false
}

/// How a client works.
public struct NotifyOptions: Sendable {
    /// Messages in the queue, on disk and in memory together.
    public var capacity = 10_000
    /// Calls under way at a time.
    public var callsAtATime = 4
    public var callTimeout = Duration.seconds(10)
    /// Failures in a row that open the breaker.
    public var failuresMax = 5
    /// The first pause after a failure; it doubles up to the longest.
    public var pause = Duration.milliseconds(200)
    public var pauseMax = Duration.seconds(60)

    public init() {}
}

/// Hands one message to the server.
public protocol NotifyTransport: Sendable {
    /// - Parameter key: the Idempotency-Key: the same message again has the same.
    /// - Returns: the HTTP status.
    func post(_ body: Data, key: String, timeout: Duration) async throws -> Int
}
