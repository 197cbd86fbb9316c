import Postgres

/// The SQL of dead letters.
enum DeadLetterStatements {
    /// Parameters 1 to 8 of every statement that selects by a filter.
    private static let filter = """
        (cardinality($1::text[]) = 0 or e.id::text = any($1::text[]))
        and ($2::text is null or e.source = $2::text) and ($3::text is null or e.tenant = $3::text)
        and ($4::text is null or e.code = $4::text) and ($5::text is null or e.class = $5::text)
        and ($6::text is null or e.state = $6::text)
        and ($7::float8 is null or e.last_at >= to_timestamp($7::float8))
        and ($8::text is null or strpos(e.key || ' ' || e.message || ' ' || e.workflow_id, $8::text) > 0)
        """

    private static let columns = """
        e.id::text, e.source, e.tenant, e.key, e.class, e.code, e.message, e.attempts::text, e.payload_ref, e.workflow_id,
        extract(epoch from e.first_at)::float8, extract(epoch from e.last_at)::float8, e.state, e.redrive_count,
        e.is_outcome_known, e.redriven_as, e.note, (extract(epoch from e.last_at) * 1000000)::int8
        """

    static let list = Statement(
        "dlq_list",
        """
        select \(columns) from wf_dlq.dlq_entry e
        where \(filter)
            and ($9::int8 is null
                or (e.last_at, e.id) < (timestamptz 'epoch' + $9::int8 * interval '1 microsecond', $10::uuid))
        order by e.last_at desc, e.id desc limit $11::int4
        """)

    static let show = Statement("dlq_show", "select \(columns) from wf_dlq.dlq_entry e where e.id = $1::uuid")

    static let stats = Statement(
        "dlq_stats",
        """
        select source, code, state, count(*)::int8, extract(epoch from min(last_at))::float8 from wf_dlq.dlq_entry
        group by source, code, state order by source, code, state
        """)

    static let gauges = Statement(
        "dlq_gauges",
        """
        select source, count(*)::int8, greatest(0, extract(epoch from clock_timestamp() - min(last_at)))::float8
        from wf_dlq.dlq_entry where state in ('PARKED', 'REDRIVING') group by source order by source
        """)

    /// Rows are never deleted, so these only grow.
    static let parkedByCode = Statement(
        "dlq_parked_by_code",
        "select source, code, count(*)::int8 from wf_dlq.dlq_entry group by source, code order by source, code limit 1000"
    )

    static let preview = Statement(
        "dlq_preview",
        """
        select e.code, count(*)::int8, extract(epoch from min(e.last_at))::float8,
            count(*) filter (where e.redrive_count >= $9::int4)::int8
        from wf_dlq.dlq_entry e where \(filter) group by e.code order by e.code
        """)

    // MARK: Redriving

    static let openJob = Statement(
        "dlq_open_job",
        """
        insert into wf_dlq.redrive_job (id, source, workflow_id, filter, overrides, per_second, reason, actor)
        values ($1::text, $2::text, $3::text, $4::text::jsonb, $5::text::jsonb, $6::float8, $7::text, $8::text)
        on conflict (id) do nothing returning id
        """)

    /// Entries whose job is over are free again.
    static let claimForJob = Statement(
        "dlq_claim_for_job",
        """
        with chosen as (
            select e.id from wf_dlq.dlq_entry e
            where \(filter) and e.state = 'PARKED' and ($9::bool or e.redrive_count < $10::int4)
            order by e.first_at, e.id limit $11::int4 for update)
        update wf_dlq.dlq_entry t set redrive_job = $12::text from chosen where t.id = chosen.id
        """)

    static let setJobTotal = Statement(
        "dlq_set_job_total",
        """
        update wf_dlq.redrive_job set total =
            (select count(*) from wf_dlq.dlq_entry where redrive_job = $1::text)
        where id = $1::text returning total
        """)

    static let jobTotal = Statement(
        "dlq_job_total", "select total from wf_dlq.redrive_job where id = $1::text")

    /// The next entries of a running job: those that an attempt before left half done come first.
    static let nextOfJob = Statement(
        "dlq_next_of_job",
        """
        select \(columns) from wf_dlq.dlq_entry e
        where e.redrive_job = $1::text and e.state in ('PARKED', 'REDRIVING')
            and (e.state = 'REDRIVING' or ($3::bool
                and exists (select from wf_dlq.redrive_job j where j.id = $1::text and j.state = 'RUNNING')))
        order by (e.state = 'PARKED'), e.first_at, e.id limit $2::int4
        """)

    /// Says which workflow an entry becomes, before it is started; a repeated try keeps the name.
    static let takeUp = Statement(
        "dlq_take_up",
        """
        update wf_dlq.dlq_entry e set state = 'REDRIVING', redriven_as = $3::text, changed_at = clock_timestamp()
        where e.id = $1::uuid and e.redrive_job = $2::text
            and (e.state = 'REDRIVING' or (e.state = 'PARKED'
                and exists (select from wf_dlq.redrive_job j where j.id = $2::text and j.state = 'RUNNING' for share)))
        returning e.redriven_as
        """)

