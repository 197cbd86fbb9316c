import Postgres

/// Lists and counts over `aloft.runs`. A null parameter does not filter.
enum VisibilityStatements {
    private static let filter = """
        ($2::text is null or starts_with(r.workflow_id, $2::text)) and ($3::text is null or r.workflow_type = $3::text)
        and ($4::int2 is null or r.status = $4::int2)
        """

    private static let position = "(coalesce(r.close_time, 9223372036854775807), r.start_time, r.run_id)"
    private static let order = "coalesce(r.close_time, 9223372036854775807) desc, r.start_time desc, r.run_id desc"

    /// Walks the index `runs_listed` backwards from the last row of the page before.
    private static let listText = """
        select \(RunStatements.summaryColumns) from aloft.runs r
        where r.namespace_id = $1::uuid and \(filter) and \(position) < ($5::int8, $6::int8, $7::uuid)
        """
    private static let listWorkflowText = """
        select \(RunStatements.summaryColumns) from (
            select * from aloft.runs where slot = $10::int2 and namespace_id = $1::uuid and workflow_id = $9::text and is_current
            union all
            select * from aloft.runs where slot = $10::int2 and namespace_id = $1::uuid and workflow_id = $9::text and not is_current) r
        where \(filter) and \(position) < ($5::int8, $6::int8, $7::uuid)
        """
    private static let page = "order by \(order) limit $8::int8"

    private static let matchingText = "from aloft.runs r where r.namespace_id = $1::uuid and \(filter)"
    private static let matchingWorkflowText = """
        from aloft.runs r
        where r.slot = $6::int2 and r.namespace_id = $1::uuid and r.workflow_id = $5::text and \(filter)
        """

    static let list = Statement("runs_list", "\(listText) \(page)")
    /// All runs of one workflow id: the current one and those before it.
    static let listWorkflow = Statement("runs_list_workflow", "\(listWorkflowText) \(page)")
    static let count = Statement("runs_count", "select count(*) \(matchingText)")
    static let countWorkflow = Statement("runs_count_workflow", "select count(*) \(matchingWorkflowText)")
    static let countByStatus = Statement(
        "runs_count_by_status", "select r.status, count(*) \(matchingText) group by r.status order by r.status")
    static let countWorkflowByStatus = Statement(
        "runs_count_workflow_by_status",
        "select r.status, count(*) \(matchingWorkflowText) group by r.status order by r.status")

    static let all = [list, listWorkflow, count, countWorkflow, countByStatus, countWorkflowByStatus]

    // With one more condition, whose parameters come last. Made for one question, so parsed anew with each call.

    static let listParameterCount = 8
    static let countParameterCount = 4
    /// The workflow id and its slot.
    static let workflowParameterCount = 2

    static func list(ofOneWorkflow: Bool, where condition: String) -> Statement {
        Statement("", "\(ofOneWorkflow ? listWorkflowText : listText) and (\(condition)) \(page)")
    }

    static func count(ofOneWorkflow: Bool, where condition: String) -> Statement {
        Statement("", "select count(*) \(ofOneWorkflow ? matchingWorkflowText : matchingText) and (\(condition))")
    }

    static func countByStatus(ofOneWorkflow: Bool, where condition: String) -> Statement {
        Statement(
            "",
            "select r.status, count(*) \(ofOneWorkflow ? matchingWorkflowText : matchingText) and (\(condition)) "
                + "group by r.status order by r.status")
    }
}
