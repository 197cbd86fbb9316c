import CLibpq
import Glibc

/// The owner of one libpq connection: every C pointer of the connection lives here, and only its ``ConnectionThread`` touches it.
///
/// The connection is non-blocking and in pipeline mode. All calls of one pipeline end with one Sync, which is where Postgres
/// commits (unless an explicit transaction is open). So before the Sync is handed to libpq nothing can have been committed;
/// after it, a lost connection leaves the outcome unknown.
final class LibpqConnection {
    let handle: OpaquePointer
    private let answerTimeout: Duration
    private var prepared: [String: [PostgresType]] = [:]
    /// A prepared statement no longer fits the schema: this connection should not be used again.
    private(set) var isStale = false

    /// Connects, waiting at most the configured time. Blocks the calling thread.
    init(_ configuration: PostgresConfiguration) throws(PostgresError) {
        answerTimeout = configuration.answerTimeout
        let keywords = configuration.keywords
        let started = CStrings.withPointers(keywords.map(\.name)) { names in
            CStrings.withPointers(keywords.map(\.value)) { values in PQconnectStartParams(names, values, 1) }
        }
        guard let started else { throw PostgresError(.connectFailed, reason: "out of memory") }
        handle = started
        // Everything is initialised: when this throws, `deinit` finishes the handle.
        try finishConnecting(until: .now + configuration.connectTimeout)
        _ = PQsetNoticeReceiver(handle, { _, _ in }, nil)
        PQsetnonblocking(handle, 1)
        PQenterPipelineMode(handle)
    }

    deinit { PQfinish(handle) }

