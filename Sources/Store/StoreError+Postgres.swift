import Postgres
import Runtime

extension StoreError {
    /// What a failed statement means to the runtime when nothing more is known of it.
    init(_ error: PostgresError) {
        switch error.kind {
        case .connectFailed, .connectionLost, .poolExhausted, .cancelled: self = .unavailable("\(error)")
        case .outcomeUnknown: self = .outcomeUnknown("\(error)")
        case .unexpectedAnswer: self = .corrupt("\(error)")
        case .closed: self = .closed
        case .server:
            self = error.isSafeToRetry || error.sqlState == "57014" ? .unavailable("\(error)") : .corrupt("\(error)")
        }
    }
}

/// The SQLSTATEs of our own guards (schema.sql).
enum GuardState {
    static let versionChanged = "AL001"
    static let leaseLost = "AL002"
    static let keyClaimed = "AL003"
    static let notCurrent = "AL004"
}
