import Postgres

/// Every SQL statement of the notification family's sending path.
enum NotificationStatements {
    // MARK: Notifications

    static let accept = Statement(
        "ntf_accept",
        """
        insert into wf_ntf.notification (tenant, id, dedup_key, subject, template, template_version, locale, category, priority,
            channels, request, workflow_id)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::int4, $7::text, $8::text, $9::text, $10::text[],
            $11::text::jsonb, $12::text)
        on conflict do nothing returning id
        """)

    static let byDedupKey = Statement(
        "ntf_by_dedup_key",
        "select id from wf_ntf.notification where tenant = $1::text and dedup_key = $2::text")

    /// A redriven notification begins again.
    static let reopen = Statement(
        "ntf_reopen",
        """
        update wf_ntf.notification set state = 'ACCEPTED', reason = '', workflow_id = $3::text, ended_at = null,
            version = version + 1, updated_at = now()
        where tenant = $1::text and id = $2::text
        """)

    static let tenantRetries = Statement(
        "ntf_tenant_retries",
        """
        select channel, base_seconds, factor, cap_seconds, jitter, retries, within_seconds
        from wf_ntf.retry_policy where tenant in ('*', $1::text) order by tenant = '*' desc, channel
        """)

    static let mailProfile = Statement(
        "ntf_mail_profile", "select email_profile from wf_ntf.tenant_setting where tenant = $1::text")

    static let setState = Statement(
        "ntf_set_state",
        """
        update wf_ntf.notification set state = $3::text, reason = $4::text, channel = coalesce($5::text, channel),
            sent_at = case when $3::text = 'SENT' then coalesce(sent_at, now()) else sent_at end,
            ended_at = case when $6::bool then now() else ended_at end,
            version = version + 1, updated_at = now()
        where tenant = $1::text and id = $2::text and ended_at is null
        """)

    // MARK: Operations

    static let claimOp = Statement(
        "ntf_claim_op",
        """
        insert into wf_ntf.op (op_id, tenant, notification, step) values ($1::text, $2::text, $3::text, $4::text)
        on conflict do nothing returning op_id
        """)

    static let readOp = Statement("ntf_read_op", "select result::text from wf_ntf.op where op_id = $1::text")

    static let endOp = Statement(
        "ntf_end_op", "update wf_ntf.op set result = $2::text::jsonb where op_id = $1::text")

    static let publish = Statement(
        "ntf_publish",
        """
        select outbox.publish($1::text, 'ntf', $2::text, $3::text, $4::text::jsonb, $5::text, $6::text, $7::text)::text
        """)

    // MARK: Recipients

    /// Everything known about a recipient, in one row whether we know them or not.
    static let recipient = Statement(
        "ntf_recipient",
        """
        select p.email, p.phone, p.wechat_openid, coalesce(p.locale, ''),
            coalesce(nullif(p.time_zone, ''), t.time_zone, 'UTC'),
            coalesce(q.quiet_from, t.quiet_from, ''), coalesce(q.quiet_until, t.quiet_until, ''),
            coalesce((select bool_or(o.is_opted_out) from wf_ntf.preference o where o.tenant = $1::text
                and o.subject = $3::text and o.channel in ('*', $4::text) and o.category in ('*', $5::text)), false),
            coalesce((select c.is_given from wf_ntf.consent c where c.tenant = $1::text and c.subject = $3::text
                and c.category = $5::text order by c.id desc limit 1), false)
        from (select 1) one
        left join wf_ntf.user_profile p on p.tenant = $1::text and p.user_id = $2::text
        left join wf_ntf.tenant_setting t on t.tenant = $1::text
        left join lateral (select o.quiet_from, o.quiet_until from wf_ntf.preference o where o.tenant = $1::text
            and o.subject = $3::text and o.channel in ('*', $4::text) and o.quiet_from <> ''
            order by o.channel desc limit 1) q on true
        """)

    static let isSuppressed = Statement(
        "ntf_is_suppressed",
        """
        select 1 from wf_ntf.suppression where tenant = $1::text and channel = $2::text and address_hash = $3::bytea
        """)

    static let suppress = Statement(
        "ntf_suppress",
        """
        insert into wf_ntf.suppression (tenant, channel, address_hash, reason) values ($1::text, $2::text, $3::bytea, $4::text)
        on conflict do nothing
        """)

    static let optOut = Statement(
        "ntf_opt_out",
        """
        insert into wf_ntf.preference as p (tenant, subject, channel, category, is_opted_out)
        values ($1::text, $2::text, $3::text, $4::text, true)
        on conflict (tenant, subject, channel, category) do update set is_opted_out = true, updated_at = now()
        where not p.is_opted_out
        """)

    // MARK: Caps

