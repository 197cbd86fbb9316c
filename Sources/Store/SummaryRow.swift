import History
import Postgres
import Runtime

/// Decodes the columns of ``RunStatements/summaryColumns``.
enum SummaryRow {
    static let width = 15

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
            memo: try row.byteaOrNil(13).map { Blob($0) }, searchAttributes: try row.byteaOrNil(14).map { Blob($0) })
    }
}