    private func finishConnecting(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard PQstatus(handle) != CONNECTION_BAD, state != PGRES_POLLING_FAILED else { throw connectFailure() }
            let events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard Poll.wait(PQsocket(handle), Int16(events), until: deadline) else {
                throw PostgresError(.connectFailed, reason: "no answer in time")
            }
            state = PQconnectPoll(handle)
        }
    }

    /// libpq's own text names the host but may also quote what the server said; it is kept out of `reason`.
    private func connectFailure() -> PostgresError {
        let message = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        return PostgresError(.connectFailed, reason: "cannot connect", serverMessage: message)
    }

    var descriptor: Int32 { PQsocket(handle) }
    var isBroken: Bool { PQstatus(handle) == CONNECTION_BAD }
    /// A transaction is open, or the state is unknown.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }
    var backendProcessID: Int32 { PQbackendPID(handle) }

    /// Reads what the server sent without being asked: notifications, or the end of the connection.
    func readUnasked() -> [PostgresNotification] {
        guard PQconsumeInput(handle) == 1 else { return [] }
        return takeNotifications()
    }

    func takeNotifications() -> [PostgresNotification] {
        var notifications: [PostgresNotification] = []
        while let notification = PQnotifies(handle) {
            notifications.append(
                PostgresNotification(
                    channel: String(cString: notification.pointee.relname),
                    payload: String(cString: notification.pointee.extra)))
            PQfreemem(notification)
        }
        return notifications
    }

    // MARK: Pipelines

    /// What one answer in the pipeline belongs to.
    enum Step {
        case prepare(Statement, [PostgresType])
        case call(Statement)
    }

    /// Sends all calls with one Sync and collects one result for each.
    func run(_ calls: [StatementCall]) throws(PostgresError) -> [ResultSet] {
        let steps = try send(calls)
        guard PQpipelineSync(handle) == 1 else { throw lost(.outcomeUnknown) }
        return try collect(steps, callCount: calls.count)
    }

    private func send(_ calls: [StatementCall]) throws(PostgresError) -> [Step] {
        let plan = try steps(for: calls)
        var next = 0
        for step in plan {
            switch step {
            case .prepare(let statement, let types): try sendPrepare(statement, types)
            case .call:
                try sendCall(calls[next])
                next += 1
            }
        }
        return plan
    }

    /// What must be sent, found out before anything is: half a pipeline could not be taken back.
    private func steps(for calls: [StatementCall]) throws(PostgresError) -> [Step] {
        var steps: [Step] = []
        steps.reserveCapacity(calls.count)
        var preparedHere: [String: [PostgresType]] = [:]
        for call in calls {
            let name = call.statement.name
            let types = call.parameters.fields.map(\.type)
            if name.isEmpty {
                steps.append(.prepare(call.statement, types))
            } else if let known = prepared[name] ?? preparedHere[name] {
                guard known == types else {
                    throw PostgresError(
                        .unexpectedAnswer, reason: "was prepared with other parameter types", statement: name)
                }
            } else {
                steps.append(.prepare(call.statement, types))
                preparedHere[name] = types
            }
            steps.append(.call(call.statement))
        }
        return steps
    }

    private func sendPrepare(_ statement: Statement, _ types: [PostgresType]) throws(PostgresError) {
        let oids = types.map(\.oid)
        guard PQsendPrepare(handle, statement.name, statement.sql, Int32(oids.count), oids) == 1 else {
            throw lost(.connectionLost)
        }
    }

    private func sendCall(_ call: StatementCall) throws(PostgresError) {
        let fields = call.parameters.fields
        let sent = call.parameters.bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                // A zero-length value still needs an address: null would mean SQL's null.
                withUnsafePointer(to: CChar(0)) { empty in
                    let values = fields.map { field -> UnsafePointer<CChar>? in
                        if field.length < 0 { return nil }
                        return field.length == 0 ? empty : bytes.baseAddress.map { $0 + field.offset }
                    }
                    let lengths = fields.map { Int32(max(0, $0.length)) }
                    let formats = [Int32](repeating: 1, count: fields.count)
                    return PQsendQueryPrepared(
                        handle, call.statement.name, Int32(fields.count), values, lengths, formats, 1)
                }
            }
        }
        guard sent == 1 else { throw lost(.connectionLost) }
    }

    private func collect(_ steps: [Step], callCount: Int) throws(PostgresError) -> [ResultSet] {
        var results: [ResultSet] = []
        results.reserveCapacity(callCount)
        var failure: PostgresError?
        var position = 0
        while true {
            try waitForResult()
            guard let raw = PQgetResult(handle) else {
                position += 1
                guard position <= steps.count else { throw lost(.outcomeUnknown) }
                continue
            }
            defer { PQclear(raw) }
            let status = PQresultStatus(raw)
            if status == PGRES_PIPELINE_SYNC { break }
            let step = position < steps.count ? steps[position] : nil
            switch status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                switch step {
                case .prepare(let statement, let types):
                    if !statement.name.isEmpty { prepared[statement.name] = types }
                case .call(let statement): results.append(ResultCopy.copy(raw, statement: statement.name))
                case nil: failure = failure ?? PostgresError(.unexpectedAnswer, reason: "more results than calls")
                }
            case PGRES_PIPELINE_ABORTED: break
            default:
                if isBroken { throw lost(.outcomeUnknown, raw) }
                failure = failure ?? serverError(raw, step)
            }
        }
        if let failure { throw failure }
        guard results.count == callCount else {
            throw PostgresError(.unexpectedAnswer, reason: "expected \(callCount) results, got \(results.count)")
        }
        return results
    }

    /// Sends and receives until libpq has a whole result.
    private func waitForResult() throws(PostgresError) {
        let deadline = ContinuousClock.now + answerTimeout
        while PQisBusy(handle) == 1 {
            let unsent = PQflush(handle)
            guard unsent >= 0, !isBroken else { throw lost(.outcomeUnknown) }
            let events = unsent > 0 ? POLLIN | POLLOUT : POLLIN
            guard Poll.wait(PQsocket(handle), Int16(events), until: deadline) else {
                isStale = true
                throw PostgresError(.outcomeUnknown, reason: "no answer in time")
            }
            guard PQconsumeInput(handle) == 1 else { throw lost(.outcomeUnknown) }
        }
        if isBroken { throw lost(.outcomeUnknown) }
    }

    // MARK: Scripts

    /// Runs several statements in the simple protocol: one implicit transaction, no parameters, results dropped.
    func runScript(_ sql: String) throws(PostgresError) {
        guard PQexitPipelineMode(handle) == 1 else { throw lost(.connectionLost) }
        guard PQsendQuery(handle, sql) == 1 else { throw lost(.connectionLost) }
        var failure: PostgresError?
        while true {
            try waitForResult()
            guard let raw = PQgetResult(handle) else { break }
            defer { PQclear(raw) }
            switch PQresultStatus(raw) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default:
                if isBroken { throw lost(.outcomeUnknown, raw) }
                failure = failure ?? serverError(raw, nil)
            }
        }
        PQenterPipelineMode(handle)
        if let failure { throw failure }
    }

    // MARK: Errors

    private func lost(_ kind: PostgresError.Kind, _ raw: OpaquePointer? = nil) -> PostgresError {
        isStale = true
        return PostgresError(kind, reason: "connection lost", sqlState: field(raw, Self.sqlStateField))
    }

    private func serverError(_ raw: OpaquePointer, _ step: Step?) -> PostgresError {
        let state = field(raw, Self.sqlStateField)
        if Self.staleStates.contains(state) { isStale = true }
        let name: String
        switch step {
        case .prepare(let statement, _), .call(let statement): name = statement.name
        case nil: name = ""
        }
        return PostgresError(
            .server, sqlState: state, statement: name, constraint: field(raw, Self.constraintField),
            serverMessage: field(raw, Self.messageField))
    }

    private func field(_ raw: OpaquePointer?, _ code: UInt8) -> String {
        guard let raw, let text = PQresultErrorField(raw, Int32(code)) else { return "" }
        return String(cString: text)
    }

    // The PG_DIAG_… codes are character macros, which Swift does not import.
    private static let sqlStateField = UInt8(ascii: "C")
    private static let messageField = UInt8(ascii: "M")
    private static let constraintField = UInt8(ascii: "n")
    /// "cached plan must not change result type" and "prepared statement does not exist".
    private static let staleStates: Set<String> = ["0A000", "26000"]
}
