import Postgres

/// Statements over `aloft.search_values` and `aloft.run_counts`: what lists and counts find runs by.
enum SearchStatements {
    static let remove = Statement(
        "search_values_remove",
        """
        delete from aloft.search_values v using unnest($1::int2[], $2::uuid[]) as i (slot, run_id)
        where v.slot = i.slot and v.run_id = i.run_id
        """)

    static let insert = Statement(
        "search_values_insert",
        """
        insert into aloft.search_values (slot, run_id, namespace_id, start_time, closed_at, name, type, word, number, real)
        select * from unnest(
            $1::int2[], $2::uuid[], $3::uuid[], $4::int8[], $5::int8[], $6::text[], $7::int2[], $8::text[], $9::int8[],
            $10::float8[])
        """)

    /// Counts under a lane of the commit, so that no two writers meet.
    static let count = Statement(
        "run_counts_add",
        """
        insert into aloft.run_counts as c (lane, namespace_id, status, runs)
        select $1::int2, i.namespace_id, i.status, i.runs
        from unnest($2::uuid[], $3::int2[], $4::int8[]) as i (namespace_id, status, runs)
        on conflict (namespace_id, lane, status) do update set runs = c.runs + excluded.runs
        """)

    /// Runs of a division of the namespace are shown only to those who ask for it.
    private static let hidden = """
        select r.status from aloft.search_values v join aloft.runs r on r.slot = v.slot and r.run_id = v.run_id
        where v.namespace_id = $1::uuid and v.name = 'TemporalNamespaceDivision' and v.word is not null
        """

    /// Without conditions but the status: the counters know.
    static let countByStatus = Statement(
        "run_counts_read",
        """
        with shown as (
            select status, runs from aloft.run_counts where namespace_id = $1::uuid
            union all
            select h.status, -1 from (\(hidden)) h)
        select status, sum(runs)::int8 from shown where $2::int2 is null or status = $2::int2
        group by status having sum(runs) > 0 order by status
        """)

    static let all = [remove, insert, count, countByStatus]
}
