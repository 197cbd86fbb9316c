import Crypto
import History
import Runtime

/// `POST /v1/notifications:bulk`: one request for up to 10,000 recipients, as JSON or as NDJSON, one notification a line.
extension HTTPService {
    static let batchRecipientsMax = 10_000

    /// The JSON form: shared fields, and `recipients` with what differs. One that is refused refuses all; nothing is stored then.
    func createBatch(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let json = try strictJSON(question)
        guard let shared = json.members else {
            throw Problem.validation([.init(pointer: "", detail: "expected an object, got \(json.kindName)")])
        }
        guard let recipients = json["recipients"]?.elements else {
            throw Problem.validation([.init(pointer: "/recipients", detail: "expected a list of recipients")])
        }
        guard (1...Self.batchRecipientsMax).contains(recipients.count) else {
            throw Problem.validation([
                .init(
                    pointer: "/recipients",
                    detail: "expected 1 to \(Self.batchRecipientsMax) recipients, got \(recipients.count)")
            ])
        }
        let rest = shared.filter { $0.name != "recipients" }
        let time = now
        var drafts: [NotificationDraft] = []
        var faults: [Problem.Field] = []
        for (index, recipient) in recipients.enumerated() where faults.count < 100 {
            do throws(Problem) {
                drafts.append(
                    try NotificationDraft(
                        try Self.merged(rest, recipient, index), id: UUIDs.timeOrdered(at: time), now: time))
            } catch {
                faults += error.errors.map { .init(pointer: "/recipients/\(index)\($0.pointer)", detail: $0.detail) }
            }
        }
        guard faults.isEmpty else { throw Problem.validation(faults) }
        let key = question.header("idempotency-key") == nil ? nil : try IdempotencyKey.read(question)
        let batch = try await BatchIntake(service: self, tenant: drafts[0].tenant, key: key, total: drafts.count)
        for draft in drafts { try await batch.add(draft) }
        return try await batch.finish()
    }

    /// A recipient's own fields beside the shared ones.
    private static func merged(
        _ shared: [JSONValue.Member], _ recipient: JSONValue, _ index: Int
    ) throws(Problem) -> JSONValue {
        guard let own = recipient.members else {
            throw .validation([.init(pointer: "", detail: "expected an object, got \(recipient.kindName)")])
        }
        let names = Set(own.map(\.name))
        return .object(shared.filter { !names.contains($0.name) } + own)
    }

    func batch(id: String) async throws -> HTTPAnswer {
        guard UUIDs.isValid(id) else { throw Problem.notFound("there is no batch with this id") }
        return .json(try Self.value(try await notificationDesk().batch(id: id.lowercased())))
    }
}

