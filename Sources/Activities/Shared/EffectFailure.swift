public import Worker

/// What an activity says about its failure, so that nobody else has to guess whether to try again.
public struct EffectFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Surely not applied; may pass later.
        case transient
        /// The other side said when to come back.
        case throttled(after: Duration)
        /// May have been applied: the same key again, then a look at what happened.
        case ambiguous
        /// Trying again cannot help.
        case permanent(code: String)
        /// Our own input is wrong.
        case invalid
        /// Somebody else holds it.
        case conflict
        /// Ambiguous too often: ask what happened before anything else.
        case unresolved
    }

    public var kind: Kind
    public var message: String
    /// What the card said, when it declined.
    public var decline: Decline?
    /// The peer repeated an earlier answer from its memory: that says nothing about how it is now.
    public var isReplayed = false
    /// The peer is well; it is this recipient that it does not serve now.
    public var isAboutRecipient = false
    /// The call was not made: our own breaker or bulkhead held it back.
    public var isRefusedHere = false
    /// The peer's own code, where a failure that may pass has one.
    public var code: String?

    /// A card's answer.
    public struct Decline: Codable, Hashable, Sendable {
        public var code: String
        public var declineCode: String
        /// `do_not_try_again`, `confirm_card_data`, `try_again_later`.
        public var adviceCode: String

        public init(code: String, declineCode: String, adviceCode: String) {
            self.code = code
            self.declineCode = declineCode
            self.adviceCode = adviceCode
        }

        enum CodingKeys: String, CodingKey {
            case code
            case declineCode = "decline_code"
            case adviceCode = "advice_code"
        }
    }

    public init(_ kind: Kind, _ message: String, decline: Decline? = nil, code: String? = nil) {
        self.kind = kind
        self.message = message
        self.decline = decline
        self.code = code
    }

    /// A call that our own breaker or bulkhead held back.
    static func held(after: Duration, _ message: String) -> EffectFailure {
        var failure = EffectFailure(.throttled(after: after), message)
        failure.isRefusedHere = true
        return failure
    }

    /// The type the workflow and its retry policy see: the class, or the code of a permanent failure.
    public var type: String {
        switch self.kind {
        case .transient: return "Transient"
        case .throttled: return "Throttled"
        case .ambiguous: return "Ambiguous"
        case .permanent(let code): return code
        case .invalid: return "Invalid"
        case .conflict: return "Conflict"
        case .unresolved: return "Unresolved"
        }
    }

    public var isRetryable: Bool {
        switch self.kind {
        case .transient, .throttled, .ambiguous, .conflict: return true
        case .permanent, .invalid, .unresolved: return false
        }
    }

    public var description: String { "\(self.type): \(self.message)" }
}

extension EffectFailure: ApplicationFailureConvertible {
    /// As the server sees it. The pause is left to the activity's full-jitter back-off unless the other side named one.
    public var applicationFailure: ApplicationFailure {
        var delay: Duration?
        if case .throttled(let after) = self.kind { delay = after }
        return ApplicationFailure(
            self.message, type: self.type, isNonRetryable: !self.isRetryable,
            details: self.decline.map { FailureDetails([$0]) } ?? .none, nextRetryDelay: delay,
            category: self.decline == nil ? .unspecified : .benign)
    }
}
