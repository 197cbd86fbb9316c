/// Which failed calls are tried again, how often and how fast.
public struct RPCRetryPolicy: Hashable, Sendable {
    /// The waits between attempts.
    public var backoff: RetryBackoff
    /// The shortest bound after `resourceExhausted`, which asks the caller to slow down.
    public var exhaustedBase: Duration
    /// How many attempts in all.
    public var attemptsMax: Int
    /// How long all attempts together may take.
    public var elapsedMax: Duration

    public init(backoff: RetryBackoff, exhaustedBase: Duration, attemptsMax: Int, elapsedMax: Duration) {
        self.backoff = backoff
        self.exhaustedBase = exhaustedBase
        self.attemptsMax = attemptsMax
        self.elapsedMax = elapsedMax
    }

    /// What the official SDKs do: 100 ms × 1.7 up to 5 s, at most 10 attempts and 10 s.
    public static let `default` = RPCRetryPolicy(
        backoff: RetryBackoff(base: .milliseconds(100), factor: 1.7, cap: .seconds(5)), exhaustedBase: .seconds(1),
        attemptsMax: 10, elapsedMax: .seconds(10))

    /// One attempt only.
    public static let never = RPCRetryPolicy(
        backoff: RetryBackoff(base: .zero, cap: .zero), exhaustedBase: .zero, attemptsMax: 1, elapsedMax: .zero)

    /// How long to wait before the next attempt, or nil to give up.
    ///
    /// - Parameters:
    ///   - attempt: How many attempts have failed.
    ///   - elapsed: How long they took, waits included.
    func wait(after failure: RPCFailure, attempt: Int, elapsed: Duration) -> Duration? {
        guard attempt < attemptsMax, failure.code.mayPass, !failure.saysTooLarge else { return nil }
        var backoff = self.backoff
        if failure.code == .resourceExhausted { backoff.base = max(backoff.base, exhaustedBase) }
        let wait = backoff.delay(attempt: attempt)
        return elapsed + wait < elapsedMax ? wait : nil
    }
}

extension RPCFailure {
    /// A message that is too large stays too large.
    var saysTooLarge: Bool {
        code == .resourceExhausted && message.hasPrefix("grpc: received message") && message.contains("larger than max")
    }
}

extension RPCFailure.Code {
    /// Whether the same call may succeed later.
    var mayPass: Bool {
        switch self {
        case .dataLoss, .internalError, .unknown, .resourceExhausted, .aborted, .outOfRange, .unavailable: true
        case .cancelled, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists, .permissionDenied,
            .failedPrecondition, .unimplemented, .unauthenticated:
            false
        }
    }
}
