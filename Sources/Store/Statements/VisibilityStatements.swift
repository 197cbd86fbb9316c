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
    static let list = Statement(
        "runs_list",
        """
        select \(RunStatements.summaryColumns) from aloft.runs r
        where r.namespace_id = $1::uuid and \(filter) and \(position) < ($5::int8, $6::int8, $7::uuid)
        order by \(order) limit $8::int8
        """)

    /// All runs of one workflow id: the current one and those before it.
    static let listWorkflow = Statement(
        "runs_list_workflow",
        """
        select \(RunStatements.summaryColumns) from (
            select * from aloft.runs where slot = $10::int2 and namespace_id = $1::uuid and workflow_id = $9::text and is_current
            union all
            select * from aloft.runs where slot = $10::int2 and namespace_id = $1::uuid and workflow_id = $9::text and not is_current) r
        where \(filter) and \(position) < ($5::int8, $6::int8, $7::uuid)
        order by \(order) limit $8::int8
        """)

    static let count = Statement(
        "runs_count", "select count(*) from aloft.runs r where r.namespace_id = $1::uuid and \(filter)")

    static let countWorkflow = Statement(
        "runs_count_workflow",
        """
        select count(*) from aloft.runs r
        where r.slot = $6::int2 and r.namespace_id = $1::uuid and r.workflow_id = $5::text and \(filter)
        """)

    static let all = [list, listWorkflow, count, countWorkflow]
}
