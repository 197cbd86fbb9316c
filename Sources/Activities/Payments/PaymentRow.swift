import Postgres

/// A row of `wf_pay.payment`, read under its lock.
struct PaymentRow: Hashable, Sendable {
    enum Status: String, Hashable, Sendable, Codable {
        case pending = "PENDING"
        case processing = "PROCESSING"
        case completed = "COMPLETED"
        case failed = "FAILED"
        case refunded = "REFUNDED"
    }

    enum Substate: String, Hashable, Sendable {
        case none = ""
        case requiresAction = "requires_action"
        case authorized
        case captured
        case partiallyRefunded = "partially_refunded"
        case disputed
    }

    let id: String
    let merchant: String
    let orderID: String
    let amount: Int64
    let currency: String
    var status: Status
    var substate: Substate
    var version: Int64
    let provider: String
    var providerRef: String?
    var authorized: Int64
    var captured: Int64
    var refunded: Int64
    var fee: Int64
    var failureCode: String?
    var failureMessage: String?

    init(_ row: Row) throws(PostgresError) {
        self.id = try row.text(0)
        self.merchant = try row.text(1)
        self.orderID = try row.text(2)
        self.amount = try row.int64(3)
        self.currency = try row.text(4)
        guard let status = Status(rawValue: try row.text(5)), let substate = Substate(rawValue: try row.text(6)) else {
            throw PostgresError(.unexpectedAnswer, reason: "a payment in an unknown state")
        }
        self.status = status
        self.substate = substate
        self.version = try row.int64(7)
        self.provider = try row.text(8)
        self.providerRef = try row.textOrNil(9)
        self.authorized = try row.int64(10)
        self.captured = try row.int64(11)
        self.refunded = try row.int64(12)
        self.fee = try row.int64(13)
        self.failureCode = try row.textOrNil(14)
        self.failureMessage = try row.textOrNil(15)
    }

    var workflowID: String { "pay:\(self.merchant):\(self.id)" }

    mutating func move(to status: Status, _ substate: Substate) {
        self.status = status
        self.substate = substate
    }
}