    static let markRedriven = Statement(
        "dlq_mark_redriven",
        """
        update wf_dlq.dlq_entry set state = 'REDRIVEN', redrive_count = redrive_count + 1, changed_at = clock_timestamp()
        where id = $1::uuid and state = 'REDRIVING'
        """)

    static let putBack = Statement(
        "dlq_put_back",
        """
        update wf_dlq.dlq_entry set state = 'PARKED', redrive_job = null, redriven_as = null, note = $2::text,
            changed_at = clock_timestamp()
        where id = $1::uuid and state = 'REDRIVING'
        """)

    static let countFailed = Statement(
        "dlq_count_failed", "update wf_dlq.redrive_job set failed = failed + 1 where id = $1::text")

    static let closeJob = Statement(
        "dlq_close_job",
        """
        update wf_dlq.redrive_job set state = $2::text, ended_at = clock_timestamp()
        where id = $1::text and state = 'RUNNING'
        """)

    static let freeEntries = Statement(
        "dlq_free_entries",
        "update wf_dlq.dlq_entry set redrive_job = null where redrive_job = $1::text and state = 'PARKED'")

    static let closeStaleJobs = Statement(
        "dlq_close_stale_jobs",
        """
        update wf_dlq.redrive_job set state = 'CANCELED', ended_at = clock_timestamp()
        where source = $1::text and id <> $2::text and state = 'RUNNING'
        """)

    static let freeStaleEntries = Statement(
        "dlq_free_stale_entries",
        """
        update wf_dlq.dlq_entry e set redrive_job = null from wf_dlq.redrive_job j
        where j.source = $1::text and j.id <> $2::text and j.state = 'RUNNING' and e.redrive_job = j.id
            and e.state = 'PARKED'
        """)

    static let jobProgress = Statement(
        "dlq_job_progress",
        """
        select (select count(*) from wf_dlq.dlq_entry e where e.redrive_job = j.id
                and e.state not in ('PARKED', 'REDRIVING'))::int8, j.failed
        from wf_dlq.redrive_job j where j.id = $1::text
        """)

    static let jobs = Statement(
        "dlq_jobs",
        """
        select j.id, j.source, j.workflow_id, j.per_second, j.state, j.total, j.failed, j.reason, j.actor,
            extract(epoch from j.created_at)::float8, extract(epoch from j.ended_at)::float8,
            (select count(*) from wf_dlq.dlq_entry e where e.redrive_job = j.id and e.state <> 'PARKED'
                and e.state <> 'REDRIVING')::int8
        from wf_dlq.redrive_job j where ($1::text is null or j.id = $1::text)
        order by j.created_at desc limit $2::int4
        """)

    // MARK: Settling

    static let resolve = Statement(
        "dlq_resolve",
        """
        update wf_dlq.dlq_entry set state = 'RESOLVED', note = $2::text, changed_at = clock_timestamp()
        where id = $1::uuid and state in ('PARKED', 'REDRIVEN') and redrive_job is null
        returning tenant, workflow_id, namespace
        """)

    static let askPurge = Statement(
        "dlq_ask_purge",
        """
        insert into wf_dlq.purge_request (filter, reason, requested_by)
        values ($1::text::jsonb, $2::text, $3::text) returning id::text
        """)

    static let purgeRequest = Statement(
        "dlq_purge_request",
        """
        select filter::text, requested_by, approved_by, purged from wf_dlq.purge_request where id = $1::uuid for update
        """)

    /// The row stays, for the books; what it holds about the failure goes.
    static let purge = Statement(
        "dlq_purge",
        """
        update wf_dlq.dlq_entry e set state = 'PURGED', attempts = '[]', message = '', payload_ref = '', note = $9::text,
            changed_at = clock_timestamp()
        where \(filter) and e.state in ('PARKED', 'RESOLVED', 'REDRIVEN')
            and (e.redrive_job is null or e.state <> 'PARKED')
        """)

    static let endPurge = Statement(
        "dlq_end_purge",
        """
        update wf_dlq.purge_request set approved_by = $2::text, approved_at = clock_timestamp(), purged = $3::int4
        where id = $1::uuid
        """)

    static let publish = Statement(
        "dlq_publish",
        """
        select outbox.publish($1::text, 'dlq', $2::text, $3::text, $4::text::jsonb, $5::text, $6::text, $7::text)::text
        """)

    /// The request of a notification, for its next run.
    static let notificationRequest = Statement(
        "dlq_notification_request",
        "select request::text from wf_ntf.notification where tenant = $1::text and id = $2::text")
}
