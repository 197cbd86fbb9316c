import Engine
import History
import Postgres
import Runtime

/// The append-only part of a commit: events, attempts, outbox, claims.
extension CommitPlan {
    var eventsCall: StatementCall {
        RunStatements.insertEvents.call {
            let rows = withEvents
            let count = rows.reduce(0) { $0 + $1.write.events.count }
            $0.reserve(bytes: rows.reduce(0) { $0 + $1.write.events.reduce(0) { $0 + $1.body.count + 160 } })
            Self.events(of: .int2, &$0, count, rows) { parameters, row, _ in parameters.int16(row.write.slot) }
            Self.events(of: .uuid, &$0, count, rows) { parameters, row, _ in parameters.uuid(row.run) }
            Self.events(of: .int8, &$0, count, rows) { $0.int64($2.id.value) }
            Self.events(of: .int2, &$0, count, rows) { $0.int16(Int16(truncatingIfNeeded: $2.type)) }
            Self.events(of: .int8, &$0, count, rows) { $0.int64($2.time.nanoseconds) }
            Self.events(of: .text, &$0, count, rows) { $0.text(Self.journalText($2.actor)) }
            Self.events(of: .bytea, &$0, count, rows) { $0.bytea($2.hash) }
            Self.events(of: .bytea, &$0, count, rows) { $0.bytea($2.body) }
        }
    }

    /// Text that only people read: what Postgres cannot keep in text is shown as unreadable, and loses no commit.
    private static func journalText(_ text: String) -> String {
        text.utf8.contains(0) ? text.replacing("\0", with: "\u{FFFD}") : text
    }

    private static func events(
        of type: PostgresType, _ parameters: inout Parameters, _ count: Int, _ rows: [Row],
        _ put: (inout Parameters, Row, StoredEvent) -> Void
    ) {
        parameters.array(of: type, count: count) { parameters in
            for row in rows {
                for event in row.write.events { put(&parameters, row, event) }
            }
        }
    }

    private static func attempts(
        of type: PostgresType, _ parameters: inout Parameters, _ count: Int, _ rows: [Row],
        _ put: (inout Parameters, Row, ActivityAttempt) -> Void
    ) {
        parameters.array(of: type, count: count) { parameters in
            for row in rows {
                for attempt in row.write.attempts { put(&parameters, row, attempt) }
            }
        }
    }

    var attemptsCall: StatementCall {
        RunStatements.insertAttempts.call {
            let rows = withAttempts
            let count = rows.reduce(0) { $0 + $1.write.attempts.count }
            Self.attempts(of: .int2, &$0, count, rows) { parameters, row, _ in parameters.int16(row.write.slot) }
            Self.attempts(of: .uuid, &$0, count, rows) { parameters, row, _ in parameters.uuid(row.run) }
            Self.attempts(of: .int8, &$0, count, rows) { $0.int64($2.scheduledEventID.value) }
            Self.attempts(of: .text, &$0, count, rows) { $0.text($2.activityID.value) }
            Self.attempts(of: .int4, &$0, count, rows) { $0.int32($2.attempt) }
            Self.attempts(of: .int8, &$0, count, rows) { $0.int64($2.scheduledAt.nanoseconds) }
            Self.attempts(of: .int8, &$0, count, rows) { $0.int64($2.startedAt?.nanoseconds) }
            Self.attempts(of: .int8, &$0, count, rows) { $0.int64($2.endedAt.nanoseconds) }
            Self.attempts(of: .int8, &$0, count, rows) { $0.int64($2.retryAt?.nanoseconds) }
            Self.attempts(of: .text, &$0, count, rows) { $0.text(Self.journalText($2.identity)) }
            Self.attempts(of: .int2, &$0, count, rows) { $0.int16(Int16($2.outcome.rawValue)) }
            Self.attempts(of: .text, &$0, count, rows) { $0.text($2.failure.map { Self.journalText($0.traits.type) }) }
            Self.attempts(of: .bytea, &$0, count, rows) { $0.bytea($2.failure.map(FailureCodec.encode)) }
        }
    }

    var outboxCall: StatementCall {
        RunStatements.insertOutbox.call {
            $0.column(of: .int2, published) { $0.int16($1.write.lane) }
            $0.column(of: .int8, published) { $0.int64($1.write.outboxSequence) }
            $0.column(of: .int2, published) { $0.int16($1.write.slot) }
            $0.column(of: .uuid, published) { $0.uuid($1.run) }
            $0.column(of: .int8, published) { $0.int64($1.write.events.first?.id.value) }
            $0.column(of: .int8, published) { $0.int64($1.write.events.last?.id.value) }
        }
    }

    var claimCall: StatementCall {
        RequestStatements.claim.call {
            $0.column(of: .text, claims) { $0.text($1.claim.scope) }
            $0.column(of: .text, claims) { $0.text($1.claim.key) }
            $0.column(of: .text, claims) { $0.text($1.claim.operationID) }
            $0.column(of: .int8, claims) { $0.int64($1.claim.expiresAt.nanoseconds) }
            $0.int64(Int64(claims.count))
        }
    }

    var operationsCall: StatementCall {
        RequestStatements.insertOperations.call {
            $0.column(of: .text, claims) { $0.text($1.claim.operationID) }
            $0.column(of: .text, claims) { $0.text($1.claim.operationKind) }
            $0.column(of: .text, claims) { $0.text($1.claim.scope) }
            $0.column(of: .text, claims) { $0.text($1.claim.key) }
            $0.column(of: .bytea, claims) { $0.bytea($1.claim.fingerprint) }
            $0.column(of: .int8, claims) { $0.int64($1.claim.createdAt.nanoseconds) }
            $0.column(of: .int8, claims) { $0.int64($1.claim.expiresAt.nanoseconds) }
            $0.column(of: .uuid, claims) { $0.uuid($1.row.namespace) }
            $0.column(of: .text, claims) { $0.text($1.row.write.summary.key.workflow.value) }
            $0.column(of: .uuid, claims) { $0.uuid($1.row.run) }
        }
    }
}
