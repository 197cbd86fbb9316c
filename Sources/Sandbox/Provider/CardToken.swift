/// Why a card refused.
public struct CardDecline: Hashable, Sendable, Codable {
    /// `card_declined`, `incorrect_cvc`, `expired_card`, …
    public var code: String
    public var declineCode: String
    /// `do_not_try_again`, `confirm_card_data` or `try_again_later`.
    public var adviceCode: String

    public init(code: String = "card_declined", declineCode: String, adviceCode: String) {
        self.code = code
        self.declineCode = declineCode
        self.adviceCode = adviceCode
    }
}

/// What a card token does when it is charged. Names follow the provider's test cards without underscores inside.
enum CardToken: Hashable, Sendable {
    case accepted
    case declined(CardDecline)
    case requiresAction

    init(_ token: String) {
        let name = token.drop(while: { $0 != "_" }).dropFirst()
        switch name {
        case "chargeDeclined", "cardDeclined", "visaChargeDeclined", "card_visa_chargeDeclined", "card_chargeDeclined":
            self = .declined(CardDecline(declineCode: "generic_decline", adviceCode: "do_not_try_again"))
        case "chargeDeclinedInsufficientFunds", "card_chargeDeclinedInsufficientFunds", "insufficientFunds":
            self = .declined(CardDecline(declineCode: "insufficient_funds", adviceCode: "try_again_later"))
        case "chargeDeclinedIncorrectCvc", "card_chargeDeclinedIncorrectCvc", "incorrectCvc":
            self = .declined(
                CardDecline(code: "incorrect_cvc", declineCode: "incorrect_cvc", adviceCode: "confirm_card_data"))
        case "chargeDeclinedExpiredCard", "card_chargeDeclinedExpiredCard", "expiredCard":
            self = .declined(
                CardDecline(code: "expired_card", declineCode: "expired_card", adviceCode: "do_not_try_again"))
        case "threeDSecureRequired", "card_threeDSecureRequired", "card_threeDSecure2Required":
            self = .requiresAction
        default: self = .accepted  // any other token is a good card
        }
    }
}
