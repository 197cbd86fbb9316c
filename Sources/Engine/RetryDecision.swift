import History

/// Is a failed attempt tried again, and when?
enum RetryDecision: Hashable, Sendable {
    case retry(after: TimeSpan)
    case stop(RetryState)

    /// - Parameter expiration: no attempt may begin after it.
    static func decide(
        _ policy: RetryPolicy, attempt: Int32, failure: FailureTraits, at now: Timestamp, expiration: Timestamp?,
        capsRequestedDelay: Bool
    ) -> RetryDecision {
        guard policy.allows(failure) else { return .stop(.nonRetryableFailure) }
        if policy.maximumAttempts > 0, attempt >= policy.maximumAttempts { return .stop(.maximumAttemptsReached) }
        var delay = policy.backoff(after: attempt)
        if let requested = failure.nextRetryDelay {
            delay = requested
            if capsRequestedDelay, policy.maximumInterval.isPositive { delay = min(delay, policy.maximumInterval) }
        }
        if let expiration, now.advanced(by: delay) > expiration { return .stop(.timeout) }
        return .retry(after: delay)
    }
}

extension RetryPolicy {
    static let initialIntervalDefault = TimeSpan.seconds(1)
    static let coefficientDefault = 2.0
    static let maximumIntervalFactor: Int64 = 100

    /// What is wrong with it, `nil` when it can be used. Zero fields mean "default".
    var fault: String? {
        if initialInterval < .zero { return "InitialInterval cannot be negative on retry policy." }
        if backoffCoefficient != 0, !(backoffCoefficient >= 1) {
            return "BackoffCoefficient cannot be less than 1 on retry policy."
        }
        if maximumInterval < .zero { return "MaximumInterval cannot be negative on retry policy." }
        if maximumInterval.isPositive, maximumInterval < initialInterval {
            return "MaximumInterval cannot be less than InitialInterval on retry policy."
        }
        if maximumAttempts < 0 { return "MaximumAttempts cannot be negative on retry policy." }
        return nil
    }

    /// With the server's defaults in place of zeros.
    var filled: RetryPolicy {
        var policy = self
        if !policy.initialInterval.isPositive { policy.initialInterval = Self.initialIntervalDefault }
        if policy.backoffCoefficient == 0 { policy.backoffCoefficient = Self.coefficientDefault }
        if !policy.maximumInterval.isPositive {
            let (product, overflow) = policy.initialInterval.nanoseconds.multipliedReportingOverflow(
                by: Self.maximumIntervalFactor)
            policy.maximumInterval = TimeSpan(nanoseconds: overflow ? .max : product)
        }
        return policy
    }

    /// Initial interval times coefficient for every attempt before, at most the maximum interval.
    func backoff(after attempt: Int32) -> TimeSpan {
        let longest = maximumInterval.isPositive ? maximumInterval.nanoseconds : Int64.max
        var factor = 1.0
        var base = max(backoffCoefficient, 1)
        var exponent = max(attempt - 1, 0)
        while exponent > 0 {
            if exponent & 1 == 1 { factor *= base }
            base *= base
            exponent >>= 1
        }
        let delay = Double(initialInterval.nanoseconds) * factor
        // Not finite counts as too long.
        guard delay < Double(longest) else { return TimeSpan(nanoseconds: longest) }
        return TimeSpan(nanoseconds: Int64(delay))
    }

    /// May a failure like this be tried again at all?
    func allows(_ failure: FailureTraits) -> Bool {
        switch failure.kind {
        case .canceled, .terminated: return false
        case .timeout:
            switch failure.timeoutType {
            case .startToClose: return !nonRetryableErrorTypes.contains("TemporalTimeout:StartToClose")
            case .heartbeat: return !nonRetryableErrorTypes.contains("TemporalTimeout:Heartbeat")
            case .scheduleToStart, .scheduleToClose, nil: return false
            }
        case .server: return !failure.nonRetryable
        case .application: return !failure.nonRetryable && !nonRetryableErrorTypes.contains(failure.type)
        case .activity, .child, .other: return !failure.nonRetryable
        }
    }
}
