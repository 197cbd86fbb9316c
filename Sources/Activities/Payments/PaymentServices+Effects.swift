import Foundation
import Postgres

/// The two shapes every effect has.
extension PaymentServices {
    /// What an operation's row keeps: a result, or the failure that will not change.
    enum Stored<Result: Codable & Sendable>: Codable, Sendable {
        case result(Result)
        case failure(StoredFailure)

        func get() throws -> Result {
            switch self {
            case .result(let result): return result
            case .failure(let failure):
                throw EffectFailure(.permanent(code: failure.code), failure.message, decline: failure.decline)
            }
        }
    }

    struct StoredFailure: Codable, Sendable {
        var code: String
        var message: String
        var decline: EffectFailure.Decline?
    }

    /// An effect on our own tables: one transaction, done once however often it is asked for.
    func once<Result: Codable & Sendable>(
        _ name: String, op: OperationID, paymentID: String, scope: EffectScope,
        _ body: (inout PaymentTransaction) async throws -> Result
    ) async throws -> Result {
        try scope.checkTime()
        try await self.failpoints.pass(name, .beforeEffect)
        let id = try PaymentTransaction.uuid(paymentID)
        let result = try await self.transaction { connection in
            let claimed = try await connection.query(PaymentStatements.claimOp) {
                $0.text(op.value)
                $0.uuid(id)
                $0.text(name)
            }
            if claimed.count == 0 {
                let rows = try await connection.query(PaymentStatements.readOp) { $0.text(op.value) }
                guard rows.count == 1, let text = try rows[0].textOrNil(1) else {
                    throw EffectFailure(.conflict, "the operation is under way elsewhere")
                }
                return try PaymentJSON.value(Stored<Result>.self, text).get()
            }
            var transaction = try await PaymentTransaction(connection, paymentID: paymentID, op: op.value, scope: scope)
            let result = try await body(&transaction)
            try await self.end(op, Stored.result(result), connection)
            return result
        }
        try await self.failpoints.pass(name, .afterEffect)
        try await self.failpoints.pass(name, .afterResult)
        return result
    }

    /// An effect outside: intent written, call made with no transaction open, outcome written.
    ///
    /// - Parameters:
    ///   - prepare: What is written with the intent.
    ///   - call: The call; it gets the attempt's number within this operation.
    ///   - settle: What the outcome changes here.
    func outside<Outcome, Result: Codable & Sendable>(
        _ name: String, op: OperationID, paymentID: String, tries: Int?, scope: EffectScope,
        prepare: (inout PaymentTransaction) async throws -> Void = { _ in },
        call: (PaymentRow) async throws(EffectFailure) -> Outcome,
        settle: (inout PaymentTransaction, Outcome) async throws -> Result
    ) async throws -> Result {
        try scope.checkTime()
        let begun = try await self.begin(
            Result.self, name, op: op, paymentID: paymentID, tries: tries, scope: scope, prepare: prepare)
        let payment: PaymentRow
        let attempt: Int
        switch begun {
        case .ended(let stored): return try stored.get()
        case .open(let row, let number): (payment, attempt) = (row, number)
        }
        try await self.failpoints.pass(name, .beforeEffect)
        let outcome: Outcome
        do throws(EffectFailure) {
            outcome = try await call(payment)
        } catch {
            throw try await self.judge(Result.self, error, op: op, attempt: attempt, tries: tries)
        }
        try await self.failpoints.pass(name, .afterEffect)
        let result = try await self.transaction { connection in
            var transaction = try await PaymentTransaction(connection, paymentID: paymentID, op: op.value, scope: scope)
            let rows = try await connection.query(PaymentStatements.readOp) { $0.text(op.value) }
            if rows.count == 1, let text = try rows[0].textOrNil(1) {
                return try PaymentJSON.value(Stored<Result>.self, text).get()
            }
            let result = try await settle(&transaction, outcome)
            try await self.end(op, Stored.result(result), connection)
            return result
        }
        try await self.failpoints.pass(name, .afterResult)
        return result
    }

    /// Runs a transaction and names its failures as ours.
    func transaction<Result>(_ body: (PostgresTransaction) async throws -> Result) async throws -> Result {
        do {
            return try await self.pool.withTransaction(body)
        } catch let error as PostgresError {
            throw EffectFailure(error)
        }
    }

    /// Runs one statement and names its failures as ours.
    func query(_ statement: Statement, _ fill: (inout Parameters) -> Void) async throws -> ResultSet {
        do {
            return try await self.pool.query(statement, fill)
        } catch {
            throw EffectFailure(error)
        }
    }

    private enum Begun<Result: Codable & Sendable> {
        case ended(Stored<Result>)
        case open(PaymentRow, attempt: Int)
    }

    private func begin<Result: Codable & Sendable>(
        _: Result.Type, _ name: String, op: OperationID, paymentID: String, tries: Int?, scope: EffectScope,
        prepare: (inout PaymentTransaction) async throws -> Void
    ) async throws -> Begun<Result> {
        let id = try PaymentTransaction.uuid(paymentID)
        return try await self.transaction { connection in
            var transaction = try await PaymentTransaction(connection, paymentID: paymentID, op: op.value, scope: scope)
            let rows = try await connection.query(PaymentStatements.beginOp) {
                $0.text(op.value)
                $0.uuid(id)
                $0.text(name)
            }
            if let text = try rows[0].textOrNil(1) { return .ended(try PaymentJSON.value(Stored<Result>.self, text)) }
            let attempt = Int(try rows[0].int32(0))
            if let tries, attempt > tries { throw EffectFailure(.unresolved, "no answer in \(tries) tries") }
            try await prepare(&transaction)
            return .open(transaction.payment, attempt: attempt)
        }
    }

    /// What a failed call means for the operation: kept for good, not counted, or out of tries.
    private func judge<Result: Codable & Sendable>(
        _: Result.Type, _ failure: EffectFailure, op: OperationID, attempt: Int, tries: Int?
    ) async throws -> EffectFailure {
        switch failure.kind {
        case .permanent(let code):
            let stored = Stored<Result>.failure(
                StoredFailure(code: code, message: failure.message, decline: failure.decline))
            try await self.transaction { try await self.end(op, stored, $0) }
        case .throttled:
            _ = try await self.query(PaymentStatements.returnAttempt) { $0.text(op.value) }
        case .transient, .ambiguous, .conflict:
            if let tries, attempt >= tries {
                return EffectFailure(.unresolved, "no answer in \(tries) tries; the last: \(failure.message)")
            }
        case .invalid, .unresolved: break
        }
        return failure
    }

    private func end(_ op: OperationID, _ stored: some Encodable, _ connection: PostgresTransaction) async throws {
        let text = try PaymentJSON.text(stored)
        try await connection.query(PaymentStatements.endOp) {
            $0.text(op.value)
            $0.text(text)
        }
    }
}

extension EffectFailure {
    /// A database failure: passing, unknown, or ours.
    init(_ error: PostgresError) {
        if error.kind == .outcomeUnknown {
            self.init(.ambiguous, error.description)
        } else if error.sqlState == "PAY01" {
            self.init(.permanent(code: "IllegalTransition"), error.description)
        } else if error.sqlState == "PAY02" || error.isUniqueViolation {
            self.init(.conflict, error.description)
        } else if error.sqlState.hasPrefix("22") || error.sqlState.hasPrefix("23") || error.sqlState.hasPrefix("PAY") {
            self.init(.permanent(code: "Refused"), error.description)
        } else {
            self.init(.transient, error.description)
        }
    }
}
