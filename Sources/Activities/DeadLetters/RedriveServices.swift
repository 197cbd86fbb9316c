import Foundation
public import Postgres
public import Worker

/// The workflow that an entry becomes.
public struct Restart: Sendable {
    public var workflowID: String
    public var type: String
    public var taskQueue: String
    public var input: any Encodable & Sendable

    public init(workflowID: String, type: String, taskQueue: String, input: any Encodable & Sendable) {
        self.workflowID = workflowID
        self.type = type
        self.taskQueue = taskQueue
        self.input = input
    }
}

/// What the redrive activities need of the world.
public struct RedriveServices: Sendable {
    let pool: PostgresPool
    let store: DeadLetterStore
    let failpoints: Failpoints
    /// Starts a workflow unless it was started before: its id decides.
    let start: @Sendable (Restart) async throws -> Void

    public init(
        pool: PostgresPool, failpoints: Failpoints = .none, start: @escaping @Sendable (Restart) async throws -> Void
    ) {
        self.pool = pool
        self.store = DeadLetterStore(pool: pool)
        self.failpoints = failpoints
        self.start = start
    }

    /// Starts by a client; a workflow that exists, running or over, counts as started.
    public init(pool: PostgresPool, client: WorkflowClient, failpoints: Failpoints = .none) {
        self.init(pool: pool, failpoints: failpoints) { restart in
            var options = StartOptions(id: restart.workflowID, taskQueue: restart.taskQueue)
            options.idReusePolicy = .rejectDuplicate
            options.idConflictPolicy = .fail
            do {
                _ = try await client.start(
                    workflowType: restart.type, arguments: [restart.input], options: options,
                    returning: JSONScalar.self)
            } catch is WorkflowAlreadyStarted {}
        }
    }

    // MARK: Activities

    func open(_ input: RedriveInput, _ scope: EffectScope) async throws -> OpenedRedrive {
        var filter = input.filter
        filter.source = input.source
        filter.state = nil
        let chosen = filter
        let filterText = try PaymentJSON.text(filter)
        let overridesText = try PaymentJSON.text(input.overrides)
        return try await self.transaction { connection in
            // A job whose workflow was terminated never said that it is over.
            _ = try await connection.query(DeadLetterStatements.freeStaleEntries) {
                $0.text(input.source)
                $0.text(input.jobID)
            }
            _ = try await connection.query(DeadLetterStatements.closeStaleJobs) {
                $0.text(input.source)
                $0.text(input.jobID)
            }
            let made = try await connection.query(DeadLetterStatements.openJob) { parameters in
                parameters.text(input.jobID)
                parameters.text(input.source)
                parameters.text(scope.workflowID)
                parameters.text(filterText)
                parameters.text(overridesText)
                parameters.double(input.perSecond)
                parameters.text(input.reason)
                parameters.text(input.actor)
            }
            guard made.count == 1 else {
                let known = try await connection.query(DeadLetterStatements.jobTotal) { $0.text(input.jobID) }
                return OpenedRedrive(total: Int(try known[0].int32(0)))
            }
            _ = try await connection.query(DeadLetterStatements.claimForJob) { parameters in
                parameters.add(chosen)
                parameters.bool(input.isForced)
                parameters.int32(Int32(DeadLetterStore.redrivesMax))
                parameters.int32(Int32(clamping: min(input.limit, RedriveInput.entriesMax)))
                parameters.text(input.jobID)
            }
            let total = try await connection.query(DeadLetterStatements.setJobTotal) { $0.text(input.jobID) }
            return OpenedRedrive(total: Int(try total[0].int32(0)))
        }
    }

    func batch(_ input: RedriveBatchInput, _ scope: EffectScope) async throws -> RedriveBatchResult {
        let entries = try await self.next(input.job, input.count, takesNew: true)
        var result = RedriveBatchResult(isEmpty: entries.count < input.count)
        for entry in entries {
            if Task.isCancelled { throw CancellationError() }
            _ = try await self.redrive(entry, input.job, scope)
            result.taken += 1
        }
        return try await self.counted(result, input.job)
    }

    func close(_ input: CloseRedriveInput, _ scope: EffectScope) async throws -> RedriveBatchResult {
        // First nobody takes more; then what was left half done is brought to its end.
        _ = try await self.query(DeadLetterStatements.closeJob) {
            $0.text(input.job.jobID)
            $0.text(input.state)
        }
        for entry in try await self.next(input.job, Int(RedriveInput.perSecondMax) * 2, takesNew: false) {
            _ = try await self.redrive(entry, input.job, scope)
        }
        _ = try await self.query(DeadLetterStatements.freeEntries) { $0.text(input.job.jobID) }
        return try await self.counted(RedriveBatchResult(isEmpty: true), input.job)
    }

