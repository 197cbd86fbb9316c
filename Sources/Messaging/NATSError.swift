import CNats

/// The broker failed. What was not acknowledged must be published again.
public enum NATSError: Error, Hashable, Sendable, CustomStringConvertible {
    case notConnected
    case timeout
    case notFound
    /// The message alone is the cause: it is larger than the server or the stream allows.
    case tooLarge
    /// libnats' own words.
    case failed(String)

    public var description: String {
        switch self {
        case .notConnected: "not connected to NATS"
        case .timeout: "NATS did not answer in time"
        case .notFound: "not found on NATS"
        case .tooLarge: "the message is larger than NATS allows"
        case .failed(let text): "NATS: \(text)"
        }
    }

    init(_ status: natsStatus) {
        switch status {
        case NATS_TIMEOUT: self = .timeout
        case NATS_NOT_FOUND: self = .notFound
        case NATS_MAX_PAYLOAD: self = .tooLarge
        case NATS_CONNECTION_CLOSED, NATS_CONNECTION_DISCONNECTED, NATS_NO_SERVER: self = .notConnected
        default: self = .failed(String(cString: natsStatus_GetText(status)))
        }
    }
}
