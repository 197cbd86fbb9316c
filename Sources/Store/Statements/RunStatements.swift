import Postgres

/// Statements over `aloft.runs`, `aloft.events` and `aloft.activity_attempts`.
enum RunStatements {
    /// First in every commit: holds the lanes' leases until the commit is over.
    static let expectLeases = Statement("leases_expect", "select aloft.expect_leases($1::int2[], $2::int8[])")

    static let supersede = Statement(
        "runs_supersede",
        """
        with changed as (
            update aloft.runs r set is_current = false
            from unnest($1::int2[], $2::uuid[]) as i (slot, run_id)
            where r.slot = i.slot and r.run_id = i.run_id and r.is_current
            returning 1)
        select aloft.expect_rows((select count(*) from changed), $3::int8, 'AL004')
        """)

    static let insert = Statement(
        "runs_insert",
        """
        insert into aloft.runs (
            version, is_current, slot, namespace_id, run_id, first_run_id, workflow_id, workflow_type, task_queue, start_request_id,
            start_time, execution_time, memo, search_attributes, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id,
            status, close_time, history_length, history_size, wake_at, snapshot)
        select 1, true, i.* from unnest(
            $1::int2[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int8[], $10::int8[],
            $11::bytea[], $12::bytea[], $13::text[], $14::uuid[], $15::text[], $16::uuid[],
            $17::int2[], $18::int8[], $19::int8[], $20::int8[], $21::int8[], $22::bytea[]) as i
        """)

    static let update = Statement(
        "runs_update",
        """
        with changed as (
            update aloft.runs r set
                version = r.version + 1, status = i.status, close_time = i.close_time, history_length = i.history_length,
                history_size = i.history_size, wake_at = i.wake_at, snapshot = i.snapshot
            from unnest($1::int2[], $2::uuid[], $3::int8[], $4::int2[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::bytea[])
                as i (slot, run_id, version, status, close_time, history_length, history_size, wake_at, snapshot)
            where r.slot = i.slot and r.run_id = i.run_id and r.version = i.version
            returning 1)
        select aloft.expect_rows((select count(*) from changed), $10::int8, 'AL001')
        """)

    /// Only for the few transitions that changed them: rewriting large values each time would cost more than all the rest.
    static let updateAttributes = Statement(
        "runs_update_attributes",
        """
        update aloft.runs r set memo = i.memo, search_attributes = i.search_attributes
        from unnest($1::int2[], $2::uuid[], $3::bytea[], $4::bytea[]) as i (slot, run_id, memo, search_attributes)
        where r.slot = i.slot and r.run_id = i.run_id
        """)

    static let insertEvents = Statement(
        "events_insert",
        """
        insert into aloft.events (slot, run_id, event_id, type, time, actor, hash, body)
        select * from unnest(
            $1::int2[], $2::uuid[], $3::int8[], $4::int2[], $5::int8[], $6::text[], $7::bytea[], $8::bytea[])
        """)

    static let insertAttempts = Statement(
        "attempts_insert",
        """
        insert into aloft.activity_attempts (
            slot, run_id, scheduled_event_id, activity_id, attempt, scheduled_at, started_at, ended_at, retry_at, identity, outcome,
            failure_type, failure)
        select * from unnest(
            $1::int2[], $2::uuid[], $3::int8[], $4::text[], $5::int4[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::text[],
            $11::int2[], $12::text[], $13::bytea[])
        """)

    static let insertOutbox = Statement(
        "outbox_insert",
        """
        insert into aloft.outbox (lane, seq, slot, run_id, first_event_id, last_event_id)
        select * from unnest($1::int2[], $2::int8[], $3::int2[], $4::uuid[], $5::int8[], $6::int8[])
        """)

    // MARK: After a refused commit: who lost

    static let findChanged = Statement(
        "runs_find_changed",
        """
        select i.ordinal from unnest($1::int2[], $2::uuid[], $3::int8[]) with ordinality as i (slot, run_id, version, ordinal)
        where not exists (
            select from aloft.runs r where r.slot = i.slot and r.run_id = i.run_id and r.version = i.version)
        """)

