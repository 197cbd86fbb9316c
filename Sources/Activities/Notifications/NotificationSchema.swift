/// The tables of the notification family, schema `wf_ntf`; applied after the engine's schema, which brings `outbox`.
///
/// Addresses are in `user_profile` and in a notification's request only, so that erasing a subject is a matter of few rows;
/// everything else knows a subject by its name or by a hash. Every statement may run again.
public enum NotificationSchema {
    public static let name = "wf_ntf"

    /// The parts in the order in which they are applied.
    public static let sql = [notifications, templates, people, limits, receipts, batches].joined(separator: "\n")

    private static let notifications = """
        create schema if not exists wf_ntf;

        create table if not exists wf_ntf.notification (
            id text not null,
            tenant text not null,
            -- The sender's key, or the Idempotency-Key; a repeat within seven days is the same notification.
            dedup_key text,
            -- Who it is for: `user:{id}` or `addr:{hash}`.
            subject text not null,
            template text not null,
            template_version int not null,
            locale text not null default '',
            category text not null check (category in ('security', 'transactional', 'marketing')),
            priority text not null default 'normal' check (priority in ('high', 'normal', 'low')),
            channels text[] not null,
            -- The request as accepted; null once it was erased or its retention ended.
            request jsonb,
            -- ACCEPTED, SCHEDULED, SENDING, SENT, DELIVERED, SUPPRESSED, EXPIRED, CANCELED, DEAD
            state text not null default 'ACCEPTED',
            -- Why it ended as it did: no_contact, opted_out, no_consent, suppressed_address, provider_5xx, …
            reason text not null default '',
            -- The channel it left by.
            channel text,
            version bigint not null default 1,
            workflow_id text not null,
            accepted_at timestamptz not null default now(),
            sent_at timestamptz,
            ended_at timestamptz,
            updated_at timestamptz not null default now(),
            primary key (tenant, id)
        );
        create unique index if not exists notification_by_dedup_key on wf_ntf.notification (tenant, dedup_key)
            where dedup_key is not null;
        create index if not exists notification_by_subject on wf_ntf.notification (tenant, subject, accepted_at);

        -- Results of steps on our own tables, by the key of the effect.
        create table if not exists wf_ntf.op (
            op_id text primary key,
            tenant text not null,
            notification text not null,
            step text not null,
            result jsonb,
            at timestamptz not null default now()
        );

        -- One row for each outside effect: one message on one channel in one generation.
        create table if not exists wf_ntf.delivery (
            op_id text primary key,
            tenant text not null,
            notification text not null,
            channel text not null check (channel in ('email', 'sms', 'wechat')),
            generation int not null default 0,
            provider text not null,
            provider_ref text,
            -- PENDING, SENT, DELIVERED, FAILED, UNKNOWN
            state text not null default 'PENDING',
            attempts int not null default 0,
            -- SHA-256 of the address and of what was sent: the proof without the content.
            address_hash bytea not null,
            body_hash bytea,
            segments int not null default 0,
            created_at timestamptz not null default now(),
            last_attempt_at timestamptz not null default now(),
            ended_at timestamptz
        );
        create index if not exists delivery_by_notification on wf_ntf.delivery (tenant, notification);
        create index if not exists delivery_by_ref on wf_ntf.delivery (provider, provider_ref)
            where provider_ref is not null;

        create table if not exists wf_ntf.attempt (
            op_id text not null references wf_ntf.delivery on delete cascade,
            number int not null,
            provider text not null,
            started_at timestamptz not null default clock_timestamp(),
            ended_at timestamptz,
            -- Accepted, Transient, Throttled, Ambiguous, Permanent; null while it is under way, or when its worker died.
            class text,
            code text,
            -- What the provider said, without the address.
            reply text,
            -- What the workflow was told.
            outcome jsonb,
            primary key (op_id, number)
        );
        """

    private static let templates = """
        create table if not exists wf_ntf.template (
            tenant text not null,
            id text not null,
            version int not null,
            locale text not null default '',
            channel text not null check (channel in ('email', 'sms', 'wechat')),
            subject text not null default '',
            body text not null,
            html text not null default '',
            -- Names of variables that must be there, and the provider's own template for WeChat.
            schema jsonb not null default '{}',
            -- draft, active, retired
            state text not null default 'active',
            -- What happens over the cap: defer or drop.
            over_cap text not null default 'defer' check (over_cap in ('defer', 'drop')),
            created_at timestamptz not null default now(),
            primary key (tenant, id, version, locale, channel)
        );
        """