/// Starts the notifications of a batch as they come, some at a time, and writes down what became of each. Holds no more than the
/// rows that are not written yet, however long the upload is.
actor BatchIntake {
    private let service: HTTPService
    private let desk: any NotificationDesk
    private let id: String
    private let key: String
    private let tenant: String
    private let createdAt: Timestamp
    private var number = 0
    private var accepted = 0
    private var refused = 0
    private var rows: [BatchRow] = []

    /// Starts under way at a time.
    private static let startsAtATime = 16
    /// Rows written down together.
    private static let rowsAtATime = 200
    private var pending: [(number: Int, draft: NotificationDraft)] = []

    /// - Parameter key: makes a repeated upload start nothing twice, line by line.
    init(service: HTTPService, tenant: String, key: String?, total: Int) async throws {
        self.service = service
        self.tenant = tenant
        desk = try service.notificationDesk()
        createdAt = service.now
        id = UUIDs.timeOrdered(at: createdAt)
        self.key = key ?? id
        try await desk.openBatch(id: id, tenant: tenant, total: total)
    }

    /// One line of an upload: a whole notification; nil is one that was too long.
    func add(line: [UInt8]?) async throws {
        number += 1
        let place = number
        guard let line else {
            let fault = DeskFault("/variables", "the line is longer than \(HTTPService.lineBytesMax) bytes")
            return try await note(BatchRow(number: place, notification: nil, faults: [fault]))
        }
        guard place <= HTTPService.batchRecipientsMax else {
            return try await note(
                BatchRow(
                    number: place, notification: nil,
                    faults: [DeskFault("", "a batch has at most \(HTTPService.batchRecipientsMax) recipients")]))
        }
        do {
            let question = HTTPQuestion(method: "POST", path: "/v1/notifications", body: line)
            let json = try service.strictJSON(question)
            let draft = try NotificationDraft(json, id: UUIDs.timeOrdered(at: service.now), now: service.now)
            guard draft.tenant == tenant else {
                throw Problem.validation([.init(pointer: "/tenant", detail: "differs from the batch's")])
            }
            try await queue(place, draft)
        } catch let problem as Problem where problem.status < 500 {
            try await note(BatchRow(number: place, notification: nil, faults: Self.faults(problem)))
        }
    }

    func add(_ draft: NotificationDraft) async throws {
        number += 1
        try await queue(number, draft)
    }

    private func queue(_ place: Int, _ draft: NotificationDraft) async throws {
        pending.append((place, draft))
        if pending.count >= Self.startsAtATime { try await startPending() }
    }

    private func startPending() async throws {
        let chosen = pending
        pending = []
        let (service, key) = (service, key)
        let done = try await withThrowingTaskGroup(of: BatchRow.self) { group in
            for (place, draft) in chosen {
                group.addTask {
                    do {
                        let dedup = draft.dedupKey ?? "\(key)#\(place)"
                        let submission = try await service.submission(
                            draft, key: dedup, fingerprint: Array(Crypto.SHA256.hash(data: Array(dedup.utf8))))
                        let started = try await service.startOnce(submission)
                        return BatchRow(number: place, notification: started)
                    } catch let problem as Problem where problem.status < 500 {
                        return BatchRow(number: place, notification: nil, faults: Self.faults(problem))
                    }
                }
            }
            var rows: [BatchRow] = []
            for try await row in group { rows.append(row) }
            return rows
        }
        for row in done.sorted(by: { $0.number < $1.number }) { try await note(row) }
    }

    private func note(_ row: BatchRow) async throws {
        if row.notification == nil { refused += 1 } else { accepted += 1 }
        rows.append(row)
        if rows.count >= Self.rowsAtATime { try await writeRows() }
    }

    private func writeRows() async throws {
        let written = rows
        rows = []
        if !written.isEmpty { try await desk.batchRows(id: id, written) }
    }

    func finish() async throws -> HTTPAnswer {
        if !pending.isEmpty { try await startPending() }
        try await writeRows()
        try await desk.closeBatch(id: id, total: number)
        let path = "/v1/notification-batches/\(id)"
        return .json(
            .record(
                ("batch_id", .string(id)), ("total", .integer(number)), ("accepted", .integer(accepted)),
                ("refused", .integer(refused)), ("created_at", .string(RFC3339.text(createdAt))),
                ("links", .record(("batch", .string(path))))),
            status: 202, headers: [.init("Location", path)])
    }

    private static func faults(_ problem: Problem) -> [DeskFault] {
        problem.errors.isEmpty
            ? [DeskFault("", problem.detail)] : problem.errors.map { DeskFault($0.pointer, $0.detail) }
    }
}

extension HTTPService {
    /// Starts what is submitted unless its key was used before.
    ///
    /// - Returns: the operation's id, the first one for a repeated key.
    func startOnce(_ submission: Submission) async throws -> String {
        let scope = "|POST|\(submission.template)"
        if let stored = try await backend.storedRequest(scope: scope, key: submission.key), stored.claim.expiresAt > now
        {
            return stored.claim.operationID
        }
        var start = submission.start
        start.claim = RequestClaim(
            scope: scope, key: submission.key, fingerprint: submission.fingerprint, operationID: submission.operationID,
            operationKind: submission.kind, createdAt: now, expiresAt: now.advanced(by: options.keyLifetime))
        do {
            _ = try await backend.startWorkflow(start)
            return submission.operationID
        } catch StoreError.alreadyExists {
            guard let stored = try await backend.storedRequest(scope: scope, key: submission.key) else {
                throw Problem(
                    .temporarilyUnavailable, status: 503, "Try again", detail: "the same request is being worked on",
                    isRetryable: true)
            }
            return stored.claim.operationID
        }
    }
}

/// Cuts a stream of bytes into lines, none of them longer than a bound.
struct LineCutter {
    private var rest: [UInt8] = []
    let lineBytesMax: Int

    /// The line is too long: its bytes are dropped up to its end.
    private var isSkipping = false

    init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    /// - Returns: the lines that are complete now; nil stands for one that was too long.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [[UInt8]?] {
        var lines: [[UInt8]?] = []
        for byte in bytes {
            if byte == 0x0A {
                if isSkipping { lines.append(nil) } else if !rest.allSatisfy({ $0 <= 0x20 }) { lines.append(rest) }
                rest = []
                isSkipping = false
            } else if !isSkipping {
                rest.append(byte)
                if rest.count > lineBytesMax {
                    isSkipping = true
                    rest = []
                }
            }
        }
        return lines
    }

    /// What is left without a line end.
    mutating func end() -> [[UInt8]?] {
        defer { rest = [] }
        if isSkipping { return [nil] }
        return rest.allSatisfy { $0 <= 0x20 } ? [] : [rest]
    }
}
