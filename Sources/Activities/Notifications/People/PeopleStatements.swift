import Postgres

/// The SQL of preferences, suppressions, receipts from outside and batches.
enum PeopleStatements {
    /// The workflow that has a notification in hand: the first one, or the last that took it up again.
    static let workflow = Statement(
        "ntf_workflow", "select workflow_id from wf_ntf.notification where tenant = $1::text and id = $2::text")

    static let preferences = Statement(
        "ntf_preferences",
        """
        select channel, category, is_opted_out, quiet_from, quiet_until from wf_ntf.preference
        where tenant = $1::text and subject = $2::text order by channel, category
        """)

    static let consents = Statement(
        "ntf_consents",
        """
        select distinct on (category) category, is_given, source, extract(epoch from at)::float8 from wf_ntf.consent
        where tenant = $1::text and subject = $2::text order by category, id desc
        """)

    static let setPreference = Statement(
        "ntf_set_preference",
        """
        insert into wf_ntf.preference as p (tenant, subject, channel, category, is_opted_out, quiet_from, quiet_until)
        values ($1::text, $2::text, $3::text, $4::text, $5::bool, $6::text, $7::text)
        on conflict (tenant, subject, channel, category) do update set is_opted_out = excluded.is_opted_out,
            quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, updated_at = clock_timestamp()
        """)

    /// Answers a row only when something changed.
    static let optOut = Statement(
        "ntf_opt_out",
        """
        insert into wf_ntf.preference as p (tenant, subject, channel, category, is_opted_out)
        values ($1::text, $2::text, '*', $3::text, true)
        on conflict (tenant, subject, channel, category) do update set is_opted_out = true,
            updated_at = clock_timestamp() where not p.is_opted_out
        returning 1::int4
        """)

    static let addConsent = Statement(
        "ntf_add_consent",
        """
        insert into wf_ntf.consent (tenant, subject, category, is_given, source)
        values ($1::text, $2::text, $3::text, $4::bool, $5::text)
        """)

    static let suppressions = Statement(
        "ntf_suppressions",
        """
        select channel, encode(address_hash, 'hex'), reason, extract(epoch from at)::float8 from wf_ntf.suppression
        where tenant = $1::text
            and ($2::text is null or (channel, address_hash) > ($2::text, decode($3::text, 'hex')))
        order by channel, address_hash limit $4::int4
        """)

    static let suppress = Statement(
        "ntf_suppress_by_hand",
        """
        insert into wf_ntf.suppression (tenant, channel, address_hash, reason)
        values ($1::text, $2::text, $3::bytea, $4::text) on conflict do nothing
        """)

    static let unsuppress = Statement(
        "ntf_unsuppress",
        """
        delete from wf_ntf.suppression where tenant = $1::text and channel = $2::text and address_hash = $3::bytea
        """)

    static let publish = Statement(
        "ntf_people_publish",
        """
        select outbox.publish($1::text, 'ntf', $2::text, $3::text, $4::text::jsonb, $5::text, $6::text, $7::text)::text
        """)

    // MARK: Receipts

    /// The message a provider speaks of.
    static let delivery = Statement(
        "ntf_delivery_of_ref",
        """
        select d.tenant, d.notification, d.channel, encode(d.address_hash, 'hex'), n.subject, n.workflow_id,
            n.ended_at is not null
        from wf_ntf.delivery d join wf_ntf.notification n on n.tenant = d.tenant and n.id = d.notification
        where d.provider = $1::text and d.provider_ref = $2::text
        """)

    static let knownReceipt = Statement(
        "ntf_known_receipt", "select 1::int4 from wf_ntf.receipt where event_id = $1::text")

    static let insertReceipt = Statement(
        "ntf_insert_late_receipt",
        """
        insert into wf_ntf.receipt (event_id, tenant, notification, channel, kind, code, bounce_type)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text) on conflict do nothing
        """)

    // MARK: Batches

    static let openBatch = Statement(
        "ntf_open_batch",
        """
        insert into wf_ntf.batch (id, tenant, total) values ($1::text, $2::text, $3::int4) on conflict do nothing
        """)

    static let batchRows = Statement(
        "ntf_batch_rows",
        """
        insert into wf_ntf.batch_row (batch, number, notification, state, errors)
        select $1::text, r.number, nullif(r.notification, ''),
            case when r.notification = '' then 'REFUSED' else 'ACCEPTED' end, r.errors::jsonb
        from unnest($2::int4[], $3::text[], $4::text[]) as r (number, notification, errors) on conflict do nothing
        """)

    static let countBatch = Statement(
        "ntf_count_batch",
        """
        update wf_ntf.batch set accepted = accepted + $2::int4, refused = refused + $3::int4 where id = $1::text
        """)

    static let closeBatch = Statement(
        "ntf_close_batch",
        "update wf_ntf.batch set state = 'STARTED', total = $2::int4 where id = $1::text")

    static let batch = Statement(
        "ntf_batch",
        """
        select b.tenant, b.total, b.accepted, b.refused, b.state, extract(epoch from b.created_at)::float8
        from wf_ntf.batch b where b.id = $1::text
        """)

    static let batchStates = Statement(
        "ntf_batch_states",
        """
        select coalesce(n.state, 'STARTING'), count(*)::int8
        from wf_ntf.batch_row r join wf_ntf.batch b on b.id = r.batch
        left join wf_ntf.notification n on n.tenant = b.tenant and n.id = r.notification
        where r.batch = $1::text and r.notification is not null group by 1 order by 1
        """)

    static let batchFaults = Statement(
        "ntf_batch_faults",
        """
        select number, errors::text from wf_ntf.batch_row where batch = $1::text and state = 'REFUSED'
        order by number limit 100
        """)
}
