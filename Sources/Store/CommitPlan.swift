import History
import Postgres
import Runtime

/// A commit batch taken apart for the set-based statements: what is new, what changes, what comes with it.
struct CommitPlan {
    /// One write with its ids in binary form.
    struct Row {
        var write: RunWrite
        var namespace: PostgresUUID
        var run: PostgresUUID
        var firstRun: PostgresUUID
        var supersedes: PostgresUUID?
    }

    var lanes: [LaneEpoch]
    var starts: [Row] = []
    var updates: [Row] = []
    var attributeUpdates: [Row] = []
    /// Rows with events; with attempts; with a place in the outbox; with a claim.
    var withEvents: [Row] = []
    var withAttempts: [Row] = []
    var published: [Row] = []
    var claims: [(claim: RequestClaim, row: Row)] = []

    init(_ batch: CommitBatch) throws(StoreError) {
        lanes = batch.lanes
        for write in batch.writes {
            let key = write.summary.key
            let row = Row(
                write: write, namespace: try requireUUID(key.namespace.uuid, "namespace id"),
                run: try requireUUID(key.run.uuid, "run id"),
                firstRun: try requireUUID(write.summary.firstRunID.uuid, "first run id"),
                supersedes: try write.supersedes.map { run throws(StoreError) in
                    try requireUUID(run.uuid, "superseded run id")
                })
            if write.expectedVersion == nil {
                starts.append(row)
            } else {
                updates.append(row)
                if write.events.contains(where: Self.changesAttributes) { attributeUpdates.append(row) }
            }
            if !write.events.isEmpty { withEvents.append(row) }
            if !write.attempts.isEmpty { withAttempts.append(row) }
            if write.outboxSequence != nil, !write.events.isEmpty { published.append(row) }
            if let claim = write.claim { claims.append((claim, row)) }
        }
        // Batches of different partitions may claim the same keys: one order for all of them keeps deadlocks away.
        claims.sort { ($0.claim.scope, $0.claim.key) < ($1.claim.scope, $1.claim.key) }
    }

    /// UpsertWorkflowSearchAttributes and WorkflowPropertiesModified: the only events that touch memo or search attributes.
    private static func changesAttributes(_ event: StoredEvent) -> Bool { event.type == 40 || event.type == 46 }

    /// Keys that two writes of this batch claim: the statement could not take them, so they are found before it is sent.
    var doublyClaimed: [RunKey] {
        var losers: [RunKey] = []
        for (before, after) in zip(claims, claims.dropFirst())
        where before.claim.scope == after.claim.scope && before.claim.key == after.claim.key {
            losers.append(after.row.write.summary.key)
        }
        return losers
    }

    /// The statements, in the order in which they must run; one pipeline.
    func calls() -> [StatementCall] {
        var calls = [expectLeases]
        let followers = starts.filter { $0.supersedes != nil }
        if !followers.isEmpty { calls.append(supersedeCall(followers)) }
        if !updates.isEmpty { calls.append(updateCall) }
        if !attributeUpdates.isEmpty { calls.append(attributesCall) }
        if !starts.isEmpty { calls.append(insertCall) }
        if !withEvents.isEmpty { calls.append(eventsCall) }
        if !withAttempts.isEmpty { calls.append(attemptsCall) }
        if !published.isEmpty { calls.append(outboxCall) }
        calls += searchCalls
        if let countCall { calls.append(countCall) }
        if !claims.isEmpty { calls += [claimCall, operationsCall] }
        return calls
    }

    private var expectLeases: StatementCall {
        RunStatements.expectLeases.call {
            $0.column(of: .int2, lanes) { $0.int16($1.lane) }
            $0.column(of: .int8, lanes) { $0.int64($1.epoch) }
        }
    }

    private func supersedeCall(_ followers: [Row]) -> StatementCall {
        RunStatements.supersede.call {
            $0.column(of: .int2, followers) { $0.int16($1.write.slot) }
            $0.column(of: .uuid, followers) { $0.uuid($1.supersedes) }
            $0.int64(Int64(followers.count))
        }
    }

    private var insertCall: StatementCall {
        RunStatements.insert.call {
            $0.column(of: .int2, starts) { $0.int16($1.write.slot) }
            $0.column(of: .uuid, starts) { $0.uuid($1.namespace) }
            $0.column(of: .uuid, starts) { $0.uuid($1.run) }
            $0.column(of: .uuid, starts) { $0.uuid($1.firstRun) }
            $0.column(of: .text, starts) { $0.text($1.write.summary.key.workflow.value) }
            $0.column(of: .text, starts) { $0.text($1.write.summary.workflowType) }
            $0.column(of: .text, starts) { $0.text($1.write.summary.taskQueue.value) }
            $0.column(of: .text, starts) { $0.text($1.write.summary.startRequestID.value) }
            $0.column(of: .int8, starts) { $0.int64($1.write.summary.startTime.nanoseconds) }
            $0.column(of: .int8, starts) { $0.int64($1.write.summary.executionTime.nanoseconds) }
            $0.column(of: .bytea, starts) { $0.bytea($1.write.summary.memo?.bytes) }
            $0.column(of: .bytea, starts) { $0.bytea($1.write.summary.searchAttributes?.bytes) }
            $0.column(of: .text, starts) { $0.text($1.write.summary.parent?.workflow.value) }
            $0.column(of: .uuid, starts) { $0.uuid($1.write.summary.parent?.run?.uuid) }
            $0.column(of: .text, starts) { $0.text($1.write.summary.root?.workflow.value) }
            $0.column(of: .uuid, starts) { $0.uuid($1.write.summary.root?.run?.uuid) }
            putState(&$0, starts)
        }
    }

    private var updateCall: StatementCall {
        RunStatements.update.call {
            $0.column(of: .int2, updates) { $0.int16($1.write.slot) }
            $0.column(of: .uuid, updates) { $0.uuid($1.run) }
            $0.column(of: .int8, updates) { $0.int64($1.write.expectedVersion) }
            putState(&$0, updates)
            $0.int64(Int64(updates.count))
        }
    }

    /// The columns that each transition writes, in the order that `insert` and `update` share.
    private func putState(_ parameters: inout Parameters, _ rows: [Row]) {
        parameters.column(of: .int2, rows) { $0.int16(Int16($1.write.summary.status.rawValue)) }
        parameters.column(of: .int8, rows) { $0.int64($1.write.summary.closeTime?.nanoseconds) }
        parameters.column(of: .int8, rows) { $0.int64($1.write.summary.historyLength) }
        parameters.column(of: .int8, rows) { $0.int64($1.write.summary.historySizeBytes) }
        parameters.column(of: .int8, rows) { $0.int64($1.write.wakeAt?.nanoseconds) }
        parameters.column(of: .bytea, rows) { $0.bytea($1.write.snapshot) }
    }

    private var attributesCall: StatementCall {
        RunStatements.updateAttributes.call {
            $0.column(of: .int2, attributeUpdates) { $0.int16($1.write.slot) }
            $0.column(of: .uuid, attributeUpdates) { $0.uuid($1.run) }
            $0.column(of: .bytea, attributeUpdates) { $0.bytea($1.write.summary.memo?.bytes) }
            $0.column(of: .bytea, attributeUpdates) { $0.bytea($1.write.summary.searchAttributes?.bytes) }
        }
    }
}
