import History
import Postgres
public import Runtime

extension PostgresStore {
    /// Stores a batch in one round trip and one transaction.
    ///
    /// When the store finds a run changed, a workflow id or a request key taken, or the lease gone, it says which; nothing was changed then.
    public func commit(_ batch: CommitBatch) async throws(StoreError) {
        guard !batch.writes.isEmpty else { return }
        let plan = try CommitPlan(batch)
        let doublyClaimed = plan.doublyClaimed
        guard doublyClaimed.isEmpty else { throw .alreadyExists(doublyClaimed) }
        do throws(PostgresError) {
            _ = try await writers.pipeline(plan.calls())
        } catch {
            throw await explain(error, plan)
        }
    }

    /// Turns a refused commit into what the runtime must know: which runs lost.
    private func explain(_ error: PostgresError, _ plan: CommitPlan) async -> StoreError {
        guard error.kind == .server else { return StoreError(error) }
        do throws(StoreError) {
            switch (error.sqlState, error.constraint) {
            case (GuardState.leaseLost, _):
                return .notOwner(slots: try await lostSlots(plan))
            case (GuardState.versionChanged, _):
                return .conflict(try await lostUpdates(plan))
            case (GuardState.notCurrent, _), (Self.uniqueViolation, "runs_pkey"),
                (Self.uniqueViolation, "runs_current"):
                return .alreadyExists(try await lostStarts(plan))
            case (Self.uniqueViolation, "outbox_pkey"):
                return .outOfStep(lanes: Set(plan.published.map(\.write.lane)).sorted())
            case (GuardState.keyClaimed, _), (Self.uniqueViolation, "operations_pkey"):
                return .alreadyExists(try await lostClaims(plan))
            default:
                return StoreError(error)
            }
        } catch {
            // Nothing was changed, but who lost could not be asked: each run may have.
            return .conflict((plan.starts + plan.updates).map(\.write.summary.key))
        }
    }

    private static let uniqueViolation = "23505"

    /// The slots of the writes whose lanes are gone; all of them if a lane came and went meanwhile.
    private func lostSlots(_ plan: CommitPlan) async throws(StoreError) -> [Int16] {
        let result = try await read(
            RunStatements.findLost.call {
                $0.column(of: .int2, plan.lanes) { $0.int16($1.lane) }
                $0.column(of: .int8, plan.lanes) { $0.int64($1.epoch) }
            })
        let lost = Set(
            try decode { () throws(PostgresError) in try result.map { row throws(PostgresError) in try row.int16(0) } })
        let writes = (plan.starts + plan.updates).map(\.write)
        return Set(writes.filter { lost.isEmpty || lost.contains($0.lane) }.map(\.slot)).sorted()
    }

    private func lostUpdates(_ plan: CommitPlan) async throws(StoreError) -> [RunKey] {
        let rows = plan.updates
        let result = try await read(
            RunStatements.findChanged.call {
                $0.column(of: .int2, rows) { $0.int16($1.write.slot) }
                $0.column(of: .uuid, rows) { $0.uuid($1.run) }
                $0.column(of: .int8, rows) { $0.int64($1.write.expectedVersion) }
            })
        return try keys(result, rows)
    }

    private func lostStarts(_ plan: CommitPlan) async throws(StoreError) -> [RunKey] {
        let rows = plan.starts
        let result = try await read(
            RunStatements.findExisting.call {
                $0.column(of: .int2, rows) { $0.int16($1.write.slot) }
                $0.column(of: .uuid, rows) { $0.uuid($1.namespace) }
                $0.column(of: .text, rows) { $0.text($1.write.summary.key.workflow.value) }
                $0.column(of: .uuid, rows) { $0.uuid($1.run) }
                $0.column(of: .uuid, rows) { $0.uuid($1.supersedes) }
            })
        return try keys(result, rows)
    }

    private func lostClaims(_ plan: CommitPlan) async throws(StoreError) -> [RunKey] {
        let claims = plan.claims
        let result = try await read(
            RequestStatements.findClaimed.call {
                $0.column(of: .text, claims) { $0.text($1.claim.scope) }
                $0.column(of: .text, claims) { $0.text($1.claim.key) }
            })
        return try keys(result, claims.map(\.row))
    }

    /// The keys at the ordinals (counted from 1) that a look-up returned; all of them if it returned none, since somebody lost.
    private func keys(_ result: ResultSet, _ rows: [CommitPlan.Row]) throws(StoreError) -> [RunKey] {
        let ordinals = try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in try row.int64(0) }
        }
        let lost = ordinals.isEmpty ? rows : ordinals.map { rows[Int($0) - 1] }
        return lost.map(\.write.summary.key)
    }
}
