import Postgres

/// The SQL of subjects' keys and of erasing.
enum SubjectKeyStatements {
    /// Answers the key that is there; a destroyed one is followed by the new one.
    static let makeKey = Statement(
        "ntf_make_subject_key",
        """
        insert into wf_ntf.subject_key as k (tenant, subject, key_id, wrapped)
        values ($1::text, $2::text, $3::text, $4::bytea)
        on conflict (tenant, subject) do update set
            key_id = case when k.wrapped is null then excluded.key_id else k.key_id end,
            wrapped = coalesce(k.wrapped, excluded.wrapped), destroyed_at = null
        returning key_id, wrapped
        """)

    static let readKey = Statement(
        "ntf_read_subject_key", "select wrapped from wf_ntf.subject_key where key_id = $1::text")

    // MARK: Erasing

    /// The addresses in the profile: each may be a subject of its own.
    static let profile = Statement(
        "ntf_erase_profile",
        """
        delete from wf_ntf.user_profile where tenant = $1::text and 'user:' || user_id = $2::text
        returning email, phone, wechat_openid
        """)

    static let destroyKeys = Statement(
        "ntf_destroy_subject_keys",
        """
        update wf_ntf.subject_key set wrapped = null, destroyed_at = clock_timestamp()
        where tenant = $1::text and subject = any($2::text[]) and wrapped is not null returning key_id
        """)

    static let clearRequests = Statement(
        "ntf_erase_requests",
        """
        update wf_ntf.notification set request = null, dedup_key = null, updated_at = clock_timestamp()
        where tenant = $1::text and subject = any($2::text[]) and (request is not null or dedup_key is not null)
        """)

    /// Texts of providers may repeat an address.
    static let clearReplies = Statement(
        "ntf_erase_replies",
        """
        update wf_ntf.attempt a set reply = '' from wf_ntf.delivery d, wf_ntf.notification n
        where d.op_id = a.op_id and n.tenant = d.tenant and n.id = d.notification and n.tenant = $1::text
            and n.subject = any($2::text[])
        """)

    static let clearResults = Statement(
        "ntf_erase_results",
        """
        update wf_ntf.delivery d set provider_ref = null from wf_ntf.notification n
        where n.tenant = d.tenant and n.id = d.notification and n.tenant = $1::text and n.subject = any($2::text[])
            and d.ended_at is not null
        """)

    static let clearDeadLetters = Statement(
        "ntf_erase_dead_letters",
        """
        update wf_dlq.dlq_entry e set message = '', attempts = '[]' from wf_ntf.notification n
        where e.source = 'notification' and n.tenant = $1::text and n.subject = any($2::text[]) and e.tenant = n.tenant
            and e.payload_ref = 'wf_ntf.notification/' || n.id
        """)

    static let clearSlots = Statement(
        "ntf_erase_slots",
        "delete from wf_ntf.cap_slot where tenant = $1::text and subject = any($2::text[])")

    static let clearPreferences = Statement(
        "ntf_erase_preferences",
        """
        delete from wf_ntf.preference where tenant = $1::text and subject = any($2::text[]) and not is_opted_out
        """)

    static let publish = Statement(
        "ntf_erase_publish",
        """
        select outbox.publish($1::text, 'ntf', 'ntf.erased', $2::text, $3::text::jsonb, $4::text, $5::text, $6::text)::text
        """)
}