    /// The table counts: a repeated batch does not know what the one before it did.
    private func counted(_ result: RedriveBatchResult, _ job: RedriveInput) async throws -> RedriveBatchResult {
        let rows = try await self.query(DeadLetterStatements.jobProgress) { $0.text(job.jobID) }
        guard rows.count == 1 else { return result }
        var result = result
        result.done = Int(try rows[0].int64(0))
        result.failed = Int(try rows[0].int32(1))
        return result
    }

    // MARK: One entry

    private func next(_ job: RedriveInput, _ count: Int, takesNew: Bool) async throws -> [DeadLetterView] {
        let rows = try await self.query(DeadLetterStatements.nextOfJob) {
            $0.text(job.jobID)
            $0.int32(Int32(clamping: count))
            $0.bool(takesNew)
        }
        do {
            return try rows.map { row throws(PostgresError) in try DeadLetterView(row) }
        } catch {
            throw EffectFailure(error)
        }
    }

    /// One entry becomes one workflow: its name is written down first, then it is started, then the entry is over. Whatever is
    /// repeated after a crash finds the name, and a workflow of that name is started once.
    ///
    /// - Returns: false when it cannot be started again; the entry is parked as before then.
    private func redrive(_ entry: DeadLetterView, _ job: RedriveInput, _ scope: EffectScope) async throws -> Bool {
        let id = try PaymentTransaction.uuid(entry.id)
        let restart: Restart
        do {
            restart = try await self.restart(entry, job)
        } catch let failure as EffectFailure where !failure.isRetryable {
            return try await self.giveUp(entry, id, job, failure)
        }
        let taken = try await self.query(DeadLetterStatements.takeUp) {
            $0.uuid(id)
            $0.text(job.jobID)
            $0.text(restart.workflowID)
        }
        guard taken.count == 1 else { return true }  // the job is over, or somebody brought it to its end
        try await self.failpoints.pass("RedriveBatch", .beforeEffect)
        try await self.start(restart)
        try await self.failpoints.pass("RedriveBatch", .afterEffect)
        try await self.transaction { connection in
            let marked = try await connection.query(DeadLetterStatements.markRedriven) { $0.uuid(id) }
            guard marked.affectedRows == 1 else { return }
            try await DeadLetterStore.publish(
                "dlq.redriven", id: entry.id,
                [
                    "job": .string(job.jobID), "actor": .string(job.actor), "reason": .string(job.reason),
                    "workflow_id": .string(entry.workflowID), "redriven_as": .string(restart.workflowID),
                ], workflow: restart.workflowID, tenant: entry.tenant, namespace: scope.namespace,
                op: "\(entry.id)/r\(entry.redriveCount + 1)", connection)
        }
        try await self.failpoints.pass("RedriveBatch", .afterResult)
        return true
    }

    private func giveUp(
        _ entry: DeadLetterView, _ id: PostgresUUID, _ job: RedriveInput, _ failure: EffectFailure
    ) async throws -> Bool {
        try await self.transaction { connection in
            _ = try await connection.query(DeadLetterStatements.takeUp) {
                $0.uuid(id)
                $0.text(job.jobID)
                $0.text("")
            }
            _ = try await connection.query(DeadLetterStatements.putBack) {
                $0.uuid(id)
                $0.text("not redriven by \(job.jobID): \(failure.message)")
            }
            _ = try await connection.query(DeadLetterStatements.countFailed) { $0.text(job.jobID) }
        }
        return false
    }

    private func restart(_ entry: DeadLetterView, _ job: RedriveInput) async throws -> Restart {
        switch DeadLetterEntry.Source(rawValue: entry.source) {
        case .notification: return try await self.notification(entry, job)
        case .webhookDelivery, .outbox, .workflowTask, .domain, nil:
            throw EffectFailure(.invalid, "entries of \(entry.source) are resolved, not redriven")
        }
    }

    // MARK: Database

    func transaction<Result>(_ body: (PostgresTransaction) async throws -> Result) async throws -> Result {
        do {
            return try await self.pool.withTransaction(body)
        } catch let error as PostgresError {
            throw EffectFailure(error)
        }
    }

    func query(_ statement: Statement, _ fill: (inout Parameters) -> Void) async throws -> ResultSet {
        do {
            return try await self.pool.query(statement, fill)
        } catch {
            throw EffectFailure(error)
        }
    }
}
