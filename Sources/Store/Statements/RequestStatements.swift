import Postgres

/// Statements over `aloft.requests` and `aloft.operations`.
enum RequestStatements {
    /// A key that has expired may be claimed again.
    static let claim = Statement(
        "requests_claim",
        """
        with claimed as (
            insert into aloft.requests as r (scope, key, operation_id, expires_at)
            select i.scope, i.key, i.operation_id, i.expires_at
            from unnest($1::text[], $2::text[], $3::text[], $4::int8[]) as i (scope, key, operation_id, expires_at)
            on conflict (scope, key) do update set operation_id = excluded.operation_id, expires_at = excluded.expires_at
                where r.expires_at <= aloft.now_nanoseconds()
            returning 1)
        select aloft.expect_rows((select count(*) from claimed), $5::int8, 'AL003')
        """)

    static let insertOperations = Statement(
        "operations_insert",
        """
        insert into aloft.operations (
            id, kind, scope, key, fingerprint, created_at, expires_at, namespace_id, workflow_id, run_id)
        select * from unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::int8[], $7::int8[], $8::uuid[], $9::text[], $10::uuid[])
        """)

    static let findClaimed = Statement(
        "requests_find_claimed",
        """
        select i.ordinal from unnest($1::text[], $2::text[]) with ordinality as i (scope, key, ordinal)
        join aloft.requests r on r.scope = i.scope and r.key = i.key and r.expires_at > aloft.now_nanoseconds()
        """)

    private static let columns = """
        o.scope, o.key, o.fingerprint, o.id, o.kind, o.created_at, o.expires_at, o.namespace_id, o.workflow_id, o.run_id,
        o.answer_status, coalesce(o.answer_headers, '{}'), coalesce(o.answer_body, '')
        """

    static let find = Statement(
        "requests_find",
        """
        select \(columns) from aloft.requests r join aloft.operations o on o.id = r.operation_id
        where r.scope = $1::text and r.key = $2::text and r.expires_at > aloft.now_nanoseconds()
        """)

    static let findOperation = Statement(
        "operations_find", "select \(columns) from aloft.operations o where o.id = $1::text")

    static let saveAnswer = Statement(
        "operations_save_answer",
        """
        update aloft.operations o set answer_status = $3::int4, answer_headers = $4::text[], answer_body = $5::bytea
        from aloft.requests r
        where r.scope = $1::text and r.key = $2::text and o.id = r.operation_id and o.answer_status is null
        """)

    static let all = [claim, insertOperations, findClaimed, find, findOperation, saveAnswer]
}
