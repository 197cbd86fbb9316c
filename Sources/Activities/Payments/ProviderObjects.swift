/// The provider's objects, as far as we read them.
struct ProviderIntent: Decodable, Hashable, Sendable {
    enum Status: String, Decodable, Hashable, Sendable {
        case requiresPaymentMethod = "requires_payment_method"
        case requiresConfirmation = "requires_confirmation"
        case requiresAction = "requires_action"
        case processing
        case requiresCapture = "requires_capture"
        case succeeded
        case canceled
    }

    var id: String
    var status: Status
    var amount: Int64
    var amountReceived: Int64
    var metadata: [String: String]
    var latestCharge: ChargeReference?
    var lastPaymentError: ProviderErrorBody?

    enum CodingKeys: String, CodingKey {
        case id, status, amount, metadata
        case amountReceived = "amount_received"
        case latestCharge = "latest_charge"
        case lastPaymentError = "last_payment_error"
    }

    /// Either the charge's id or, when expanded, the charge.
    struct ChargeReference: Decodable, Hashable, Sendable {
        var id: String
        var amountRefunded: Int64?
        var fee: Int64?

        private enum CodingKeys: String, CodingKey {
            case id
            case amountRefunded = "amount_refunded"
            case transaction = "balance_transaction"
        }

        private struct Transaction: Decodable {
            var fee: Int64
        }

        init(from decoder: any Decoder) throws {
            if let id = try? decoder.singleValueContainer().decode(String.self) {
                self.id = id
                return
            }
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.id = try values.decode(String.self, forKey: .id)
            self.amountRefunded = try values.decodeIfPresent(Int64.self, forKey: .amountRefunded)
            self.fee = try? values.decodeIfPresent(Transaction.self, forKey: .transaction)?.fee
        }
    }
}

struct ProviderErrorBody: Decodable, Hashable, Sendable {
    var type: String
    var code: String?
    var declineCode: String?
    var adviceCode: String?
    var message: String?
    var intent: ProviderIntentStatus?

    enum CodingKeys: String, CodingKey {
        case type, code, message
        case declineCode = "decline_code"
        case adviceCode = "advice_code"
        case intent = "payment_intent"
    }

    var decline: EffectFailure.Decline {
        EffectFailure.Decline(
            code: self.code ?? "card_declined", declineCode: self.declineCode ?? "generic_decline",
            adviceCode: self.adviceCode ?? "do_not_try_again")
    }
}

/// The little we need of an intent inside an error.
struct ProviderIntentStatus: Decodable, Hashable, Sendable {
    var id: String
    var status: String
}

struct ProviderRefund: Decodable, Hashable, Sendable {
    var id: String
    var amount: Int64
    var status: String
    var metadata: [String: String]
}

struct ProviderList<Element: Decodable & Sendable>: Decodable, Sendable {
    var data: [Element]
    var hasMore: Bool

    enum CodingKeys: String, CodingKey {
        case data
        case hasMore = "has_more"
    }
}

struct ProviderErrorEnvelope: Decodable, Sendable {
    var error: ProviderErrorBody
}
