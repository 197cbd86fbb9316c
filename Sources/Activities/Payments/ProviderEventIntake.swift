import Foundation
public import Postgres

/// Writes the provider's verified webhooks down, once each, and says which workflow has to be told.
///
/// The order and the content of events are not trusted: the workflow is only told that something changed, and asks.
public struct ProviderEventIntake: Sendable {
    /// A signal `provider_event` for a workflow.
    public struct Notice: Hashable, Sendable {
        public var workflowID: String
        public var eventID: String
        public var type: String
    }

    public struct Taken: Hashable, Sendable {
        public var isNew: Bool
        /// Whom to tell, for a repeated event too: the crash of whoever took it first may have come before the signal. Send it with
        /// the event's id as request id, so that twice is once.
        public var notice: Notice?
    }

    /// Thrown for a body that is no event.
    public struct Unreadable: Error, Hashable, Sendable {}

    private let pool: PostgresPool
    private let namespace: String

    public init(pool: PostgresPool, namespace: String = "default") {
        self.pool = pool
        self.namespace = namespace
    }

    /// Takes one webhook whose signature has been checked. Taking it again changes nothing.
    ///
    /// - Throws: ``Unreadable``; ``PostgresError`` when Postgres is away: the provider will come again.
    public func take(provider: String, body: [UInt8]) async throws -> Taken {
        guard let event = try? JSONDecoder().decode(Event.self, from: Data(body)) else { throw Unreadable() }
        return try await self.write(event, provider: provider)
    }

    private struct Event: Decodable {
        struct Box: Decodable { var object: Object }
        struct Object: Decodable {
            var id: String
            var object: String?
            var payment_intent: String?
            var metadata: [String: String]?
            var amount: Int64?
        }
        var id: String
        var type: String
        var data: Box
    }

    private func write(_ event: Event, provider: String) async throws -> Taken {
        let object = event.data.object
        var payment = object.metadata?["payment_id"].flatMap { PostgresUUID($0) }
        if payment == nil,
            let reference = object.payment_intent ?? (object.object == "payment_intent" ? object.id : nil)
        {
            let rows = try await self.pool.query(PaymentStatements.paymentOfRef) {
                $0.text(provider)
                $0.text(reference)
            }
            if rows.count == 1 { payment = PostgresUUID(try rows[0].text(0)) }
        }
        let inserted = try await self.pool.query(PaymentStatements.insertProviderEvent) {
            $0.text(event.id)
            $0.text(provider)
            $0.text(event.type)
            $0.text(object.id)
            $0.uuid(payment)
        }
        let isNew = inserted.affectedRows == 1
        if event.type == "refund.failed" { try await self.undoRefund(object.id) }
        guard let payment else { return Taken(isNew: isNew) }
        let rows = try await self.pool.query(PaymentStatements.readPayment) { $0.uuid(payment) }
        guard rows.count == 1 else { return Taken(isNew: isNew) }
        let row = try PaymentRow(rows[0])
        return Taken(isNew: isNew, notice: Notice(workflowID: row.workflowID, eventID: event.id, type: event.type))
    }

    /// A refund that the bank sent back: the payment has the money again, and somebody has to look at it.
    private func undoRefund(_ reference: String) async throws {
        let scope = EffectScope(workflowID: "webhook", namespace: self.namespace)
        try await self.pool.withTransaction { connection in
            let found = try await connection.query(PaymentStatements.refundByProviderRef) { $0.text(reference) }
            guard found.count == 1 else { return }
            let (refund, payment, amount) = (try found[0].text(0), try found[0].text(1), try found[0].int64(2))
            var transaction = try await PaymentTransaction(
                connection, paymentID: payment, op: "webhook/refund.failed/\(reference)", scope: scope)
            let ended = try await connection.query(PaymentStatements.endRefund) {
                $0.text(refund)
                $0.text("FAILED")
                $0.text(reference)
            }
            guard ended.affectedRows == 1 else { return }
            let provider = try await transaction.account("provider:\(transaction.payment.provider)", type: "asset")
            let merchant = try await transaction.account("merchant:\(transaction.payment.merchant)", type: "liability")
            try await transaction.transfer(
                "refund", kind: "post", purpose: "refund_failed", debit: provider, credit: merchant, amount: amount)
            try await transaction.change { row in
                row.refunded -= amount
                row.move(to: .completed, row.refunded == 0 ? .captured : .partiallyRefunded)
            }
            try await transaction.publish("refund.failed", ["refund_id": .string(refund), "amount": .integer(amount)])
            try await transaction.park(
                "refund_failed", key: "refund/\(refund)", message: "the bank sent the refund back")
        }
    }
}