    private static let people = """
        create table if not exists wf_ntf.user_profile (
            tenant text not null,
            user_id text not null,
            email text,
            phone text,
            wechat_openid text,
            locale text not null default '',
            -- IANA name; empty: the tenant's.
            time_zone text not null default '',
            updated_at timestamptz not null default now(),
            primary key (tenant, user_id)
        );

        create table if not exists wf_ntf.tenant_setting (
            tenant text primary key,
            time_zone text not null default 'UTC',
            -- Local wall time, `22:00`; empty: no quiet hours.
            quiet_from text not null default '',
            quiet_until text not null default '',
            sender_name text not null default '',
            sender_address text not null default '',
            postal_address text not null default '',
            email_profile text not null default 'relay' check (email_profile in ('relay', 'direct'))
        );

        -- What a person chose: channel and category, `*` for all.
        create table if not exists wf_ntf.preference (
            tenant text not null,
            subject text not null,
            channel text not null default '*',
            category text not null default '*',
            is_opted_out boolean not null,
            quiet_from text not null default '',
            quiet_until text not null default '',
            updated_at timestamptz not null default now(),
            primary key (tenant, subject, channel, category)
        );

        -- Insert-only: the last row of a kind counts.
        create table if not exists wf_ntf.consent (
            id bigint generated always as identity primary key,
            tenant text not null,
            subject text not null,
            category text not null,
            is_given boolean not null,
            source text not null,
            at timestamptz not null default now()
        );
        create index if not exists consent_by_subject on wf_ntf.consent (tenant, subject, category, id desc);

        -- Addresses nothing is sent to, by SHA-256 of the normal form.
        create table if not exists wf_ntf.suppression (
            tenant text not null,
            channel text not null,
            address_hash bytea not null,
            reason text not null,
            at timestamptz not null default now(),
            primary key (tenant, channel, address_hash)
        );

        -- The key that everything about one subject is encrypted with; destroyed by erasing.
        create table if not exists wf_ntf.subject_key (
            tenant text not null,
            subject text not null,
            key_id text not null unique,
            -- Wrapped; null once destroyed.
            wrapped bytea,
            created_at timestamptz not null default now(),
            destroyed_at timestamptz,
            primary key (tenant, subject)
        );
        """

    private static let limits = """
        -- Sliding window of messages for one person on one channel in one category.
        create table if not exists wf_ntf.cap_slot (
            op_id text primary key,
            tenant text not null,
            subject text not null,
            channel text not null,
            category text not null,
            notification text not null,
            at timestamptz not null,
            released_at timestamptz
        );
        create index if not exists cap_slot_window on wf_ntf.cap_slot (tenant, subject, channel, category, at)
            where released_at is null;
        create index if not exists cap_slot_by_notification on wf_ntf.cap_slot (tenant, notification);

        -- Changes of the built-in retry table; tenant `*` is everybody.
        create table if not exists wf_ntf.retry_policy (
            tenant text not null,
            channel text not null,
            base_seconds float8,
            factor float8,
            cap_seconds float8,
            jitter float8,
            retries int,
            within_seconds float8,
            primary key (tenant, channel)
        );

        -- Who carries which channel where: the longest prefix wins, then the rank.
        create table if not exists wf_ntf.provider (
            name text primary key,
            channel text not null check (channel in ('email', 'sms', 'wechat')),
            prefix text not null default '',
            rank int not null default 0,
            per_second float8 not null default 100,
            is_enabled boolean not null default true
        );
        insert into wf_ntf.provider (name, channel, rank) values
            ('smtp', 'email', 0), ('sms-a', 'sms', 0), ('sms-b', 'sms', 1), ('wechat', 'wechat', 0)
            on conflict do nothing;
        """

    private static let receipts = """
        -- What providers reported about messages, once each.
        create table if not exists wf_ntf.receipt (
            event_id text primary key,
            tenant text not null,
            notification text not null,
            channel text not null,
            -- delivered, bounced, complained
            kind text not null,
            code text not null default '',
            bounce_type text not null default '',
            at timestamptz not null default now()
        );

        -- Undetermined bounces of an address, until they are too many.
        create table if not exists wf_ntf.bounce_count (
            tenant text not null,
            channel text not null,
            address_hash bytea not null,
            count int not null,
            primary key (tenant, channel, address_hash)
        );

        create table if not exists wf_ntf.redrive_job (
            id text primary key,
            source text not null,
            workflow_id text not null,
            filter jsonb not null default '{}',
            per_second float8 not null default 10,
            state text not null default 'RUNNING',
            total int not null default 0,
            done int not null default 0,
            reason text not null,
            actor text not null default '',
            created_at timestamptz not null default now(),
            ended_at timestamptz
        );
        """

    private static let batches = """
        create table if not exists wf_ntf.batch (
            id text primary key,
            tenant text not null,
            total int not null,
            accepted int not null default 0,
            refused int not null default 0,
            state text not null default 'RUNNING',
            created_at timestamptz not null default now()
        );
        create table if not exists wf_ntf.batch_row (
            batch text not null references wf_ntf.batch on delete cascade,
            number int not null,
            notification text,
            state text not null,
            errors jsonb,
            primary key (batch, number)
        );
        """
}
