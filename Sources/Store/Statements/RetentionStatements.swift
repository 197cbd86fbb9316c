import Postgres

/// Statements that take runs out of the store for good.
enum RetentionStatements {
    static let closed = Statement(
        "runs_closed_before",
        """
        select namespace_id, workflow_id, run_id from aloft.runs r
        where namespace_id = $1::uuid and coalesce(close_time, 9223372036854775807) <= $4::int8
            and slot between $2::int2 and $3::int2 and (wake_at is null or $4::int8 = 9223372036854775807)
        order by coalesce(close_time, 9223372036854775807) limit $5::int8
        """)

    static let forget = Statement("runs_forget", "select aloft.forget_runs($1::int2[], $2::uuid[])")

    /// Also such that wait to be looked at by their server, which is the one that asks.
    static let forgetAwake = Statement(
        "runs_forget_awake", "select aloft.forget_runs($1::int2[], $2::uuid[], true)")

    static let all = [closed, forget, forgetAwake]
}
