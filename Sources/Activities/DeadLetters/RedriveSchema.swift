/// What redriving and purging dead letters need beside the entries; applied after ``DeadLetterSchema`` and the families' tables.
public enum RedriveSchema {
    public static let sql = """
        -- The job that took an entry on.
        alter table wf_dlq.dlq_entry add column if not exists redrive_job text;
        create index if not exists dlq_entry_by_job on wf_dlq.dlq_entry (redrive_job, first_at, id)
            where redrive_job is not null;
        create index if not exists dlq_entry_newest on wf_dlq.dlq_entry (last_at, id);

        create table if not exists wf_dlq.redrive_job (
            id text primary key,
            source text not null,
            workflow_id text not null,
            filter jsonb not null,
            overrides jsonb not null default '{}',
            per_second float8 not null check (per_second > 0),
            -- RUNNING, COMPLETED, CANCELED
            state text not null default 'RUNNING',
            total int not null default 0,
            -- Entries that could not be started again; they are parked as before.
            failed int not null default 0,
            reason text not null,
            actor text not null,
            created_at timestamptz not null default clock_timestamp(),
            ended_at timestamptz
        );
        create unique index if not exists redrive_job_active on wf_dlq.redrive_job (source) where state = 'RUNNING';

        -- Purging takes two people: one asks, another approves.
        create table if not exists wf_dlq.purge_request (
            id uuid primary key default gen_random_uuid(),
            filter jsonb not null,
            reason text not null,
            requested_by text not null,
            requested_at timestamptz not null default clock_timestamp(),
            approved_by text check (approved_by <> requested_by),
            approved_at timestamptz,
            purged int
        );
        """
}
