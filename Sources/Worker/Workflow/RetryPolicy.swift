/// How often and how fast a failed activity or workflow is tried again.
///
/// The pause before attempt n + 1 is `initialInterval · backoffCoefficient^(n−1)`, at most `maximumInterval`.
public struct RetryPolicy: Hashable, Sendable {
    public var initialInterval: Duration
    public var backoffCoefficient: Double
    /// nil is 100 times the initial interval.
    public var maximumInterval: Duration?
    /// Attempts in all; nil is without limit, 1 is "never again".
    public var maximumAttempts: Int?
    /// Types of ``ApplicationFailure`` that end the retries.
    public var nonRetryableErrorTypes: [String]

    public init(
        initialInterval: Duration = .seconds(1), backoffCoefficient: Double = 2, maximumInterval: Duration? = nil,
        maximumAttempts: Int? = nil, nonRetryableErrorTypes: [String] = []
    ) {
        self.initialInterval = initialInterval
        self.backoffCoefficient = backoffCoefficient
        self.maximumInterval = maximumInterval
        self.maximumAttempts = maximumAttempts
        self.nonRetryableErrorTypes = nonRetryableErrorTypes
    }

    /// One attempt and no other.
    public static let never = RetryPolicy(maximumAttempts: 1)
}
