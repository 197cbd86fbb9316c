import Foundation
import Postgres

/// One transaction of the payment family: the payment's locked row, and what may be written beside it.
struct PaymentTransaction {
    let connection: PostgresTransaction
    let op: String
    let workflowID: String
    let namespace: String
    private(set) var payment: PaymentRow

    init(_ connection: PostgresTransaction, paymentID: String, op: String, scope: EffectScope) async throws {
        self.connection = connection
        self.op = op
        self.workflowID = scope.workflowID
        self.namespace = scope.namespace
        let id = try PaymentTransaction.uuid(paymentID)
        let rows = try await connection.query(PaymentStatements.lockPayment) { $0.uuid(id) }
        guard rows.count == 1 else { throw EffectFailure(.invalid, "there is no payment \(paymentID)") }
        self.payment = try PaymentRow(rows[0])
    }

    static func uuid(_ text: String) throws(EffectFailure) -> PostgresUUID {
        guard let id = PostgresUUID(text) else { throw EffectFailure(.invalid, "payment_id is no uuid") }
        return id
    }

    var paymentUUID: PostgresUUID {
        get throws { try PaymentTransaction.uuid(self.payment.id) }
    }

    /// Saves a change of the payment's row, guarded by its version.
    mutating func change(_ change: (inout PaymentRow) -> Void) async throws {
        var row = self.payment
        change(&row)
        guard row != self.payment else { return }
        let id = try self.paymentUUID
        let saved = try await self.connection.query(PaymentStatements.savePayment) { parameters in
            parameters.uuid(id)
            parameters.int64(row.version)
            parameters.text(row.status.rawValue)
            parameters.text(row.substate.rawValue)
            parameters.text(row.providerRef)
            parameters.int64(row.authorized)
            parameters.int64(row.captured)
            parameters.int64(row.refunded)
            parameters.int64(row.fee)
            parameters.text(row.failureCode)
            parameters.text(row.failureMessage)
        }
        guard saved.affectedRows == 1 else { throw EffectFailure(.conflict, "the payment changed meanwhile") }
        row.version += 1
        self.payment = row
    }

    /// Puts an event into the outbox; it becomes visible with this transaction.
    func publish(_ type: String, _ data: [String: JSONScalar] = [:]) async throws {
        var body = data
        body["payment_id"] = .string(self.payment.id)
        body["order_id"] = .string(self.payment.orderID)
        body["status"] = .string(self.payment.status.rawValue)
        body["currency"] = .string(self.payment.currency)
        let text = try PaymentJSON.text(body)
        try await self.connection.query(PaymentStatements.publish) { parameters in
            parameters.text(self.namespace)
            parameters.text(type)
            parameters.text(self.payment.id)
            parameters.text(text)
            parameters.text(self.op)
            parameters.text(self.workflowID)
            parameters.text(self.payment.merchant)
        }
    }

    /// Parks what a person has to look at, once for each `key`; it becomes visible with this transaction.
    func park(_ code: String, key: String, message: String) async throws {
        let entry = DeadLetterEntry(
            source: .domain, tenant: self.payment.merchant, key: "payment/\(key)", failureClass: "Domain", code: code,
            message: message, attempts: [], payloadReference: "wf_pay.payment/\(self.payment.id)",
            workflowID: self.workflowID, isOutcomeKnown: false)
        try await entry.park(in: self.connection, namespace: self.namespace, op: self.op)
    }

    /// An account's id; the account is made when it is first needed.
    func account(_ code: String, type: String) async throws -> Int64 {
        let currency = self.payment.currency
        let found = try await self.connection.query(PaymentStatements.account) {
            $0.text(code)
            $0.text(currency)
        }
        if found.count == 1 { return try found[0].int64(0) }
        let made = try await self.connection.query(PaymentStatements.makeAccount) {
            $0.text(code)
            $0.text(type)
            $0.text(currency)
        }
        return try made[0].int64(0)
    }

    /// Adds one row to the ledger. `part` tells the rows of one operation apart.
    func transfer(
        _ part: String, kind: String, purpose: String, debit: Int64, credit: Int64, amount: Int64, pending: Int64? = nil
    ) async throws {
        let id = try self.paymentUUID
        try await self.connection.query(PaymentStatements.insertTransfer) { parameters in
            parameters.text("\(self.op)/\(part)")
            parameters.int64(pending)
            parameters.text(kind)
            parameters.text(purpose)
            parameters.int64(debit)
            parameters.int64(credit)
            parameters.int64(amount)
            parameters.text(self.payment.currency)
            parameters.uuid(id)
        }
    }

    struct Hold {
        let id: Int64
        let debit: Int64
        let credit: Int64
        let amount: Int64
        let isResolved: Bool
        let isPosted: Bool
    }

    func hold() async throws -> Hold? {
        let id = try self.paymentUUID
        let rows = try await self.connection.query(PaymentStatements.hold) { $0.uuid(id) }
        guard rows.count == 1 else { return nil }
        let resolution = try rows[0].textOrNil(4)
        return Hold(
            id: try rows[0].int64(0), debit: try rows[0].int64(1), credit: try rows[0].int64(2),
            amount: try rows[0].int64(3),
            isResolved: resolution != nil, isPosted: resolution == "post")
    }
}

/// JSON as the tables keep it: sorted keys, so that equal values are equal texts.
enum PaymentJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}
