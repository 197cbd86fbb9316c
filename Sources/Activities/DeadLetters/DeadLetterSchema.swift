/// The table of dead letters, schema `wf_dlq`; applied after the engine's schema, before the families'.
public enum DeadLetterSchema {
    public static let name = "wf_dlq"

    public static let sql = """
        create schema if not exists wf_dlq;

        -- What could not be done, from every source, until a person settles it. Rows are never deleted silently.
        create table if not exists wf_dlq.dlq_entry (
            id uuid primary key default gen_random_uuid(),
            source text not null check (source in
                ('notification', 'webhook_delivery', 'outbox', 'workflow_task', 'domain')),
            namespace text not null default 'default',
            tenant text not null,
            -- What failed, once for each source.
            key text not null,
            class text not null,
            code text not null,
            message text not null,
            -- [{at, channel, provider, class, code, text}], oldest first.
            attempts jsonb not null default '[]',
            payload_ref text not null default '',
            workflow_id text not null default '',
            first_at timestamptz not null default now(),
            last_at timestamptz not null default now(),
            state text not null default 'PARKED' check (state in
                ('PARKED', 'REDRIVING', 'REDRIVEN', 'RESOLVED', 'PURGED')),
            redrive_count int not null default 0,
            -- Whether the effect is known not to have happened: only then a redrive uses a new key.
            is_outcome_known boolean not null default true,
            -- The workflow that took it up again.
            redriven_as text,
            note text not null default '',
            changed_at timestamptz not null default now(),
            unique (source, key)
        );
        create index if not exists dlq_entry_by_state on wf_dlq.dlq_entry (state, source, tenant, id);
        create index if not exists dlq_entry_by_code on wf_dlq.dlq_entry (code) where state = 'PARKED';
        """
}