    /// Starts that cannot be: the run exists, or another run than the one to follow is current.
    static let findExisting = Statement(
        "runs_find_existing",
        """
        select i.ordinal
        from unnest($1::int2[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[]) with ordinality
            as i (slot, namespace_id, workflow_id, run_id, supersedes, ordinal)
        where exists (select from aloft.runs r where r.slot = i.slot and r.run_id = i.run_id)
            or (select r.run_id from aloft.runs r
                where r.slot = i.slot and r.namespace_id = i.namespace_id and r.workflow_id = i.workflow_id and r.is_current)
                is distinct from i.supersedes
        """)

    /// Lanes that are not held any more under the epochs that the batch named.
    static let findLost = Statement(
        "lanes_find_lost",
        """
        select i.lane from unnest($1::int2[], $2::int8[]) as i (lane, epoch)
        where not exists (select from aloft.lanes l where l.lane = i.lane and l.epoch = i.epoch)
        """)

    // MARK: Reading

    /// What ``SummaryRow`` decodes, in its order.
    static let summaryColumns = """
        r.namespace_id, r.workflow_id, r.run_id, r.first_run_id, r.workflow_type, r.task_queue, r.status, r.start_time,
        r.execution_time, r.close_time, r.history_length, r.history_size, r.start_request_id, r.memo, r.search_attributes,
        r.parent_workflow_id, r.parent_run_id, r.root_workflow_id, r.root_run_id, r.version
        """

    private static let stored = """
        \(summaryColumns), r.version, r.is_current, r.snapshot,
            coalesce((select e.hash from aloft.events e where e.slot = r.slot and e.run_id = r.run_id
                      order by e.event_id desc limit 1), '') as last_hash
        """

    /// The ordinal comes last.
    static let loadCurrent = Statement(
        "runs_load_current",
        """
        select \(stored), i.ordinal
        from unnest($1::int2[], $2::uuid[], $3::text[]) with ordinality as i (slot, namespace_id, workflow_id, ordinal)
        join aloft.runs r on r.slot = i.slot and r.namespace_id = i.namespace_id and r.workflow_id = i.workflow_id and r.is_current
        """)

    static let load = Statement(
        "runs_load",
        """
        select \(stored) from aloft.runs r
        where r.slot = $1::int2 and r.run_id = $4::uuid and r.namespace_id = $2::uuid and r.workflow_id = $3::text
        """)

    private static let eventColumns = "select event_id, type, time, actor, body, hash from aloft.events"

    static let readEvents = Statement(
        "events_read",
        """
        \(eventColumns) where slot = $1::int2 and run_id = $2::uuid and event_id between $3::int8 and $4::int8
        order by event_id limit $5::int8
        """)

    static let readEventsNewestFirst = Statement(
        "events_read_newest_first",
        """
        \(eventColumns) where slot = $1::int2 and run_id = $2::uuid and event_id between $3::int8 and $4::int8
        order by event_id desc limit $5::int8
        """)

    static let readAttempts = Statement(
        "attempts_read",
        """
        select scheduled_event_id, activity_id, attempt, scheduled_at, started_at, ended_at, identity, outcome, failure, retry_at
        from aloft.activity_attempts where slot = $1::int2 and run_id = $2::uuid order by id limit $3::int8
        """)

    static let toWake = Statement(
        "runs_to_wake",
        """
        select namespace_id, workflow_id, run_id, slot, wake_at from aloft.runs
        where wake_at <= $3::int8 and slot between $1::int2 and $2::int2
            and (wake_at, slot, run_id) > ($4::int8, $5::int2, $6::uuid)
        order by wake_at, slot, run_id limit $7::int8
        """)

    static let all = [
        expectLeases, supersede, insert, update, updateAttributes, insertEvents, insertAttempts, insertOutbox,
        findChanged, findExisting, findLost,
        loadCurrent, load, readEvents, readEventsNewestFirst, readAttempts, toWake,
    ]
}