    static let lockCap = Statement(
        "ntf_lock_cap", "select pg_advisory_xact_lock(hashtextextended($1::text, 7))::text")

    static let slot = Statement(
        "ntf_slot", "select 1 from wf_ntf.cap_slot where op_id = $1::text and released_at is null")

    /// The slot that has to leave the window before another fits; none while there is room.
    static let fullSlot = Statement(
        "ntf_full_slot",
        """
        select extract(epoch from at)::float8 from wf_ntf.cap_slot
        where tenant = $1::text and subject = $2::text and channel = $3::text and category = $4::text
            and released_at is null and at > to_timestamp($5::float8) and at <= to_timestamp($6::float8)
        order by at desc offset $7::int4 limit 1
        """)

    static let takeSlot = Statement(
        "ntf_take_slot",
        """
        insert into wf_ntf.cap_slot (op_id, tenant, subject, channel, category, notification, at)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, to_timestamp($7::float8))
        on conflict (op_id) do update set at = excluded.at, released_at = null
        """)

    static let overCap = Statement(
        "ntf_over_cap",
        """
        select over_cap from wf_ntf.template
        where tenant = $1::text and id = $2::text and version = $3::int4 and channel = $4::text order by locale limit 1
        """)

    static let releaseSlots = Statement(
        "ntf_release_slots",
        """
        update wf_ntf.cap_slot set released_at = now()
        where tenant = $1::text and notification = $2::text and released_at is null
            and ($3::text is null or channel <> $3::text)
        """)

    // MARK: Deliveries

    static let attemptsOfDelivery = Statement(
        "ntf_attempts_of_delivery",
        """
        select d.state, d.provider, d.provider_ref, a.number, a.provider, a.class, a.outcome::text
        from wf_ntf.delivery d left join wf_ntf.attempt a on a.op_id = d.op_id
        where d.op_id = $1::text order by a.number
        """)

    static let beginAttempt = Statement(
        "ntf_begin_attempt",
        """
        with d as (
            insert into wf_ntf.delivery as d
                (op_id, tenant, notification, channel, generation, provider, attempts, address_hash, body_hash, segments)
            values ($1::text, $2::text, $3::text, $4::text, $5::int4, $6::text, $7::int4, $8::bytea, $9::bytea, $10::int4)
            on conflict (op_id) do update set provider = excluded.provider, attempts = greatest(d.attempts, excluded.attempts),
                address_hash = excluded.address_hash, body_hash = excluded.body_hash, segments = excluded.segments,
                last_attempt_at = clock_timestamp()
            returning d.op_id)
        insert into wf_ntf.attempt as a (op_id, number, provider) select op_id, $7::int4, $6::text from d
        on conflict (op_id, number) do update set provider = excluded.provider, started_at = clock_timestamp()
        where a.ended_at is null
        """)

    /// The call was not made after all.
    static let takeBackAttempt = Statement(
        "ntf_take_back_attempt",
        "delete from wf_ntf.attempt where op_id = $1::text and number = $2::int4 and ended_at is null")

    static let endAttempt = Statement(
        "ntf_end_attempt",
        """
        update wf_ntf.attempt set ended_at = clock_timestamp(), class = $3::text, code = $4::text, reply = $5::text,
            outcome = $6::text::jsonb
        where op_id = $1::text and number = $2::int4 and ended_at is null
        """)

    static let endDelivery = Statement(
        "ntf_end_delivery",
        """
        update wf_ntf.delivery set state = $2::text, provider_ref = coalesce($3::text, provider_ref), ended_at = clock_timestamp()
        where op_id = $1::text and state in ('PENDING', 'UNKNOWN', 'FAILED', 'SENT')
        """)

    /// The newest delivery of a notification on a channel.
    static let deliveryOfReceipt = Statement(
        "ntf_delivery_of_receipt",
        """
        select op_id, address_hash from wf_ntf.delivery
        where tenant = $1::text and notification = $2::text and channel = $3::text order by generation desc limit 1
        """)

    // MARK: Receipts

    static let insertReceipt = Statement(
        "ntf_insert_receipt",
        """
        insert into wf_ntf.receipt (event_id, tenant, notification, channel, kind, code, bounce_type)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text) on conflict do nothing
        """)

    static let countBounce = Statement(
        "ntf_count_bounce",
        """
        insert into wf_ntf.bounce_count as b (tenant, channel, address_hash, count)
        values ($1::text, $2::text, $3::bytea, 1)
        on conflict (tenant, channel, address_hash) do update set count = b.count + 1 returning count
        """)

    // MARK: Providers

    static let providers = Statement(
        "ntf_providers",
        "select name, channel, prefix, rank, per_second from wf_ntf.provider where is_enabled order by channel, rank, name"
    )
}
