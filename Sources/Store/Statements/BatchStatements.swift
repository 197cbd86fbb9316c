import Postgres

/// Statements over `aloft.batch_operations` and `aloft.batch_targets`.
enum BatchStatements {
    static let insert = Statement(
        "batches_insert",
        """
        insert into aloft.batch_operations (
            version, slot, namespace_id, job_id, start_time, close_time, state, snapshot)
        values (1, $1::int2, $2::uuid, $3::text, $4::int8, $5::int8, $6::int2, $7::bytea)
        """)

    static let update = Statement(
        "batches_update",
        """
        with changed as (
            update aloft.batch_operations
            set version = version + 1, close_time = $5::int8, state = $6::int2, snapshot = $7::bytea
            where slot = $1::int2 and namespace_id = $2::uuid and job_id = $3::text and version = $4::int8
            returning 1)
        select aloft.expect_rows((select count(*) from changed), 1, 'AL001')
        """)

    /// A run that was found twice is kept once.
    static let addTargets = Statement(
        "batches_add_targets",
        """
        insert into aloft.batch_targets (slot, namespace_id, job_id, ordinal, workflow_id, run_id)
        select $1::int2, $2::uuid, $3::text, i.* from unnest($4::int8[], $5::text[], $6::uuid[]) as i
        on conflict do nothing
        """)

    static let removeTargets = Statement(
        "batches_remove_targets",
        "delete from aloft.batch_targets where slot = $1::int2 and namespace_id = $2::uuid and job_id = $3::text")

    private static let columns = "namespace_id, job_id, version, snapshot"

    static let load = Statement(
        "batches_load",
        """
        select \(columns) from aloft.batch_operations
        where slot = $1::int2 and namespace_id = $2::uuid and job_id = $3::text
        """)

    static let open = Statement(
        "batches_open",
        """
        select \(columns) from aloft.batch_operations where close_time is null and slot between $1::int2 and $2::int2
        """)

    static let targets = Statement(
        "batches_targets",
        """
        select ordinal, workflow_id, run_id from aloft.batch_targets
        where slot = $1::int2 and namespace_id = $2::uuid and job_id = $3::text and ordinal > $4::int8
        order by ordinal limit $5::int8
        """)

    static let countTargets = Statement(
        "batches_count_targets",
        """
        select count(*) from aloft.batch_targets
        where slot = $1::int2 and namespace_id = $2::uuid and job_id = $3::text
        """)

    static let list = Statement(
        "batches_list",
        """
        select \(columns) from aloft.batch_operations
        where namespace_id = $1::uuid and (start_time, job_id) < ($2::int8, $3::text)
        order by start_time desc, job_id desc limit $4::int8
        """)

    static let listFirst = Statement(
        "batches_list_first",
        """
        select \(columns) from aloft.batch_operations where namespace_id = $1::uuid
        order by start_time desc, job_id desc limit $2::int8
        """)

    static let all = [
        insert, update, addTargets, removeTargets, load, open, targets, countTargets, list, listFirst,
    ]
}
