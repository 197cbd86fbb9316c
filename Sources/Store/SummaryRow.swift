import History
import Postgres
import Runtime

/// Decodes the columns of ``RunStatements/summaryColumns``.
enum SummaryRow {
    static let width = 20

    static func status(_ number: Int16) throws(PostgresError) -> WorkflowStatus {
        guard let status = WorkflowStatus(rawValue: Int32(number)) else {
            throw PostgresError(.unexpectedAnswer, reason: "unknown run status \(number)")
        }
        return status
    }

    static func decode(_ row: Row) throws(PostgresError) -> RunSummary {
        let status = try status(row.int16(6))
        return RunSummary(
            key: RunKey(
                namespace: NamespaceID(try row.uuid(0)), workflow: WorkflowID(try row.text(1)),
                run: RunID(try row.uuid(2))),
            firstRunID: RunID(try row.uuid(3)), workflowType: try row.text(4),
            taskQueue: TaskQueueName(try row.text(5)),
            status: status, startTime: Timestamp(nanoseconds: try row.int64(7)),
            executionTime: Timestamp(nanoseconds: try row.int64(8)),
            closeTime: try row.int64OrNil(9).map { Timestamp(nanoseconds: $0) }, historyLength: try row.int64(10),
            historySizeBytes: try row.int64(11), startRequestID: RequestID(try row.text(12)),
            memo: try row.byteaOrNil(13).map { Blob($0) }, searchAttributes: try row.byteaOrNil(14).map { Blob($0) },
            parent: try execution(row, 15), root: try execution(row, 17), transitionCount: try row.int64(19))
    }

    /// A workflow id and a run id; nil when there is none.
    private static func execution(_ row: Row, _ column: Int) throws(PostgresError) -> WorkflowReference? {
        guard let workflow = try row.textOrNil(column) else { return nil }
        return WorkflowReference(
            workflow: WorkflowID(workflow), run: try row.uuidOrNil(column + 1).map { RunID($0) })
    }
}
